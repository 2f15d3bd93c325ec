/* SPDX-License-Identifier: Apache-2.0 */
/* What the four ops of group normalisation share. With x[n, space, c], groups of c/groups
   neighbouring channels, mean m and inverse deviation r of each group of each item:
       xhat = (x - m) r        z = xhat scale + shift        y = z, or silu(z). */
#ifndef SUMI_OPS_GROUP_NORM_H
#define SUMI_OPS_GROUP_NORM_H

#include "ops/ops.h"

struct group_norm_sizes {
    int64_t n, space, channels, groups, width; /* width = channels / groups */
    bool scale_by_item;                        /* scale and shift are [n, c] rather than [c] */
};

/* Records a failure unless x[n, ..., c] divides into attributes.norm.groups. */
sumi_status group_norm_check(sumi_graph *graph, const struct node *node);
/* Records a failure unless inputs 0 to 3 are x, moments [n, groups, 2], scale and shift ([c] or
   [n, c]), and input `upstream` (where not 0) has the shape of x. */
sumi_status group_norm_check_all(sumi_graph *graph, const struct node *node, int upstream);
/* Sizes of a checked node; input 2, where there is one, decides scale_by_item. */
struct group_norm_sizes group_norm_sizes_of(const sumi_graph *graph, const struct node *node);

/* One channel of x for the reference kernels: channel `c` of item `item`. */
struct group_norm_channel {
    double mean, inverse_deviation, scale, shift;
};
struct group_norm_channel group_norm_channel_at(const struct group_norm_sizes *sizes,
                                                const double *const *inputs, int64_t item,
                                                int64_t c);
/* d = dy y'(z), the gradient by z. */
double group_norm_slope(double z, bool silu);

/* ---- fused forms, where x may be two arrays whose channels follow each other ---- */

struct group_norm_pair {
    int64_t n, space, channels, groups, width; /* width = channels / groups */
    int64_t first;                             /* channels of the first array */
};
/* Sizes of a node whose input `x` is the first array and whose input `second`, if not 0, the
   second. */
struct group_norm_pair group_norm_pair_of(const sumi_graph *graph, const struct node *node, int x,
                                          int second);
/* Channel c of a pixel, counted through the batch. */
static inline double group_norm_pair_at(const struct group_norm_pair *pair, const double *x,
                                        const double *second, int64_t pixel, int64_t c)
{
    if (c < pair->first) return x[pixel * pair->first + c];
    return second[pixel * (pair->channels - pair->first) + c - pair->first];
}

/* The inputs of group_norm_backward: these six, with scale and shift after the moments, then those
   of attributes.epilogue.parts, in its order. The second array is followed by the side output for
   the gradient by it. */
enum { BACKWARD_UPSTREAM, BACKWARD_X, BACKWARD_MOMENTS, BACKWARD_SUMS = 5, BACKWARD_INPUTS };
enum { BACKWARD_SECOND = 1, BACKWARD_RESIDUAL = 2, BACKWARD_COLUMNS = 4 };
/* The index of the input for a part, or 0 where the node has none. */
int group_norm_backward_input(const struct node *node, unsigned part);

/* ---- the unfused forms from elementary ops ---- */

/* The same from elementary ops, for expansions; shapes are [n, space, groups, width]. */
struct group_norm_parts {
    sumi_node mean, inverse_deviation; /* [n, 1, groups, 1] */
    sumi_node normalized;              /* xhat */
    sumi_node scale;                   /* [1 or n, 1, groups, width] */
    sumi_node slope;                   /* d */
};
/* mean, inverse_deviation and normalized of x. */
struct group_norm_parts group_norm_normalize(sumi_graph *graph, sumi_node x,
                                             const struct group_norm_sizes *sizes, double epsilon);
/* All parts for a node with inputs x, moments, scale, shift, dy. */
struct group_norm_parts group_norm_differentiate(sumi_graph *graph, const struct node *node);

#endif
