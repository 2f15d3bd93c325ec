/* SPDX-License-Identifier: Apache-2.0 */
/* What attention and its gradient share: sizes, checks, and one row of the attention weights,
   whose elements are worked out where they are needed rather than kept. */
#ifndef SUMI_OPS_ATTENTION_H
#define SUMI_OPS_ATTENTION_H

#include "ops/ops.h"

/* q[n, queries, heads*d]; k and v [n, keys, heads*d] */
struct attention_sizes {
    int64_t n, heads, queries, keys, d;
};

/* What fusion adds: forward a side output for the rows' largest scores and sums, [n, heads,
   queries, 2]; backward the result of the forward pass and that side output, which are taken
   instead of worked out. */
enum { ATTENTION_ROWS = 3, ATTENTION_GRADIENT_RESULT, ATTENTION_GRADIENT_ROWS };

/* Records a failure unless the first three inputs are q, k and v that fit. */
sumi_status attention_check(sumi_graph *graph, const struct node *node);
/* Sizes of a node that was checked. */
struct attention_sizes attention_sizes_of(const sumi_graph *graph, const struct node *node);

/* The weights of one query of one head over the keys: weight_j = e^(score_j - largest) / sum. */
struct attention_row {
    int64_t query, keys; /* element of q, element of k and v, where this head's numbers start */
    int64_t step, d;     /* from key to key; numbers in each */
    double scale, largest, sum;
};

int64_t attention_rows(const struct attention_sizes *sizes); /* n heads queries */
struct attention_row attention_row_at(const struct attention_sizes *sizes, double scale,
                                      const double *q, const double *k, int64_t number);
double attention_weight(const struct attention_row *row, const double *q, const double *k,
                        int64_t key);
/* The product of `d` numbers with those of another. */
double attention_dot(const double *left, const double *right, int64_t d);

#endif
