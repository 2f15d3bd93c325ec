/* SPDX-License-Identifier: Apache-2.0 */
/* The guide "cfg++" (Chung et al. 2024): the estimate of data is guided, n + w (c - n) with w from
   0 to 1, and the noise that a step puts back is that of the null condition,

       x' = a' x0hat(n + w (c - n)) + s' e(n)

   A step that goes from the noise level sigma to sigma' by one prediction p makes the same with

       p = n + w sigma / (sigma - sigma') (c - n)

   so the guide needs to know which levels the solver visits. For methods of higher order this holds
   for the part of each step that is of first order. */
#include <math.h>

#include "guides/kinds.h"
#include "guides/pair.h"

struct settings {
    double scale;
    struct pair pair;
};

static const struct option options[] = {
    {NUMBER_OPTION("scale", "0.6", 0, 1,
                   "w: 1 is the estimate with the condition, 0 with the null condition"),
     offsetof(struct settings, scale)},
    {.name = NULL},
};

static sumi_status check_call(const sumi_guide *guide, const struct guide_call *call)
{
    if (guide->level_count == 0) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "cfg++: the levels that the solver visits are not known; set them with "
                            "sumi_guide_follow");
    }
    if (call->condition && call->null) return SUMI_OK;
    return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                        call->condition ? "cfg++: there is no null condition to compare with"
                                        : "cfg++: there is no condition to compare with the null "
                                          "condition");
}

/* w sigma / (sigma - sigma') of a row; sigma' is the next level below, or 0. */
static double scale_of(const sumi_guide *guide, const struct guide_call *call, int64_t row)
{
    const struct settings *s = guide->settings;
    double sigma = guide_sigma(call, row), next = 0;
    for (int64_t i = 0; i < guide->level_count; i++)
        if (guide->levels[i] < sigma * (1 - 1e-5)) next = fmax(next, guide->levels[i]);
    return isinf(sigma) ? s->scale : s->scale * sigma / (sigma - next);
}

static sumi_status begin(sumi_guide *guide, const struct guide_call *call)
{
    struct settings *s = guide->settings;
    TRY(check_call(guide, call));
    TRY(pair_prepare(guide->context, call, &s->pair));
    for (int64_t i = 0; i < call->count; i++) s->pair.scales[i] = scale_of(guide, call, i);
    return SUMI_OK;
}

static sumi_status predict(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    TRY(begin(guide, call));
    return pair_compare(&s->pair, inner, call, output);
}

static sumi_status product(void *user, const struct denoising *inner, const struct guide_call *call,
                           const float *vectors, float *output, float *products)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    TRY(begin(guide, call));
    return pair_compare_product(&s->pair, inner, call, vectors, output, products);
}

static void release(sumi_context *context, void *settings)
{
    struct settings *s = settings;
    pair_release(context, &s->pair);
}

const struct guide_type guide_cfg_plus_plus = {
    .name = "cfg++",
    .paper = "Chung et al. 2024, CFG++: manifold-constrained classifier-free guidance",
    .evaluations = 1,
    .needs = "a null condition, the solver's levels",
    .options = options,
    .size = sizeof(struct settings),
    .sets_condition = true,
    .needs_null = true,
    .check = guide_check_path,
    .predict = predict,
    .product = product,
    .release = release,
};
