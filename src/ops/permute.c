/* SPDX-License-Identifier: Apache-2.0 */
/* Permutes axes: axis i of the result is axis order[i] of the input. */
#include "ops/check.h"
#include "ops/ops.h"
#include "ops/strides.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    unsigned seen = 0;
    node->shape.rank = x->rank;
    for (int i = 0; i < x->rank; i++) {
        int axis = node->attributes.permute.order[i];
        TRY(ops_axis_expect(graph, "permute", axis, x));
        if (seen & 1u << axis) return graph_fail(graph, "permute: axis %d is named twice", axis);
        seen |= 1u << axis;
        node->shape.size[i] = x->size[axis];
    }
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    int64_t own[SUMI_MAX_RANK], stride[SUMI_MAX_RANK];
    row_major_strides(input_shape(graph, node, 0), own);
    for (int i = 0; i < node->shape.rank; i++) stride[i] = own[node->attributes.permute.order[i]];
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) {
        output[i] = inputs[0][strided_offset(&node->shape, stride, i)];
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    const struct node *forward = graph_node(graph, node);
    int inverse[SUMI_MAX_RANK];
    for (int i = 0; i < forward->shape.rank; i++) inverse[forward->attributes.permute.order[i]] = i;
    gradients[0] = sumi_op_permute(graph, upstream, inverse);
}

const struct op op_permute = {.name = "permute",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .infer = infer,
                              .gradient = gradient,
                              .reference = reference,
                              .cost = cost_of_moving};

sumi_node sumi_op_permute(sumi_graph *graph, sumi_node x, const int *axes)
{
    struct attributes attributes = {0};
    if (!ops_node_known(graph, "permute", x)) return -1;
    for (int i = 0; i < graph_shape(graph, x)->rank; i++) attributes.permute.order[i] = axes[i];
    return graph_append(graph, &op_permute, 1, &x, &attributes);
}
