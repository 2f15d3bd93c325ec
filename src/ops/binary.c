/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by element-wise ops of two inputs, with numpy's broadcasting. */
#include "ops/binary.h"

#include "ops/check.h"
#include "ops/strides.h"

/* The size along an axis, counted from the last; 1 where there is no such axis. */
static int64_t size_from_end(const struct shape *shape, int from_end)
{
    return from_end < shape->rank ? shape->size[shape->rank - 1 - from_end] : 1;
}

sumi_status binary_infer(sumi_graph *graph, struct node *node)
{
    const struct shape *a = input_shape(graph, node, 0), *b = input_shape(graph, node, 1);
    node->shape.rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < node->shape.rank; i++) {
        int64_t left = size_from_end(a, i), right = size_from_end(b, i);
        if (left != right && left != 1 && right != 1) {
            return ops_pair_refuse(graph, node->op->name, a, b,
                                   "each pair of sizes must be equal or have a 1");
        }
        node->shape.size[node->shape.rank - 1 - i] = left == 1 ? right : left;
    }
    return SUMI_OK;
}

sumi_node binary_append(sumi_graph *graph, const struct op *op, sumi_node a, sumi_node b)
{
    return graph_append(graph, op, 2, (sumi_node[]){a, b}, NULL);
}

void binary_reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    int64_t stride_a[SUMI_MAX_RANK], stride_b[SUMI_MAX_RANK];
    broadcast_strides(input_shape(graph, node, 0), &node->shape, stride_a);
    broadcast_strides(input_shape(graph, node, 1), &node->shape, stride_b);
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) {
        output[i] = node->op->of_two(inputs[0][strided_offset(&node->shape, stride_a, i)],
                                     inputs[1][strided_offset(&node->shape, stride_b, i)]);
    }
}

sumi_node binary_unbroadcast(sumi_graph *graph, sumi_node node, int input, sumi_node gradient)
{
    return ops_unbroadcast(graph, gradient, input_shape(graph, graph_node(graph, node), input));
}
