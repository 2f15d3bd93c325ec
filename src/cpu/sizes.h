/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of sizes: the rest of a range up to a limit, and rounding up to whole lines of a
   cache, where vectors begin. */
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
