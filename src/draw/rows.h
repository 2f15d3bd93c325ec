/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of numbers in a form that can be drawn: points of the plane unchanged, single numbers as a
   histogram, points of 3 and 4 coordinates as pairs of coordinates, and longer rows as one
   picture. */
#ifndef SUMI_DRAW_ROWS_H
#define SUMI_DRAW_ROWS_H

#include "base/context.h"

enum { MOST_PAIRS = 6 }; /* for 4 coordinates */

struct rows_view {
    sumi_array array;              /* what is drawn instead of the rows */
    int pairs;                     /* sets of points for each set of rows; 0 where the rows are one
                                      set */
    const char *names[MOST_PAIRS]; /* names of the pairs: "1, 2" */
    float *memory;
};

/* Converts rows [..., n, d] with `sets` leading dimensions; an array of another rank is left
   unchanged. Pairs become [..., pairs, n, 2], and rows of more than 4 numbers a picture [..., 1, n,
   d, 1]. On failure nothing is left to release. */
sumi_status rows_view_open(sumi_context *context, const sumi_array *array, int sets,
                           struct rows_view *view);
void rows_view_close(sumi_context *context, struct rows_view *view);

#endif
