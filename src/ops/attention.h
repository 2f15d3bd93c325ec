/* SPDX-License-Identifier: Apache-2.0 */
/* What attention and its gradient share: sizes, checks, and one row of the attention weights, whose
   elements are computed when needed rather than stored. */
#ifndef SUMI_OPS_ATTENTION_H
#define SUMI_OPS_ATTENTION_H

#include "ops/ops.h"

/* The score of a key that is not seen: no weight is left beside any usual score, and differences of
   such scores are numbers. */
#define HIDDEN_SCORE (-1e30f)

/* q[n, queries, heads*d]; k and v [n, keys, heads*d]; strides of the bias from item to item, head
   to head, query to query and key to key, 0 where it is repeated. */
struct attention_sizes {
    int64_t n, heads, queries, keys, d;
    int64_t bias_steps[SUMI_MAX_RANK];
};

/* Inputs after q, k and v: forward the bias, if attributes.attention.biased; backward the upstream
   gradient, then the bias. */
enum { ATTENTION_BIAS = 3, ATTENTION_UPSTREAM = 3, ATTENTION_GRADIENT_BIAS };

/* Inputs that fusion adds after those: forward a side output for the rows' largest scores and sums,
   [n, heads, queries, 2]; backward the result of the forward pass and that side output, which are
   then not recomputed. The indices are those without a bias; with one, all are larger by one. */
enum { ATTENTION_ROWS = 3, ATTENTION_GRADIENT_RESULT, ATTENTION_GRADIENT_ROWS };
static inline int attention_input(const struct node *node, int number)
{
    return number + node->attributes.attention.biased;
}

/* Records a failure unless the first three inputs are q, k and v of matching shapes, and the bias
   matches them. */
sumi_status attention_check(sumi_graph *graph, const struct node *node);
/* Sizes of a node that was checked. */
struct attention_sizes attention_sizes_of(const sumi_graph *graph, const struct node *node);
/* The index of the bias among the inputs, or -1. */
int attention_bias_input(const struct node *node);

/* The weights of one query of one head over the keys that are not masked: weight_j = e^(score_j -
   largest) / sum. */
struct attention_row {
    int64_t query, keys; /* index in q, and in k and v, of this head's first number */
    int64_t step, d;     /* distance from key to key; numbers in each */
    int64_t seen;        /* number of such keys, from the first on */
    const double *bias;  /* of each key, or NULL */
    double scale, largest, sum;
};

int64_t attention_rows(const struct attention_sizes *sizes); /* n heads queries */
/* The number of unmasked scores in all rows. */
double attention_scores(const struct node *node, const struct attention_sizes *sizes);
struct attention_row attention_row_at(const sumi_graph *graph, const struct node *node,
                                      const double *const *inputs, int64_t number);
double attention_weight(const struct attention_row *row, const double *q, const double *k,
                        int64_t key);
/* The dot product of `d` numbers. */
double attention_dot(const double *left, const double *right, int64_t d);

/* Built from elementary ops, for q, k, v and upstream as [n, heads, l, d]: the weights, and the
   gradient by the scaled scores, both [n, heads, queries, keys] (attention_gradient.c). */
struct attention_parts {
    sumi_node q, k, v, upstream;
    sumi_node weights, slopes;
};
struct attention_parts attention_build(sumi_graph *graph, const struct node *node,
                                       sumi_node upstream);

#endif
