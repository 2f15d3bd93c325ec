/* SPDX-License-Identifier: Apache-2.0 */
/* Building graphs: appending nodes and recording the first failure. */
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

sumi_status sumi_graph_create(sumi_context *context, sumi_weights *weights, bool training,
                              sumi_graph **graph)
{
    *graph = context_allocate_zeroed(context, 1, sizeof **graph);
    if (!*graph) return SUMI_ERROR_MEMORY;
    (*graph)->context = context;
    (*graph)->weights = weights;
    (*graph)->training = training;
    return SUMI_OK;
}

void sumi_graph_free(sumi_graph *graph)
{
    if (!graph) return;
    for (int32_t i = 0; i < graph->count; i++) {
        context_release(graph->context, graph->nodes[i].constant);
        context_release(graph->context, graph->nodes[i].name);
    }
    context_release(graph->context, graph->nodes);
    context_release(graph->context, graph->marks);
    context_release(graph->context, graph);
}

sumi_status sumi_graph_status(const sumi_graph *graph)
{
    return graph->status;
}

int sumi_graph_shape(const sumi_graph *graph, sumi_node node, int64_t shape[SUMI_MAX_RANK])
{
    if (node < 0 || node >= graph->count) return -1;
    const struct shape *known = graph_shape(graph, node);
    for (int i = 0; i < known->rank; i++) shape[i] = known->size[i];
    return known->rank;
}

sumi_status graph_fail_with(sumi_graph *graph, sumi_status status)
{
    if (graph->status == SUMI_OK) graph->status = status;
    return graph->status;
}

sumi_status graph_fail(sumi_graph *graph, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (graph->status == SUMI_OK) {
        context_fail(graph->context, SUMI_ERROR_ARGUMENT, "%s", text);
    }
    return graph_fail_with(graph, SUMI_ERROR_ARGUMENT);
}

static sumi_status grow(sumi_graph *graph)
{
    if (graph->count < graph->capacity) return SUMI_OK;
    int32_t capacity = graph->capacity ? 2 * graph->capacity : 256;
    struct node *nodes = context_allocate(graph->context, (size_t)capacity, sizeof *nodes);
    if (!nodes) return graph_fail_with(graph, SUMI_ERROR_MEMORY);
    if (graph->count) memcpy(nodes, graph->nodes, (size_t)graph->count * sizeof *nodes);
    context_release(graph->context, graph->nodes);
    graph->nodes = nodes;
    graph->capacity = capacity;
    return SUMI_OK;
}

static sumi_status check_shape(sumi_graph *graph, const struct node *node)
{
    int64_t count = 1;
    for (int i = 0; i < node->shape.rank; i++) {
        int64_t size = node->shape.size[i];
        if (size < 1 || size > ELEMENT_LIMIT / count) {
            char text[SHAPE_TEXT];
            return graph_fail(graph, "%s: a result of shape %s is not possible", node->op->name,
                              shape_text(&node->shape, text));
        }
        count *= size;
    }
    return SUMI_OK;
}

/* Checks element types: a view has its input's; computed nodes are float32, from floating-point
   inputs and, where the op accepts them, integers. */
static sumi_status check_elements(sumi_graph *graph, struct node *node)
{
    const struct op *op = node->op;
    if (op->view) {
        node->element = graph->nodes[node->inputs[0]].element;
        return SUMI_OK;
    }
    for (int i = 0; i < node->input_count; i++) {
        bool integers = graph->nodes[node->inputs[i]].element == SUMI_INT32;
        if (!integers || op->integer_inputs >> i & 1u) continue;
        return graph_fail(graph, "%s: input %d has int32 elements, but must be float32", op->name,
                          i);
    }
    return SUMI_OK;
}

sumi_node graph_append(sumi_graph *graph, const struct op *op, int input_count,
                       const sumi_node *inputs, const struct attributes *attributes)
{
    if (graph->status != SUMI_OK) return -1;
    struct node node = {.op = op, .weight = -1};
    if (attributes) node.attributes = *attributes;
    while (input_count > op->min_inputs && inputs[input_count - 1] == -1) input_count--;
    if (input_count < op->min_inputs || input_count > op->max_inputs) {
        graph_fail(graph, "%s: takes %d to %d inputs, not %d", op->name, op->min_inputs,
                   op->max_inputs, input_count);
        return -1;
    }
    for (int i = 0; i < input_count; i++) {
        if (inputs[i] < 0 || inputs[i] >= graph->count) {
            graph_fail(graph, "%s: input %d is not a node of this graph", op->name, i);
            return -1;
        }
        node.inputs[i] = inputs[i];
    }
    node.input_count = input_count;
    if (check_elements(graph, &node) != SUMI_OK) return -1;
    if (op->infer && op->infer(graph, &node) != SUMI_OK) return -1;
    if (check_shape(graph, &node) != SUMI_OK || grow(graph) != SUMI_OK) return -1;
    graph->nodes[graph->count] = node;
    return graph->count++;
}
