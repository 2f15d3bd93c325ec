/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products, by one thread, on its own stack. Compiled once for each instruction set, like
   loops.h, and once more for processors that multiply pairs of bfloat16 numbers fast. */
#ifndef SUMI_CPU_LOOPS_PRODUCT_H
#define SUMI_CPU_LOOPS_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/element.h"

/* Columns of a panel: as many as the widest vectors and the registers are good for. */
enum { PRODUCT_PANEL = 32 };

/* Floats of a product's workspace. */
enum { PRODUCT_WORKSPACE = 516 * 384 };

/* c[m, n] = a[m, k] b[k, n], or c += a b. Element (i, l) of a is at [i * a_row + l * a_column], and
   so for b; one of each two steps is 1. Rows of c follow each other by c_row. a and b may be of
   float32, bfloat16 or float16; sums are float32.

   Where b_panel is not 0, b is float32 and stored in panels of PRODUCT_PANEL columns: b_panel
   floats from one panel to the next, and rows of a panel b_row apart (b_column is 1). The same
   holds for c_panel. */
struct product {
    int64_t m, n, k;
    const void *a, *b;
    sumi_element a_element, b_element;
    int64_t a_row, a_column, b_row, b_column, b_panel;
    void *c;
    sumi_element c_element; /* SUMI_FLOAT32 for the loops; product_run also takes SUMI_BFLOAT16,
                               then without panels and `add` */
    int64_t c_row, c_panel;
    bool add;
    bool rounds;      /* a factor of float32 may be rounded to bfloat16 where that is faster: one of
                         them is of that type already */
    float *workspace; /* PRODUCT_WORKSPACE floats, or NULL; see product_wants_workspace */
    float *sums;      /* for a c of bfloat16; see product_take_workspace */
};

/* Whether a product is faster with workspace to copy rows of a into; it cannot be without where a
   is not float32, or rounds. */
bool product_wants_workspace(const struct product *p);

struct product_loops {
    void (*product)(const struct product *p);
};

const struct product_loops *product_loops_select(void);

#endif
