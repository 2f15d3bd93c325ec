/* SPDX-License-Identifier: Apache-2.0 */
/* The row that an index held as a floating-point number means. */
#ifndef SUMI_OPS_GATHER_H
#define SUMI_OPS_GATHER_H

#include <stdint.h>

/* Out of range, also NaN, goes to the nearest row there is: callers check what they pass. */
static inline int64_t gather_row(double index, int64_t rows)
{
    if (!(index > 0)) return 0;
    return index < (double)(rows - 1) ? (int64_t)index : rows - 1;
}

#endif
