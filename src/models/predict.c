/* SPDX-License-Identifier: Apache-2.0 */
/* Running a model: evaluations by plans that are kept for the next call of the same size, and the
   loss and gradients of one evaluation. */
#include <string.h>

#include "graph/plan.h"
#include "models/model.h"

enum { BATCH_LIMIT = 64 };                              /* items of one plan */
static const int64_t BATCH_MEMORY = (int64_t)512 << 20; /* bytes that one plan should stay below */

static void release_inference(struct inference *inference)
{
    sumi_plan_free(inference->plan);
    sumi_graph_free(inference->graph);
    *inference = (struct inference){.items = 0};
}

void model_forget_plans(sumi_model *model)
{
    for (int i = 0; i < MODEL_PLANS; i++) release_inference(&model->inferences[i]);
    model_forget_product(model);
}

sumi_status sumi_model_set_precision(sumi_model *model, const char *precision)
{
    bool bf16;
    TRY(precision_read(model->context, precision, &bf16));
    if (bf16 != model->bfloat16) model_forget_plans(model);
    model->bfloat16 = bf16;
    model->item_memory = 0;
    return SUMI_OK;
}

/* ---- Plans ---- */

static sumi_status build_inference(sumi_model *model, int64_t items, struct inference *inference)
{
    sumi_context *context = model->context;
    TRY(sumi_graph_create(context, model->weights, false, &inference->graph));
    inference->graph->constant_weights = true;
    inference->graph->bfloat16 = model->bfloat16;
    net_add_inputs(model->net, inference->graph, items, NULL, &inference->inputs);
    inference->output = net_build(model->net, inference->graph, &inference->inputs);
    TRY(sumi_plan_create(inference->graph, 1, &inference->output, &inference->plan));
    inference->items = items;
    inference->threads = context->threads;
    return SUMI_OK;
}

/* A plan for that many items: one of those kept, or a new one in the place of the least used. */
static sumi_status find_inference(sumi_model *model, int64_t items, struct inference **found)
{
    struct inference *oldest = &model->inferences[0];
    model->uses++;
    for (int i = 0; i < MODEL_PLANS; i++) {
        struct inference *inference = &model->inferences[i];
        if (inference->items == items && inference->threads == model->context->threads) {
            inference->last_used = model->uses;
            *found = inference;
            return SUMI_OK;
        }
        if (inference->last_used < oldest->last_used) oldest = inference;
    }
    release_inference(oldest);
    sumi_status status = build_inference(model, items, oldest);
    if (status != SUMI_OK) release_inference(oldest);
    else oldest->last_used = model->uses;
    *found = oldest;
    return status;
}

/* How many of `count` items to evaluate at once: equal parts that fit the limits. */
static sumi_status choose_batch(sumi_model *model, int64_t count, int64_t *batch)
{
    if (count > 1 && model->item_memory == 0) {
        struct inference *single = NULL;
        TRY(find_inference(model, 1, &single));
        model->item_memory = (int64_t)plan_memory(single->plan) + 1;
    }
    int64_t most = model->item_memory ? BATCH_MEMORY / model->item_memory : 1;
    if (most > BATCH_LIMIT) most = BATCH_LIMIT;
    if (most < 1) most = 1;
    int64_t parts = (count + most - 1) / most;
    *batch = (count + parts - 1) / parts;
    return SUMI_OK;
}

/* ---- Evaluation ---- */

/* Copies a batch into the plan's inputs. */
static void fill_inputs(const sumi_model *model, sumi_plan *plan, const struct net_nodes *inputs,
                        int64_t items, const float *x, const float *times, const int32_t *labels)
{
    size_t values = (size_t)(items * model_item_size(model));
    memcpy(sumi_plan_data(plan, inputs->at[NET_X]), x, values * sizeof *x);
    memcpy(sumi_plan_data(plan, inputs->at[NET_TIMES]), times, (size_t)items * sizeof *times);
    model_put_labels(model, plan, inputs, items, labels);
}

static sumi_status check_call(const sumi_model *model, int64_t count, const int32_t *labels)
{
    TRY(model_check_size(model));
    if (count < 1) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "a model is evaluated for at least 1 item, not %lld", (long long)count);
    }
    return model_check_labels(model, count, labels);
}

sumi_status sumi_model_predict(sumi_model *model, int64_t count, const float *x, const float *times,
                               const int32_t *labels, float *output)
{
    int64_t item_size = model_item_size(model), batch = 0;
    TRY(check_call(model, count, labels));
    int64_t output_size = model_output_size(model);
    TRY(choose_batch(model, count, &batch));
    for (int64_t first = 0; first < count; first += batch) {
        int64_t items = count - first < batch ? count - first : batch;
        struct inference *inference = NULL;
        TRY(find_inference(model, items, &inference));
        fill_inputs(model, inference->plan, &inference->inputs, items, x + first * item_size,
                    times + first, labels ? labels + first : NULL);
        TRY(sumi_plan_run(inference->plan, 0, 0));
        memcpy(output + first * output_size, sumi_plan_data(inference->plan, inference->output),
               (size_t)(items * output_size) * sizeof *output);
    }
    return SUMI_OK;
}

/* ---- Loss and gradients ---- */

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

/* Notes the leaves of the weights whose gradients are wanted. */
static sumi_status collect_leaves(const sumi_model *model, float *const *gradients,
                                  struct descent *descent)
{
    size_t room = (size_t)model->weights->count + 1;
    descent->leaves = context_allocate(model->context, room, sizeof *descent->leaves);
    descent->outputs = context_allocate(model->context, room, sizeof *descent->outputs);
    descent->numbers = context_allocate(model->context, room, sizeof *descent->numbers);
    if (!descent->leaves || !descent->outputs || !descent->numbers) return SUMI_ERROR_MEMORY;
    for (sumi_node n = 0; n < descent->graph->count && gradients; n++) {
        const struct node *node = graph_node(descent->graph, n);
        if (node->op != &op_weight || !gradients[node->weight]) continue;
        descent->leaves[descent->count] = n;
        descent->numbers[descent->count++] = node->weight;
    }
    return SUMI_OK;
}

static sumi_status build_descent(sumi_model *model, int64_t items, float *const *gradients,
                                 struct descent *descent)
{
    TRY(sumi_graph_create(model->context, model->weights, false, &descent->graph));
    sumi_graph *graph = descent->graph;
    graph->bfloat16 = model->bfloat16;
    net_add_inputs(model->net, graph, items, NULL, &descent->inputs);
    sumi_node output = net_build(model->net, graph, &descent->inputs);
    TRY(sumi_graph_status(graph));
    TRY(collect_leaves(model, gradients, descent));
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

sumi_status sumi_model_gradient(sumi_model *model, int64_t count, const float *x,
                                const float *times, const int32_t *labels, double *loss,
                                float *const *gradients)
{
    struct descent descent = {.count = 0};
    TRY(check_call(model, count, labels));
    sumi_status status = build_descent(model, count, gradients, &descent);
    if (status == SUMI_OK) {
        fill_inputs(model, descent.plan, &descent.inputs, count, x, times, labels);
        status = sumi_plan_run(descent.plan, 0, 0);
    }
    if (status == SUMI_OK) {
        copy_results(model, &descent, count * model_output_size(model), loss, gradients);
    }
    release_descent(model->context, &descent);
    return status;
}
