/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by element-wise ops of one input. */
#include "ops/unary.h"

sumi_status unary_infer(sumi_graph *graph, struct node *node)
{
    node->shape = *input_shape(graph, node, 0);
    return SUMI_OK;
}

sumi_node unary_append(sumi_graph *graph, const struct op *op, sumi_node x)
{
    return graph_append(graph, op, 1, &x, NULL);
}

void unary_reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                     double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) output[i] = node->op->of_one(inputs[0][i]);
}
