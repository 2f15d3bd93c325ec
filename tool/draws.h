/* SPDX-License-Identifier: Apache-2.0 */
/* Several draws of each of some items: their mean and standard deviation, how they compare with the
   true items and with their measurements, and a table of them. */
#ifndef TOOL_DRAWS_H
#define TOOL_DRAWS_H

#include "command.h"

struct draws {
    int64_t count, items;
    sumi_array mean, deviation;          /* [items, item] */
    double psnr_of_mean, psnr_of_sample; /* dB, over all items */
    double interval, inside; /* what the draws' interval should hold, and the share of true numbers
                                that it holds */
    double misfit;           /* root mean square of y - A x */
};

/* Fills mean and deviation from drawn[draws items, item], all items of a draw together. Prints
   errors and returns an exit code. */
int draws_summarise(sumi_context *context, const sumi_array *drawn, int64_t items,
                    struct draws *draws);
void draws_release(sumi_context *context, struct draws *draws); /* accepts zeros */

/* Compares with the true items. The interval lies between the k-th lowest and the k-th highest of n
   draws, which holds (n + 1 - 2 k) / (n + 1) of further draws; k is the one for about 90 %. */
void draws_compare(const sumi_array *items, const sumi_array *drawn, struct draws *draws);

/* Fills misfit. Prints errors and returns an exit code. */
int draws_misfit(sumi_context *context, const sumi_operator *linear, const sumi_array *measured,
                 const sumi_array *drawn, struct draws *draws);

/* The table: original (unless NULL), measured, some samples, mean, deviation. */
struct draws_table {
    const sumi_operator *linear;
    const sumi_array *items, *measured, *drawn;
    const struct draws *draws;
};
sumi_status draws_draw(sumi_context *context, const struct draws_table *table, const char *path);

#endif
