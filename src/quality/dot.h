/* SPDX-License-Identifier: Apache-2.0 */
/* Products of one row of numbers with four others, which share its loads. */
#ifndef SUMI_QUALITY_DOT_H
#define SUMI_QUALITY_DOT_H

#include <stdint.h>

/* out[4]: of a[columns] with each row of b[4, columns]. */
static inline void dot_with_four(int64_t columns, const double *a, const double *b, double out[4])
{
    const double *b1 = b + columns, *b2 = b1 + columns, *b3 = b2 + columns;
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (int64_t i = 0; i < columns; i++) {
        s0 += a[i] * b[i];
        s1 += a[i] * b1[i];
        s2 += a[i] * b2[i];
        s3 += a[i] * b3[i];
    }
    out[0] = s0, out[1] = s1, out[2] = s2, out[3] = s3;
}

#endif
