/* SPDX-License-Identifier: Apache-2.0 */
/* Sum over chosen axes, which stay with size 1; and the mean, composed from it. Its transpose is
   broadcast. */
#include "ops/check.h"
#include "ops/ops.h"
#include "ops/strides.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    unsigned axes = node->attributes.sum.axes;
    for (int i = 0; i < 32; i++) {
        if (axes >> i & 1) TRY(ops_axis_expect(graph, "sum", i, x));
    }
    node->shape = *x;
    for (int i = 0; i < x->rank; i++) {
        if (axes >> i & 1) node->shape.size[i] = 1;
    }
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    const struct shape *x = input_shape(graph, node, 0);
    int64_t stride[SUMI_MAX_RANK];
    broadcast_strides(&node->shape, x, stride);
    int64_t count = shape_count(&node->shape), terms = shape_count(x);
    for (int64_t i = 0; i < count; i++) output[i] = 0;
    for (int64_t i = 0; i < terms; i++) output[strided_offset(x, stride, i)] += inputs[0][i];
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    const struct shape *x = input_shape(graph, graph_node(graph, node), 0);
    gradients[0] = ops_broadcast(graph, upstream, x);
}

const struct op op_sum = {.name = "sum",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .infer = infer,
                          .gradient = gradient,
                          .reference = reference,
                          .cost = cost_of_summing,
                          .storage = STORAGE_FLOAT32};

sumi_node sumi_op_sum(sumi_graph *graph, sumi_node x, unsigned axes)
{
    struct attributes attributes = {.sum.axes = axes};
    if (!axes) return x;
    return graph_append(graph, &op_sum, 1, &x, &attributes);
}

sumi_node sumi_op_mean(sumi_graph *graph, sumi_node x, unsigned axes)
{
    sumi_node sum = sumi_op_sum(graph, x, axes);
    if (sum < 0) return -1;
    int64_t terms = shape_count(graph_shape(graph, x)) / shape_count(graph_shape(graph, sum));
    return sumi_op_affine(graph, sum, 1 / (double)terms, 0);
}
