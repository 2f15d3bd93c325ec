/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels do with sizes: take what is left, but no more than so much, and round up to whole
   lines of a cache, on which vectors begin. */
#ifndef SUMI_CPU_SIZES_H
#define SUMI_CPU_SIZES_H

#include <stddef.h>
#include <stdint.h>

static inline int64_t least(int64_t left, int64_t most)
{
    return left < most ? left : most;
}

static inline int64_t lined_floats(int64_t floats)
{
    return (floats + 15) / 16 * 16;
}

static inline size_t lined_bytes(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

#endif
