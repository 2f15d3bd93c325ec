/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves of a graph: inputs filled before a run, constants, weights, and side outputs. */
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"

const struct op op_input = {.name = "input"};
const struct op op_constant = {.name = "constant"};
const struct op op_weight = {.name = "weight"};
const struct op op_side_output = {.name = "side_output"};

/* Appends a leaf with the given shape, which it checks; -1 on failure. */
static sumi_node append_leaf(sumi_graph *graph, const struct op *op, int rank, const int64_t *size)
{
    if (graph->status != SUMI_OK) return -1;
    if (rank < 0 || rank > SUMI_MAX_RANK) {
        graph_fail(graph, "%s: has 0 to %d dimensions, not %d", op->name, SUMI_MAX_RANK, rank);
        return -1;
    }
    int64_t count = 1;
    for (int i = 0; i < rank; i++) {
        if (size[i] < 1 || size[i] > ELEMENT_LIMIT / count) {
            graph_fail(graph, "%s: dimension %d cannot be %lld", op->name, i, (long long)size[i]);
            return -1;
        }
        count *= size[i];
    }
    sumi_node leaf = graph_append(graph, op, 0, NULL, NULL);
    if (leaf < 0) return -1;
    struct node *node = &graph->nodes[leaf];
    node->shape.rank = rank;
    for (int i = 0; i < rank; i++) node->shape.size[i] = size[i];
    return leaf;
}

sumi_node sumi_graph_input(sumi_graph *graph, const char *name, int rank, const int64_t *shape)
{
    return sumi_graph_typed_input(graph, name, SUMI_FLOAT32, rank, shape);
}

sumi_node sumi_graph_typed_input(sumi_graph *graph, const char *name, sumi_element element,
                                 int rank, const int64_t *shape)
{
    if (graph->status == SUMI_OK && element != SUMI_FLOAT32 && element != SUMI_INT32) {
        graph_fail(graph, "input \"%s\": elements are float32 or int32, not %s", name,
                   element_name(element));
    }
    sumi_node leaf = append_leaf(graph, &op_input, rank, shape);
    if (leaf < 0) return -1;
    graph->nodes[leaf].element = element;
    graph->nodes[leaf].name = context_copy_text(graph->context, name);
    if (!graph->nodes[leaf].name) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return -1;
    }
    return leaf;
}

sumi_node sumi_graph_constant(sumi_graph *graph, int rank, const int64_t *shape,
                              const float *values)
{
    sumi_node leaf = append_leaf(graph, &op_constant, rank, shape);
    if (leaf < 0) return -1;
    size_t count = (size_t)shape_count(graph_shape(graph, leaf));
    float *copy = context_allocate(graph->context, count, sizeof *copy);
    if (!copy) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return -1;
    }
    memcpy(copy, values, count * sizeof *copy);
    graph->nodes[leaf].constant = copy;
    return leaf;
}

sumi_node sumi_graph_number(sumi_graph *graph, double value)
{
    float number = (float)value;
    return sumi_graph_constant(graph, 0, NULL, &number);
}

/* The index of the weight `name`, which is created if it is new; -1 on failure. */
static int64_t find_or_add(sumi_graph *graph, const char *name, const struct shape *shape,
                           const struct weight_start *start)
{
    if (!graph->weights) {
        graph_fail(graph, "weight \"%s\": this graph was made without weights", name);
        return -1;
    }
    int64_t number = weights_find(graph->weights, name);
    if (number >= 0) {
        const struct shape *known = &graph->weights->items[number].shape;
        if (shape_equal(known, shape)) return number;
        char have[SHAPE_TEXT], want[SHAPE_TEXT];
        graph_fail(graph, "weight \"%s\": the network needs shape %s, but it has %s", name,
                   shape_text(shape, want), shape_text(known, have));
        return -1;
    }
    sumi_status status = weights_add(graph->weights, name, shape, start, &number);
    if (status == SUMI_OK) return number;
    graph_fail_with(graph, status);
    return -1;
}

/* The first leaf of weight `number`. */
static sumi_node first_leaf(const sumi_graph *graph, int64_t number)
{
    sumi_node leaf = 0;
    while (graph->nodes[leaf].op != &op_weight || graph->nodes[leaf].weight != number) leaf++;
    return leaf;
}

static sumi_node append_weight(sumi_graph *graph, const char *name, int rank, const int64_t *shape,
                               const struct weight_start *start)
{
    enum { LONGEST = 512 };
    char whole[LONGEST];
    sumi_node leaf = append_leaf(graph, &op_weight, rank, shape);
    if (leaf < 0) return -1;
    const char *prefix = graph->prefix ? graph->prefix : "";
    if (snprintf(whole, sizeof whole, "%s%s", prefix, name) >= LONGEST) {
        graph_fail(graph, "the weight name %.60s... is too long", name);
        return -1;
    }
    struct shape wanted = *graph_shape(graph, leaf);
    int64_t number = find_or_add(graph, whole, &wanted, start);
    if (number < 0) return -1;
    graph->nodes[leaf].weight = number;
    sumi_node first = first_leaf(graph, number);
    if (first < leaf) graph->count--; /* a weight used twice is one leaf with one gradient */
    return first;
}

sumi_node sumi_graph_weight(sumi_graph *graph, const char *name, int rank, const int64_t *shape,
                            sumi_start start, double scale)
{
    return append_weight(graph, name, rank, shape, &(struct weight_start){start, scale, NULL});
}

sumi_node graph_table(sumi_graph *graph, const char *name, int rank, const int64_t *shape,
                      const float *values)
{
    return append_weight(graph, name, rank, shape,
                         &(struct weight_start){SUMI_START_FIXED, 0, values});
}
