/* SPDX-License-Identifier: Apache-2.0 */
/* The guide "autoguidance" (Karras et al. 2024): D = D_weak + w (D_strong - D_weak), where the weak
   denoiser is a smaller or less trained model of the same data under the same condition. Both have
   the same path and prediction, so that the rule holds for the predictions. */
#include "guides/kinds.h"

struct settings {
    double scale;
};

static const struct option options[] = {
    {NUMBER_OPTION("scale", "2", -1000, 1000,
                   "w: 1 is the strong prediction, 0 the one of the weak denoiser"),
     offsetof(struct settings, scale)},
    {.name = NULL},
};

/* Sets the weak denoiser's condition to that of the call. */
static sumi_status prepare(const sumi_guide *guide, const struct guide_call *call)
{
    const struct denoising *weak = &guide->helper;
    if (!weak->predict) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "autoguidance: there is no weak denoiser to compare with; set it with "
                            "sumi_guide_set_denoiser or sumi_guide_set_session");
    }
    return weak->set_condition ? weak->set_condition(weak->user, call->condition) : SUMI_OK;
}

/* output = weak + w (output - weak) */
static void mix(double scale, int64_t count, const float *weak, float *output)
{
    for (int64_t i = 0; i < count; i++)
        output[i] = (float)(weak[i] + scale * ((double)output[i] - weak[i]));
}

static sumi_status predict(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    int64_t all = call->count * call->output_size;
    TRY(prepare(guide, call));
    TRY(guide_reserve(guide, all));
    TRY(guide_call_predict(inner, call, output));
    TRY(guide_call_predict(&guide->helper, call, guide->spare));
    mix(s->scale, all, guide->spare, output);
    return SUMI_OK;
}

static sumi_status product(void *user, const struct denoising *inner, const struct guide_call *call,
                           const float *vectors, float *output, float *products)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    int64_t all = call->count * call->output_size, items = call->count * call->item_size;
    TRY(prepare(guide, call));
    if (!guide->helper.product) {
        return context_fail(guide->context, SUMI_ERROR_UNSUPPORTED,
                            "autoguidance: the weak denoiser has no vector-Jacobian products");
    }
    TRY(guide_reserve(guide, all + items));
    TRY(guide_call_product(inner, call, vectors, output, products));
    TRY(guide_call_product(&guide->helper, call, vectors, guide->spare, guide->spare + all));
    mix(s->scale, all, guide->spare, output);
    mix(s->scale, items, guide->spare + all, products);
    return SUMI_OK;
}

const struct guide_type guide_autoguidance = {
    .name = "autoguidance",
    .paper = "Karras et al. 2024, Guiding a diffusion model with a bad version of itself",
    .evaluations = 1,
    .needs = "a weak denoiser",
    .options = options,
    .size = sizeof(struct settings),
    .predict = predict,
    .product = product,
};
