/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation of a graph in double precision by the ops' reference kernels: the reference that fast
   kernels and gradients are tested against. It allocates while it runs and is slow. */
#include <string.h>

#include "graph/graph.h"

static sumi_status evaluate_weight(sumi_graph *graph, const struct node *node, double *values)
{
    const struct weight *weight = &graph->weights->items[node->weight];
    size_t count = (size_t)shape_count(&node->shape);
    float *copy = context_allocate(graph->context, count, sizeof *copy);
    if (!copy) return graph_fail_with(graph, SUMI_ERROR_MEMORY);
    sumi_status status = weight_read(graph->weights, weight, copy);
    for (size_t i = 0; i < count && status == SUMI_OK; i++) values[i] = copy[i];
    context_release(graph->context, copy);
    return status;
}

static sumi_status evaluate_leaf(sumi_graph *graph, sumi_node n, double *values)
{
    const struct node *node = graph_node(graph, n);
    const float *source = node->constant;
    if (node->op == &op_side_output) return SUMI_OK;
    if (node->op == &op_weight) return evaluate_weight(graph, node, values);
    if (!source) return graph_fail(graph, "input \"%s\" was given no values", node->name);
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) values[i] = source[i];
    return SUMI_OK;
}

static sumi_status evaluate(sumi_graph *graph, sumi_node n, double **values, bool *owned,
                            const struct run_key *key)
{
    const struct node *node = graph_node(graph, n);
    const double *inputs[MAX_INPUTS] = {0};
    for (int i = 0; i < node->input_count; i++) inputs[i] = values[node->inputs[i]];
    size_t count = (size_t)shape_count(&node->shape);
    values[n] = context_allocate_zeroed(graph->context, count, sizeof(double));
    if (!values[n]) return graph_fail_with(graph, SUMI_ERROR_MEMORY);
    owned[n] = true;
    if (!node->op->reference) return evaluate_leaf(graph, n, values[n]);
    node->op->reference(graph, node, inputs, values[n], key);
    return SUMI_OK;
}

sumi_status interpret(sumi_graph *graph, int count, const sumi_node *outputs, double **values,
                      bool *owned, const struct run_key *key)
{
    size_t size = (size_t)graph->count;
    memset(owned, 0, size * sizeof *owned);
    TRY(graph->status);
    bool *needed = context_allocate_zeroed(graph->context, size, sizeof *needed);
    if (!needed) return SUMI_ERROR_MEMORY;
    for (int i = 0; i < count; i++) needed[outputs[i]] = true;
    for (sumi_node n = graph->count - 1; n >= 0; n--) {
        const struct node *node = graph_node(graph, n);
        bool provided = values[n] != NULL;
        for (int i = 0; i < node->input_count && needed[n] && !provided; i++) {
            needed[node->inputs[i]] = true;
        }
    }
    sumi_status status = SUMI_OK;
    for (sumi_node n = 0; n < graph->count && status == SUMI_OK; n++) {
        if (needed[n] && !values[n]) status = evaluate(graph, n, values, owned, key);
    }
    context_release(graph->context, needed);
    if (status != SUMI_OK) interpret_release(graph, values, owned);
    return status;
}

void interpret_release(sumi_graph *graph, double **values, const bool *owned)
{
    for (sumi_node n = 0; n < graph->count; n++) {
        if (!owned[n]) continue;
        context_release(graph->context, values[n]);
        values[n] = NULL;
    }
}
