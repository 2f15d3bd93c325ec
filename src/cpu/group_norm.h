/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the forward and the backward kernels of group normalisation. Both read an item twice,
   first for sums and then for the result, one item after the other, so that the second time it is
   in cache. Channels last: x[n, rows, c], rows being the spatial extent; x may be two arrays whose
   channels follow each other. If there are fewer items than threads, the rows of an item are
   divided into parts, whose sums are added in a fixed order. */
#ifndef SUMI_CPU_GROUP_NORM_H
#define SUMI_CPU_GROUP_NORM_H

#include "cpu/loops/loops.h"
#include "graph/kernel.h"

/* An array of x's channels from `first` on: [n, rows, c]. */
struct norm_channels {
    const void *x;
    int64_t first, c;
};

struct norm_pass {
    int64_t items, rows, c, groups;
    int parts, threads; /* parts of one item */
    bool silu, bf16;    /* bf16: arrays of the size of x are bfloat16 */
    double epsilon;
    const struct loops *loops;

    struct norm_channels arrays[2]; /* x */
    int array_count;
    const float *scale, *shift; /* [c] or [n, c] */
    bool scale_by_item, shift_by_item;
    float *moments; /* [n, groups, 2]: mean and 1/std */

    double *partial; /* [n, parts, 2, c] sums of parts */
    float *blocks;   /* [n, parts, 2, c] sums of a few rows, added to those */
    float *tables;   /* [n, COEFFICIENTS, c] */

    /* backward only */
    const void *upstream, *residual; /* [n, rows, c] */
    void *gradients[2];              /* by the arrays of x */
    float *sums;                     /* [2, n, c]: of d and of d xhat */
    float *columns;                  /* [n, c of the first array]: sums of its gradient, or NULL */
    void *out;                       /* forward only: [n, rows, c] */
};

/* Element number `index` of an array of x's size. */
static inline void *norm_place(const struct norm_pass *pass, const void *data, int64_t index)
{
    return (char *)data + index * (int64_t)(pass->bf16 ? sizeof(bfloat16) : sizeof(float));
}

/* Sizes of a problem whose input `x` is x, and whose input `second` (0 for none) is its second
   array. */
struct norm_pass norm_measure(const struct problem *problem, int x, int second);

/* Bytes of scratch, and its division. */
size_t norm_scratch(const struct norm_pass *pass);
void norm_divide_scratch(struct norm_pass *pass, void *scratch);

/* The inputs x (in one array or two), moments, scale and shift of a call. */
void norm_take_inputs(struct norm_pass *pass, const struct call *call, int x, int moments,
                      int second);

/* A step of the work on an item, either part by part or once (part 0). */
struct norm_step {
    void (*run)(const struct norm_pass *pass, int64_t item, int part);
    bool by_part;
};
/* Runs the steps for all items, in order within an item. */
void norm_run(const struct norm_pass *pass, int count, const struct norm_step *steps);

/* First row of a part. */
int64_t norm_part_start(const struct norm_pass *pass, int part);

/* Sums of a part's rows into partial, a few rows at a time: `add` adds `count` rows from number
   `row` of the item to block[2, c]. */
typedef void (*norm_add)(const struct norm_pass *pass, int64_t item, int64_t row, int64_t count,
                         float *block);
void norm_sum_part(const struct norm_pass *pass, int64_t item, int part, norm_add add);
/* Adds the parts up into the first, which it returns: [2, c]. */
const double *norm_fold(const struct norm_pass *pass, int64_t item);

/* Per-channel coefficients of an item, from channel `first` on. */
enum { COEFFICIENTS = 7 };
struct norm_coefficients norm_coefficients_at(const struct norm_pass *pass, int64_t item,
                                              int64_t first);
/* Fills slope, offset, mean and inverse of an item from its moments. */
void norm_fill_coefficients(const struct norm_pass *pass, int64_t item, int part);

#endif
