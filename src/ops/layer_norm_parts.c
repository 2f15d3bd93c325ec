/* SPDX-License-Identifier: Apache-2.0 */
/* What the ops of layer normalisation share; see layer_norm.h. */
#include <math.h>

#include "ops/check.h"
#include "ops/layer_norm.h"

sumi_status layer_norm_check(sumi_graph *graph, const struct node *node, int parameter)
{
    const struct shape *x = input_shape(graph, node, LAYER_NORM_X);
    if (x->rank < 1) return graph_fail(graph, "layer_norm: a single number has no last axis");
    if (!parameter) return SUMI_OK;
    const struct shape *p = input_shape(graph, node, parameter);
    bool by_item = p->rank == 2 && x->rank > 1 && p->size[0] == x->size[0];
    if ((p->rank == 1 || by_item) && p->size[p->rank - 1] == x->size[x->rank - 1]) return SUMI_OK;
    return ops_pair_refuse(graph, "layer_norm", x, p,
                           "the input is [n, ..., d], and scale and shift are [d] or [n, d]");
}

struct layer_norm_sizes layer_norm_sizes_of(const sumi_graph *graph, const struct node *node)
{
    const struct shape *x = input_shape(graph, node, LAYER_NORM_X);
    int64_t n = x->rank > 1 ? x->size[0] : 1;
    return (struct layer_norm_sizes){n, x->rank > 1 ? shape_span(x, 1, x->rank - 1) : 1,
                                     x->size[x->rank - 1]};
}

struct layer_norm_moments layer_norm_moments_of(const double *row, int64_t d,
                                                const struct attributes *attributes)
{
    double mean = 0, square = 0;
    for (int64_t i = 0; i < d && !attributes->layer_norm.rms; i++) mean += row[i] / (double)d;
    for (int64_t i = 0; i < d; i++) square += (row[i] - mean) * (row[i] - mean) / (double)d;
    return (struct layer_norm_moments){mean, 1 / sqrt(square + attributes->layer_norm.epsilon)};
}

struct layer_norm_parts layer_norm_normalize(sumi_graph *graph, sumi_node x,
                                             const struct attributes *attributes)
{
    struct layer_norm_parts parts = {-1, -1};
    if (x < 0) return parts;
    unsigned last = 1u << (graph_shape(graph, x)->rank - 1);
    sumi_node centred = x;
    if (!attributes->layer_norm.rms)
        centred = sumi_op_subtract(graph, x, sumi_op_mean(graph, x, last));
    sumi_node square = sumi_op_mean(graph, sumi_op_multiply(graph, centred, centred), last);
    sumi_node deviation =
        sumi_op_sqrt(graph, sumi_op_affine(graph, square, 1, attributes->layer_norm.epsilon));
    parts.inverse = sumi_op_divide(graph, sumi_graph_number(graph, 1), deviation);
    parts.normalized = sumi_op_multiply(graph, centred, parts.inverse);
    return parts;
}

sumi_node layer_norm_spread(sumi_graph *graph, sumi_node parameter, const struct shape *x)
{
    if (parameter < 0 || graph_shape(graph, parameter)->rank == 1) return parameter;
    struct shape spread = {.rank = x->rank};
    for (int i = 0; i < x->rank; i++) spread.size[i] = 1;
    spread.size[0] = x->size[0];
    spread.size[x->rank - 1] = x->size[x->rank - 1];
    return ops_reshape(graph, parameter, &spread);
}
