/* SPDX-License-Identifier: Apache-2.0 */
/* Segments of a graph: the nodes between two marks. Differentiation may keep only their results and
   recompute the rest (ops/gradients.c). */
#include <string.h>

#include "graph/graph.h"

static sumi_status grow(sumi_graph *graph)
{
    if (graph->mark_count < graph->mark_capacity) return SUMI_OK;
    int32_t capacity = graph->mark_capacity ? 2 * graph->mark_capacity : 64;
    sumi_node *marks = context_allocate(graph->context, (size_t)capacity, sizeof *marks);
    if (!marks) return graph_fail_with(graph, SUMI_ERROR_MEMORY);
    if (graph->mark_count) memcpy(marks, graph->marks, (size_t)graph->mark_count * sizeof *marks);
    context_release(graph->context, graph->marks);
    graph->marks = marks;
    graph->mark_capacity = capacity;
    return SUMI_OK;
}

void sumi_graph_mark(sumi_graph *graph)
{
    int32_t count = graph->mark_count;
    if (graph->status != SUMI_OK || (count && graph->marks[count - 1] == graph->count)) return;
    if (grow(graph) == SUMI_OK) graph->marks[graph->mark_count++] = graph->count;
}

void sumi_graph_set_recompute(sumi_graph *graph, bool recompute)
{
    graph->recompute = recompute;
}

bool graph_find_segment(const sumi_graph *graph, sumi_node n, sumi_node *first, sumi_node *end)
{
    int32_t low = 0, high = graph->mark_count; /* the first mark after n */
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (graph->marks[middle] <= n) low = middle + 1;
        else high = middle;
    }
    if (low == 0 || low == graph->mark_count) return false;
    *first = graph->marks[low - 1];
    *end = graph->marks[low];
    return true;
}
