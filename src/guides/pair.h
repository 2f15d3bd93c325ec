/* SPDX-License-Identifier: Apache-2.0 */
/* A call with two conditions as one batch: its rows with the condition, followed by some of the
   rows with the null condition. The memory is kept from call to call. */
#ifndef SUMI_GUIDES_PAIR_H
#define SUMI_GUIDES_PAIR_H

#include "guides/guide.h"

struct pair {
    int64_t capacity, item_size, output_size; /* of the memory: rows, and numbers of each */
    float *x, *times, *output;                /* [rows, item_size], [rows], [rows, output_size] */
    float *vectors, *products;                /* [rows, output_size], [rows, item_size] */
    int64_t *again;      /* [count]: the rows with the null condition, by number */
    int64_t again_count; /* how many there are */
    double *scales;      /* [count], for pair_compare */
    sumi_condition *joined;
};

/* Allocates memory for a call, if the last call's does not fit; then `again` may be filled with up
   to call->count numbers. */
sumi_status pair_prepare(sumi_context *context, const struct guide_call *call, struct pair *pair);
void pair_release(sumi_context *context, struct pair *pair);

/* Fills the rows of a call and sets the condition of both on the inner denoiser: row i of the call
   is row i of the pair, row again[k] with the null condition is row call->count + k. */
sumi_status pair_fill(struct pair *pair, const struct denoising *inner,
                      const struct guide_call *call);

/* Evaluates the inner denoiser for the rows, which are filled, to pair->output. */
sumi_status pair_predict(struct pair *pair, const struct denoising *inner,
                         const struct guide_call *call);

/* The same with pair->products from pair->vectors, which the caller has filled. */
sumi_status pair_product(struct pair *pair, const struct denoising *inner,
                         const struct guide_call *call);

/* output = null + scales[row] (condition - null) for all rows of a call, and the same with products
   for vectors. pair->scales is filled. */
sumi_status pair_compare(struct pair *pair, const struct denoising *inner,
                         const struct guide_call *call, float *output);
sumi_status pair_compare_product(struct pair *pair, const struct denoising *inner,
                                 const struct guide_call *call, const float *vectors, float *output,
                                 float *products);

#endif
