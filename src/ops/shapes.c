/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of shape that every gradient rule needs; see ops.h. */
#include "ops/ops.h"

sumi_node ops_reshape(sumi_graph *graph, sumi_node x, const struct shape *shape)
{
    struct shape copy = *shape; /* may point into the node array, which may move */
    return sumi_op_reshape(graph, x, copy.rank, copy.size);
}

sumi_node ops_broadcast(sumi_graph *graph, sumi_node x, const struct shape *shape)
{
    struct shape copy = *shape;
    return sumi_op_broadcast(graph, x, copy.rank, copy.size);
}

sumi_node ops_filled(sumi_graph *graph, const struct shape *shape, double value)
{
    struct shape copy = *shape;
    return ops_broadcast(graph, sumi_graph_number(graph, value), &copy);
}

sumi_node ops_unbroadcast(sumi_graph *graph, sumi_node x, const struct shape *shape)
{
    struct shape target = *shape;
    if (x < 0 || shape_equal(graph_shape(graph, x), &target)) return x;
    struct shape full = *graph_shape(graph, x);
    int added = full.rank - target.rank;
    unsigned axes = 0;
    for (int i = 0; i < full.rank; i++) {
        bool widened = i < added || (target.size[i - added] == 1 && full.size[i] != 1);
        if (widened) axes |= 1u << i;
    }
    return ops_reshape(graph, sumi_op_sum(graph, x, axes), &target);
}

sumi_node ops_row_of_sums(sumi_graph *graph, sumi_node sums, int64_t row,
                          const struct shape *parameter)
{
    if (sums < 0) return -1;
    struct shape each = *graph_shape(graph, sums);
    each = (struct shape){2, {each.size[1], each.size[2]}};
    sumi_node rows = ops_window(graph, sums, row * shape_count(&each), &each);
    if (parameter->rank == 1) rows = sumi_op_sum(graph, rows, 1u << 0);
    return ops_reshape(graph, rows, parameter);
}
