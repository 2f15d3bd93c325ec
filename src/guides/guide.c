/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of guides around a denoiser; see guide.h. */
#include "guides/guide.h"

sumi_status guide_stack_open(sumi_context *context, const struct denoising *core,
                             const struct noise_path *path, struct guide_stack *stack)
{
    *stack = (struct guide_stack){.context = context, .path = path, .core = *core};
    return condition_copy(context, core->condition, &stack->condition);
}

void guide_stack_close(struct guide_stack *stack)
{
    sumi_condition_free(stack->condition);
    stack->condition = NULL;
    stack->count = 0;
}

/* A layer as a denoiser for the next outer one. */
static sumi_status predict_layer(void *user, int64_t count, int64_t item_size, int64_t output_size,
                                 const float *x, const float *times, float *output)
{
    const struct guide_layer *layer = user;
    const struct guide_stack *stack = layer->stack;
    struct guide_call call = {.count = count,
                              .item_size = item_size,
                              .output_size = output_size,
                              .x = x,
                              .times = times,
                              .condition = stack->condition};
    if (stack->path) call.level = path_level(stack->path, times[0]);
    sumi_status status = layer->guide.predict(layer->guide.user, &layer->inner, &call, output);
    if (!layer->guide.sets_condition || !layer->inner.set_condition) return status;
    sumi_status restored = layer->inner.set_condition(layer->inner.user, stack->condition);
    return status == SUMI_OK ? restored : status;
}

static sumi_status set_inner_condition(void *user, const sumi_condition *condition)
{
    const struct guide_layer *layer = user;
    return layer->inner.set_condition(layer->inner.user, condition);
}

static struct denoising denoising_of(struct guide_layer *layer)
{
    return (struct denoising){.user = layer,
                              .predict = predict_layer,
                              .set_condition =
                                  layer->inner.set_condition ? set_inner_condition : NULL,
                              .condition = layer->inner.condition,
                              .needs_class = layer->inner.needs_class};
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
    struct guide_layer layer = {.stack = stack, .guide = *guide, .inner = outermost(stack)};
    stack->layers[stack->count++] = layer;
    return SUMI_OK;
}

/* ---- The whole ---- */

static sumi_status set_condition(void *user, const sumi_condition *condition)
{
    struct guide_stack *stack = user;
    sumi_condition *copy = NULL;
    TRY(stack->core.set_condition(stack->core.user, condition));
    TRY(condition_copy(stack->context, condition, &copy));
    sumi_condition_free(stack->condition);
    stack->condition = copy;
    return SUMI_OK;
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
    const struct guide_stack *stack = user;
    return stack->core.product(stack->core.user, count, item_size, output_size, x, times, vectors,
                               output, products);
}

struct denoising guide_stack_denoising(struct guide_stack *stack)
{
    bool plain = stack->count == 0 && stack->core.product;
    return (struct denoising){.user = stack,
                              .predict = predict,
                              .product = plain ? product : NULL,
                              .set_condition = stack->core.set_condition ? set_condition : NULL,
                              .condition = stack->condition,
                              .needs_class = stack->core.needs_class};
}
