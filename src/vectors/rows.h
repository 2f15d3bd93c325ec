/* SPDX-License-Identifier: Apache-2.0 */
/* Weighted sums of rows of numbers: the arithmetic of noising and of solver steps. Coefficients and
   sums are double, the rows float32. */
#ifndef SUMI_VECTORS_ROWS_H
#define SUMI_VECTORS_ROWS_H

#include <stdbool.h>
#include <stdint.h>

struct row_term {
    double weight;
    const float *row; /* [count] */
};

enum { MOST_TERMS = 8 };

/* output[count] = sum of weight * row, with at most MOST_TERMS terms. `output` may be one of the
   rows. A row with weight zero is not read. */
void rows_combine(int threads, int64_t count, float *output, int terms,
                  const struct row_term *term);

bool rows_are_finite(int threads, int64_t count, const float *row);

#endif
