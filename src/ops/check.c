/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that the builders of ops share, with their messages. */
#include "ops/check.h"

bool ops_node_known(sumi_graph *graph, const char *name, sumi_node node)
{
    if (graph->status != SUMI_OK) return false;
    if (node >= 0 && node < graph->count) return true;
    graph_fail(graph, "%s: an input is not a node of this graph", name);
    return false;
}

bool ops_shape_given(sumi_graph *graph, const char *name, int rank, const int64_t *size,
                     struct shape *shape)
{
    if (graph->status != SUMI_OK) return false;
    if (rank < 0 || rank > SUMI_MAX_RANK) {
        graph_fail(graph, "%s: a shape has 0 to %d dimensions, not %d", name, SUMI_MAX_RANK, rank);
        return false;
    }
    *shape = (struct shape){.rank = rank};
    int64_t count = 1;
    for (int i = 0; i < rank; i++) {
        if (size[i] < 1 || size[i] > ELEMENT_LIMIT / count) {
            graph_fail(graph, "%s: dimension %d cannot be %lld", name, i, (long long)size[i]);
            return false;
        }
        count *= size[i];
        shape->size[i] = size[i];
    }
    return true;
}

sumi_status ops_rank_expect(sumi_graph *graph, const struct node *node, int input, const char *role,
                            int rank)
{
    const struct shape *shape = input_shape(graph, node, input);
    if (shape->rank == rank) return SUMI_OK;
    char text[SHAPE_TEXT];
    return graph_fail(graph, "%s: %s cannot be of shape %s", node->op->name, role,
                      shape_text(shape, text));
}

sumi_status ops_pair_refuse(sumi_graph *graph, const char *name, const struct shape *left,
                            const struct shape *right, const char *why)
{
    char left_text[SHAPE_TEXT], right_text[SHAPE_TEXT];
    return graph_fail(graph, "%s: %s and %s do not fit: %s", name, shape_text(left, left_text),
                      shape_text(right, right_text), why);
}

sumi_status ops_axis_expect(sumi_graph *graph, const char *name, int axis,
                            const struct shape *shape)
{
    if (axis >= 0 && axis < shape->rank) return SUMI_OK;
    char text[SHAPE_TEXT];
    return graph_fail(graph, "%s: %s has no axis %d", name, shape_text(shape, text), axis);
}
