/* SPDX-License-Identifier: Apache-2.0 */
/* The least cost of nodes, computed from their shapes; the rules of single ops are with the ops. */
#include "graph/graph.h"

static double bytes_of(const struct shape *shape)
{
    return (double)shape_count(shape) * (double)sizeof(float);
}

struct cost graph_cost(const sumi_graph *graph, const struct node *node)
{
    struct cost cost = {.operations = (double)shape_count(&node->shape),
                        .bytes = bytes_of(&node->shape)};
    for (int i = 0; i < node->input_count; i++) cost.bytes += bytes_of(input_shape(graph, node, i));
    if (node->op->cost) node->op->cost(graph, node, &cost);
    return cost;
}

void cost_of_moving(const sumi_graph *graph, const struct node *node, struct cost *cost)
{
    (void)graph, (void)node;
    cost->operations = 0;
}

void cost_of_summing(const sumi_graph *graph, const struct node *node, struct cost *cost)
{
    cost->operations = (double)shape_count(input_shape(graph, node, 0));
}
