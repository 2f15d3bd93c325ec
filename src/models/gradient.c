/* SPDX-License-Identifier: Apache-2.0 */
/* The loss mean(output^2) of one evaluation, and its gradients: for comparing a network with
   another implementation. */
#include <string.h>

#include "models/session.h"

/* A graph of the loss and its gradients. outputs[0] is the prediction; outputs[1 + k] is the
   gradient of the weight numbers[k]. */
struct descent {
    sumi_graph *graph;
    sumi_plan *plan;
    struct net_nodes inputs;
    int count; /* of weights */
    sumi_node *leaves, *outputs;
    int64_t *numbers;
};

static void release_descent(sumi_context *context, struct descent *descent)
{
    sumi_plan_free(descent->plan);
    sumi_graph_free(descent->graph);
    context_release(context, descent->leaves);
    context_release(context, descent->outputs);
    context_release(context, descent->numbers);
}

/* Collects the leaves of the weights whose gradients are requested. */
static sumi_status collect_leaves(sumi_session *session, float *const *gradients,
                                  struct descent *descent)
{
    sumi_context *context = session->context;
    size_t size = (size_t)session->model->weights->count + 1;
    descent->leaves = context_allocate(context, size, sizeof *descent->leaves);
    descent->outputs = context_allocate(context, size, sizeof *descent->outputs);
    descent->numbers = context_allocate(context, size, sizeof *descent->numbers);
    if (!descent->leaves || !descent->outputs || !descent->numbers) return SUMI_ERROR_MEMORY;
    for (sumi_node n = 0; n < descent->graph->count && gradients; n++) {
        const struct node *node = graph_node(descent->graph, n);
        if (node->op != &op_weight || !gradients[node->weight]) continue;
        descent->leaves[descent->count] = n;
        descent->numbers[descent->count++] = node->weight;
    }
    return SUMI_OK;
}

static sumi_status build_descent(sumi_session *session, int64_t items, float *const *gradients,
                                 struct descent *descent)
{
    const sumi_model *model = session->model;
    const struct signature signature = session_signature(session, PLAN_PREDICTION, items);
    TRY(sumi_graph_create(session->context, model->weights, false, &descent->graph));
    sumi_graph *graph = descent->graph;
    graph->bfloat16 = session->precision == PRECISION_BF16;
    net_add_inputs(model->net, graph, items, signature.shapes, &descent->inputs);
    sumi_node output = net_build(model->net, graph, &descent->inputs);
    TRY(sumi_graph_status(graph));
    TRY(collect_leaves(session, gradients, descent));
    unsigned every_axis = (1U << graph_shape(graph, output)->rank) - 1;
    sumi_node loss = sumi_op_mean(graph, sumi_op_multiply(graph, output, output), every_axis);
    descent->outputs[0] = output;
    if (descent->count) {
        TRY(sumi_graph_gradients(graph, loss, descent->count, descent->leaves,
                                 descent->outputs + 1));
    }
    return sumi_plan_create(graph, 1 + descent->count, descent->outputs, &descent->plan);
}

static double mean_square(const float *values, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)values[i] * values[i];
    return sum / (double)count;
}

static void copy_results(const sumi_model *model, const struct descent *descent,
                         int64_t output_count, double *loss, float *const *gradients)
{
    if (loss) *loss = mean_square(sumi_plan_data(descent->plan, descent->outputs[0]), output_count);
    for (int k = 0; k < descent->count; k++) {
        int64_t number = descent->numbers[k];
        size_t count = (size_t)shape_count(&model->weights->items[number].shape);
        memcpy(gradients[number], sumi_plan_data(descent->plan, descent->outputs[k + 1]),
               count * sizeof(float));
    }
}

sumi_status sumi_session_gradient(sumi_session *session, int64_t count, const float *x,
                                  const float *times, double *loss, float *const *gradients)
{
    struct descent descent = {.count = 0};
    TRY(session_check_call(session, count));
    sumi_status status = build_descent(session, count, gradients, &descent);
    if (status == SUMI_OK) {
        session_fill(session, descent.plan, &descent.inputs, count, 0, count, x, times);
        status = sumi_plan_run(descent.plan, 0, 0);
    }
    if (status == SUMI_OK) {
        copy_results(session->model, &descent, count * model_output_size(session->model), loss,
                     gradients);
    }
    release_descent(session->context, &descent);
    return status;
}
