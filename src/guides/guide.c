/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of guides around a denoiser; see guide.h. */
#include "guides/guide.h"

struct guide_stack guide_stack_of(sumi_context *context, const struct denoising *core,
                                  const struct noise_path *path)
{
    return (struct guide_stack){
        .context = context, .path = path, .core = *core, .condition = core->condition};
}

sumi_status guide_call_predict(const struct denoising *denoising, const struct guide_call *call,
                               float *output)
{
    return denoising->predict(denoising->user, call->count, call->item_size, call->output_size,
                              call->x, call->times, output);
}

sumi_status guide_call_product(const struct denoising *denoising, const struct guide_call *call,
                               const float *vectors, float *output, float *products)
{
    return denoising->product(denoising->user, call->count, call->item_size, call->output_size,
                              call->x, call->times, vectors, output, products);
}

/* ---- A layer as a denoiser for the next outer one ---- */

static struct guide_call call_of(const struct guide_layer *layer, int64_t count, int64_t item_size,
                                 int64_t output_size, const float *x, const float *times)
{
    const struct guide_stack *stack = layer->stack;
    return (struct guide_call){.count = count,
                               .item_size = item_size,
                               .output_size = output_size,
                               .x = x,
                               .times = times,
                               .path = stack->path,
                               .prediction = stack->prediction,
                               .network = &stack->core,
                               .condition = layer->condition,
                               .null = stack->null};
}

/* Restores the layer's condition on the inner denoiser, also after a failure. */
static sumi_status restore_condition(const struct guide_layer *layer, sumi_status status)
{
    if (!layer->guide.sets_condition || !layer->inner.set_condition) return status;
    sumi_status restored = layer->inner.set_condition(layer->inner.user, layer->condition);
    return status == SUMI_OK ? restored : status;
}

static sumi_status predict_layer(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                 const float *x, const float *times, float *output)
{
    const struct guide_layer *layer = user;
    const struct guide_call call = call_of(layer, count, item_size, output_size, x, times);
    return restore_condition(layer,
                             layer->guide.predict(layer->guide.user, &layer->inner, &call, output));
}

static sumi_status product_layer(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                 const float *x, const float *times, const float *vectors,
                                 float *output, float *products)
{
    const struct guide_layer *layer = user;
    const struct guide_call call = call_of(layer, count, item_size, output_size, x, times);
    return restore_condition(layer, layer->guide.product(layer->guide.user, &layer->inner, &call,
                                                         vectors, output, products));
}

static sumi_status set_layer_condition(void *user, const sumi_condition *condition)
{
    struct guide_layer *layer = user;
    TRY(layer->inner.set_condition(layer->inner.user, condition));
    layer->condition = condition;
    return SUMI_OK;
}

static struct denoising denoising_of(struct guide_layer *layer)
{
    const struct denoising *inner = &layer->inner;
    return (struct denoising){.user = layer,
                              .predict = predict_layer,
                              .product =
                                  inner->product && layer->guide.product ? product_layer : NULL,
                              .set_condition = inner->set_condition ? set_layer_condition : NULL,
                              .condition = layer->condition,
                              .needs_class = inner->needs_class,
                              .item_size = inner->item_size,
                              .channels = inner->channels};
}

static struct denoising outermost(struct guide_stack *stack)
{
    return stack->count ? denoising_of(&stack->layers[stack->count - 1]) : stack->core;
}

sumi_status guide_stack_add(struct guide_stack *stack, const struct guide *guide)
{
    if (stack->count == GUIDES_MOST) {
        return context_fail(stack->context, SUMI_ERROR_ARGUMENT,
                            "a denoiser can have at most %d guides", GUIDES_MOST);
    }
    if (guide->sets_condition && !stack->core.set_condition) {
        return context_fail(stack->context, SUMI_ERROR_ARGUMENT,
                            "a guide that compares conditions needs a denoiser that takes one");
    }
    struct guide_layer layer = {
        .stack = stack, .guide = *guide, .inner = outermost(stack), .condition = stack->condition};
    stack->layers[stack->count++] = layer;
    return SUMI_OK;
}

/* ---- The whole ---- */

/* Sets the condition of all layers; after a failure, the previous one again. */
static sumi_status set_condition(void *user, const sumi_condition *condition)
{
    struct guide_stack *stack = user;
    const struct denoising whole = outermost(stack);
    sumi_status status = whole.set_condition(whole.user, condition);
    if (status == SUMI_OK) stack->condition = condition;
    else whole.set_condition(whole.user, stack->condition);
    return status;
}

static sumi_status predict(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    struct guide_stack *stack = user;
    const struct denoising whole = outermost(stack);
    return whole.predict(whole.user, count, item_size, output_size, x, times, output);
}

static sumi_status product(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, const float *vectors, float *output,
                           float *products)
{
    struct guide_stack *stack = user;
    const struct denoising whole = outermost(stack);
    return whole.product(whole.user, count, item_size, output_size, x, times, vectors, output,
                         products);
}

struct denoising guide_stack_denoising(struct guide_stack *stack)
{
    struct denoising whole = outermost(stack);
    whole.user = stack;
    whole.predict = predict;
    if (whole.product) whole.product = product;
    if (whole.set_condition) whole.set_condition = set_condition;
    whole.condition = stack->condition;
    return whole;
}

const char *guide_stack_without_product(const struct guide_stack *stack)
{
    for (int i = 0; i < stack->count; i++)
        if (!stack->layers[i].guide.product) return stack->layers[i].guide.name;
    return NULL;
}
