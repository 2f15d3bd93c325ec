/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the ops of layer normalisation: sizes, the moments of a row, the normalised rows as a
   graph. */
#ifndef SUMI_OPS_LAYER_NORM_H
#define SUMI_OPS_LAYER_NORM_H

#include "ops/ops.h"

/* The inputs of the forward op, of its gradient, and of the sums for the gradients of scale and
   shift. Scale and shift are [d], or [n, d] for each item of x[n, ..., d]; both or only the shift
   may be omitted. */
enum { LAYER_NORM_X, LAYER_NORM_SCALE, LAYER_NORM_SHIFT };
enum { LAYER_NORM_UPSTREAM = 1, LAYER_NORM_GRADIENT_SCALE, LAYER_NORM_GRADIENT_SUMS };

struct layer_norm_sizes {
    int64_t n, rows, d; /* items; rows of each; numbers of a row */
};

/* Records a failure unless input `parameter` is [d] or [n, d] for input 0; 0 checks none. */
sumi_status layer_norm_check(sumi_graph *graph, const struct node *node, int parameter);
struct layer_norm_sizes layer_norm_sizes_of(const sumi_graph *graph, const struct node *node);

/* A row's mean (0 for RMS normalisation) and the inverse of its deviation. */
struct layer_norm_moments {
    double mean, inverse;
};
struct layer_norm_moments layer_norm_moments_of(const double *row, int64_t d,
                                                const struct attributes *attributes);

/* From elementary ops: (x - mean) / deviation, and 1 / deviation, [..., 1]. */
struct layer_norm_parts {
    sumi_node normalized, inverse;
};
struct layer_norm_parts layer_norm_normalize(sumi_graph *graph, sumi_node x,
                                             const struct attributes *attributes);
/* A parameter [d] or [n, d] in a shape that broadcasts against x[n, ..., d]. */
sumi_node layer_norm_spread(sumi_graph *graph, sumi_node parameter, const struct shape *x);

#endif
