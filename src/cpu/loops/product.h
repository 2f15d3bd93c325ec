/* SPDX-License-Identifier: Apache-2.0 */
/* A matrix product for small matrices, where a library's preparations take longer than its
   arithmetic. Compiled once for each instruction set, like loops.h. */
#ifndef SUMI_CPU_LOOPS_PRODUCT_H
#define SUMI_CPU_LOOPS_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

/* c[m, n] = a[m, k] b[k, n], or c += a b. Element (i, l) of a is at [i * a_row + l * a_column], and
   so for b; one of each two steps is 1. Rows of c follow each other by c_row. */
struct product {
    int64_t m, n, k;
    const float *a, *b;
    int64_t a_row, a_column, b_row, b_column;
    float *c;
    int64_t c_row;
    bool add;
};

struct product_loops {
    void (*product)(const struct product *p);
};

const struct product_loops *product_loops_select(void);

#endif
