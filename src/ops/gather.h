/* SPDX-License-Identifier: Apache-2.0 */
/* The row that an index means. Indices are int32, or whole numbers held as float32. */
#ifndef SUMI_OPS_GATHER_H
#define SUMI_OPS_GATHER_H

#include <stdint.h>

enum { GATHER_INDICES = 1 }; /* the number of that input */

/* Out of range, also NaN, goes to the nearest row there is: callers check what they pass. */
static inline int64_t gather_row(double index, int64_t rows)
{
    if (!(index > 0)) return 0;
    return index < (double)(rows - 1) ? (int64_t)index : rows - 1;
}

#endif
