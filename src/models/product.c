/* SPDX-License-Identifier: Apache-2.0 */
/* Vector-Jacobian products of a model: beside the output, v^T d output / d x for a vector v of each
   item, by the graph's own differentiation. Divergences of a network's field come from these. */
#include <string.h>

#include "graph/plan.h"
#include "models/model.h"

enum { PRODUCT_LIMIT = 64 }; /* items of the plan */

void model_forget_product(sumi_model *model)
{
    sumi_plan_free(model->product.base.plan);
    sumi_graph_free(model->product.base.graph);
    model->product = (struct product){.base = {.items = 0}};
}

static sumi_status build_product(sumi_model *model, int64_t items)
{
    struct product *product = &model->product;
    struct inference *base = &product->base;
    TRY(sumi_graph_create(model->context, model->weights, false, &base->graph));
    sumi_graph *graph = base->graph;
    net_add_inputs(model->net, graph, items, NULL, &base->inputs);
    base->output = net_build(model->net, graph, &base->inputs);
    TRY(sumi_graph_status(graph));
    struct shape shape = *graph_shape(graph, base->output);
    product->vectors = sumi_graph_input(graph, "vectors", shape.rank, shape.size);
    sumi_node along = sumi_op_multiply(graph, base->output, product->vectors);
    sumi_node sum = sumi_op_sum(graph, along, (1u << shape.rank) - 1);
    TRY(sumi_graph_gradients(graph, sum, 1, &base->inputs.at[NET_X], &product->products));
    const sumi_node outputs[] = {base->output, product->products};
    TRY(sumi_plan_create(graph, 2, outputs, &base->plan));
    base->items = items;
    base->threads = model->context->threads;
    return SUMI_OK;
}

/* A plan for `count` items or as many as a plan takes; a larger one that is there will do. */
static sumi_status find_product(sumi_model *model, int64_t count)
{
    const struct inference *base = &model->product.base;
    int64_t items = count < PRODUCT_LIMIT ? count : PRODUCT_LIMIT;
    if (base->items >= items && base->threads == model->context->threads) return SUMI_OK;
    model_forget_product(model);
    sumi_status status = build_product(model, items);
    if (status != SUMI_OK) model_forget_product(model);
    return status;
}

/* Copies rows[count] into the plan's input, and the first of them again behind, so that what is
   computed there is finite. */
static void fill_rows(sumi_plan *plan, sumi_node node, int64_t count, int64_t items, int64_t size,
                      const float *rows)
{
    float *room = sumi_plan_data(plan, node);
    memcpy(room, rows, (size_t)(count * size) * sizeof *rows);
    for (int64_t i = count; i < items; i++)
        memcpy(room + i * size, rows, (size_t)size * sizeof *rows);
}

static sumi_status run_part(sumi_model *model, int64_t count, const float *x, const float *times,
                            const int32_t *labels, const float *vectors, float *output,
                            float *products)
{
    const struct product *product = &model->product;
    const struct inference *base = &product->base;
    int64_t item = model_item_size(model), out = model_output_size(model);
    fill_rows(base->plan, base->inputs.at[NET_X], count, base->items, item, x);
    fill_rows(base->plan, base->inputs.at[NET_TIMES], count, base->items, 1, times);
    fill_rows(base->plan, product->vectors, count, base->items, out, vectors);
    model_put_labels(model, base->plan, &base->inputs, count, labels);
    for (int64_t i = count; i < base->items && labels; i++) {
        int number = NET_TIMES + 1;
        net_put_integers(base->plan, base->inputs.at[number], i, 1, labels);
    }
    TRY(sumi_plan_run(base->plan, 0, 0));
    memcpy(output, sumi_plan_data(base->plan, base->output),
           (size_t)(count * out) * sizeof *output);
    memcpy(products, sumi_plan_data(base->plan, product->products),
           (size_t)(count * item) * sizeof *products);
    return SUMI_OK;
}

sumi_status model_product(sumi_model *model, int64_t count, const float *x, const float *times,
                          const int32_t *labels, const float *vectors, float *output,
                          float *products)
{
    int64_t item = model_item_size(model), out = model_output_size(model);
    TRY(model_check_size(model));
    TRY(model_check_labels(model, count, labels));
    TRY(find_product(model, count));
    for (int64_t first = 0; first < count; first += model->product.base.items) {
        int64_t rest = count - first, most = model->product.base.items;
        TRY(run_part(model, rest < most ? rest : most, x + first * item, times + first,
                     labels ? labels + first : NULL, vectors + first * out, output + first * out,
                     products + first * item));
    }
    return SUMI_OK;
}

sumi_status sumi_model_product(void *user, int64_t count, int64_t item_size, int64_t output_size,
                               const float *x, const float *times, const float *vectors,
                               float *output, float *products)
{
    sumi_model *model = user;
    int32_t *labels = NULL;
    TRY(model_check_call(model, item_size, output_size));
    TRY(model_repeat_labels(model, count, &labels));
    sumi_status status = model_product(model, count, x, times, labels, vectors, output, products);
    context_release(model->context, labels);
    return status;
}
