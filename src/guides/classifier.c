/* SPDX-License-Identifier: Apache-2.0 */
/* The guide "classifier" (Dhariwal and Nichol 2021): score + w grad_x log p(y | x) at the noised
   state x, with the likelihood and its gradient from a classifier of noised items. As a change of
   the noise e = -s score this is -s w grad; e is linear in any prediction. The gradient is by the
   network's input c x. */
#include "guides/kinds.h"

struct settings {
    double scale;
};

static const struct option options[] = {
    {NUMBER_OPTION("scale", "1", -1000, 1000, "w: factor of the classifier's gradient"),
     offsetof(struct settings, scale)},
    {.name = NULL},
};

/* The change of the prediction per gradient. */
static double factor_of(const struct settings *s, const struct guide_call *call, int64_t row)
{
    struct noise_level level = path_level(call->path, call->times[row]);
    struct prediction_map map = path_map(call->path, call->prediction, &level);
    double change = -level.noise * s->scale * path_input_scale(call->path, &level);
    return map.noise_prediction != 0 ? change / map.noise_prediction : 0;
}

static sumi_status predict(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    int64_t size = call->item_size;
    if (!guide->likelihood.gradient) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "classifier: there is no classifier; set it with "
                            "sumi_guide_set_likelihood or sumi_guide_set_classifier");
    }
    TRY(guide_reserve(guide, call->count * (size + 1)));
    TRY(guide_call_predict(inner, call, output));
    TRY(guide->likelihood.gradient(guide->likelihood.user, call, guide->spare + call->count * size,
                                   guide->spare));
    int64_t channels = inner->channels ? inner->channels : size;
    int64_t width = call->output_size / (size / channels);
    for (int64_t row = 0; row < call->count; row++) {
        double factor = factor_of(s, call, row);
        for (int64_t i = 0; i < size; i++)
            output[row * call->output_size + i / channels * width + i % channels] +=
                (float)(factor * guide->spare[row * size + i]);
    }
    return SUMI_OK;
}

const struct guide_type guide_classifier = {
    .name = "classifier",
    .paper = "Dhariwal, Nichol 2021, Diffusion models beat GANs on image synthesis",
    .needs = "a classifier of noised items",
    .options = options,
    .size = sizeof(struct settings),
    .check = guide_check_path,
    .predict = predict,
};
