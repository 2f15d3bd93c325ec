/* SPDX-License-Identifier: Apache-2.0 */
/* The figures that a record keeps of an array instead of the array: sum, mean of magnitudes, root
   mean square, the first eight and the last two elements. */
#ifndef TESTS_VECTORS_FIGURES_H
#define TESTS_VECTORS_FIGURES_H

#include "vectors/program.h"

/* A shape as the record has it, and which of its axes is the last one of Sumi's array, the channels
   of a picture [n,c,h,w]; -1 where both lay out the same. */
struct figures_layout {
    int rank;
    int64_t size[8];
    int channel_axis;
};

int64_t figures_count(const struct figures_layout *layout);
/* The shape of Sumi's array. */
void figures_own_shape(const struct figures_layout *layout, int64_t size[8]);
/* Place in Sumi's array of element j of the record's. */
int64_t figures_place(const struct figures_layout *layout, int64_t j);

/* Compares values[], laid out as Sumi does, with a record {shape, sum, mean_abs, rms, first8,
   last2}; `tolerance` is T of the second set's README, 0 for whole numbers. */
bool figures_compare(struct vectors_row *row, const char *what, json_object *expected,
                     const struct figures_layout *layout, const float *values, double tolerance);

#endif
