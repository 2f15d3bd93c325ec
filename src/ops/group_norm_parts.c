/* SPDX-License-Identifier: Apache-2.0 */
/* What the four ops of group normalisation share: checks, and the value from elementary ops. */
#include <math.h>

#include "ops/check.h"
#include "ops/group_norm.h"

sumi_status group_norm_check(sumi_graph *graph, const struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    int64_t groups = node->attributes.norm.groups;
    if (x->rank < 2) {
        char text[SHAPE_TEXT];
        return graph_fail(graph, "group_norm: the input is [n, ..., c], not %s",
                          shape_text(x, text));
    }
    int64_t channels = x->size[x->rank - 1];
    if (groups < 1 || channels % groups != 0) {
        return graph_fail(graph, "group_norm: %lld channels do not divide into %lld groups",
                          (long long)channels, (long long)groups);
    }
    return SUMI_OK;
}

static sumi_status check_parameter(sumi_graph *graph, const struct node *node, int input)
{
    const struct shape *x = input_shape(graph, node, 0), *p = input_shape(graph, node, input);
    bool fits = (p->rank == 1 || (p->rank == 2 && p->size[0] == x->size[0]))
                && p->size[p->rank - 1] == x->size[x->rank - 1];
    if (fits && shape_equal(p, input_shape(graph, node, 2))) return SUMI_OK;
    return ops_pair_refuse(graph, "group_norm", x, p,
                           "the input is [n, ..., c], and scale and shift are both [c] or [n, c]");
}

sumi_status group_norm_check_all(sumi_graph *graph, const struct node *node, int upstream)
{
    TRY(group_norm_check(graph, node));
    TRY(check_parameter(graph, node, 2));
    TRY(check_parameter(graph, node, 3));
    const struct shape *x = input_shape(graph, node, 0);
    struct shape moments = {3, {x->size[0], node->attributes.norm.groups, 2}};
    if (!shape_equal(input_shape(graph, node, 1), &moments)) {
        return ops_pair_refuse(graph, "group_norm", x, input_shape(graph, node, 1),
                               "the moments are [n, groups, 2]");
    }
    if (upstream && !shape_equal(input_shape(graph, node, upstream), x)) {
        return ops_pair_refuse(graph, "group_norm", x, input_shape(graph, node, upstream),
                               "the input and the upstream gradient have one shape");
    }
    return SUMI_OK;
}

struct group_norm_sizes group_norm_sizes_of(const sumi_graph *graph, const struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    int64_t channels = x->size[x->rank - 1], groups = node->attributes.norm.groups;
    return (struct group_norm_sizes){.n = x->size[0],
                                     .space = shape_span(x, 1, x->rank - 1),
                                     .channels = channels,
                                     .groups = groups,
                                     .width = channels / groups,
                                     .scale_by_item = node->input_count > 2
                                                      && input_shape(graph, node, 2)->rank == 2};
}

struct group_norm_channel group_norm_channel_at(const struct group_norm_sizes *sizes,
                                                const double *const *inputs, int64_t item,
                                                int64_t c)
{
    const double *moments = inputs[1] + (item * sizes->groups + c / sizes->width) * 2;
    int64_t parameter = (sizes->scale_by_item ? item * sizes->channels : 0) + c;
    return (struct group_norm_channel){moments[0], moments[1], inputs[2][parameter],
                                       inputs[3][parameter]};
}

double group_norm_slope(double z, bool silu)
{
    if (!silu) return 1;
    double sigmoid = 1 / (1 + exp(-z));
    return sigmoid * (1 + z * (1 - sigmoid));
}

struct group_norm_parts group_norm_normalize(sumi_graph *graph, sumi_node x,
                                             const struct group_norm_sizes *sizes, double epsilon)
{
    struct group_norm_parts parts = {0};
    const unsigned group = 1u << 1 | 1u << 3;
    int64_t split[4] = {sizes->n, sizes->space, sizes->groups, sizes->width};
    sumi_node grouped = sumi_op_reshape(graph, x, 4, split);
    parts.mean = sumi_op_mean(graph, grouped, group);
    sumi_node centred = sumi_op_subtract(graph, grouped, parts.mean);
    sumi_node square = sumi_op_multiply(graph, centred, centred);
    sumi_node variance = sumi_op_mean(graph, square, group);
    sumi_node deviation = sumi_op_sqrt(graph, sumi_op_affine(graph, variance, 1, epsilon));
    parts.inverse_deviation = sumi_op_divide(graph, sumi_graph_number(graph, 1), deviation);
    parts.normalized = sumi_op_multiply(graph, centred, parts.inverse_deviation);
    return parts;
}

struct group_norm_parts group_norm_differentiate(sumi_graph *graph, const struct node *node)
{
    struct group_norm_sizes sizes = group_norm_sizes_of(graph, node);
    struct group_norm_parts parts =
        group_norm_normalize(graph, node->inputs[0], &sizes, node->attributes.norm.epsilon);
    int64_t split[4] = {sizes.n, sizes.space, sizes.groups, sizes.width};
    int64_t parameter[4] = {sizes.scale_by_item ? sizes.n : 1, 1, sizes.groups, sizes.width};
    parts.scale = sumi_op_reshape(graph, node->inputs[2], 4, parameter);
    parts.slope = sumi_op_reshape(graph, node->inputs[4], 4, split);
    if (!node->attributes.norm.silu) return parts;
    sumi_node shift = sumi_op_reshape(graph, node->inputs[3], 4, parameter);
    sumi_node scaled = sumi_op_multiply(graph, parts.normalized, parts.scale);
    sumi_node z = sumi_op_add(graph, scaled, shift), sigmoid = sumi_op_sigmoid(graph, z);
    sumi_node complement = sumi_op_affine(graph, sigmoid, -1, 1);
    sumi_node bracket = sumi_op_affine(graph, sumi_op_multiply(graph, z, complement), 1, 1);
    sumi_node derivative = sumi_op_multiply(graph, sigmoid, bracket);
    parts.slope = sumi_op_multiply(graph, parts.slope, derivative);
    return parts;
}
