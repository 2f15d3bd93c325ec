/* SPDX-License-Identifier: Apache-2.0 */
/* The guide "negative": n + w (c - n) as in classifier-free guidance (Ho and Salimans 2022), where
   n is the prediction under a condition of the guide's own, such as a class or a prompt that
   samples should not look like. With w between 0 and 1 it interpolates between the two conditions.
 */
#include "guides/kinds.h"
#include "guides/pair.h"

struct settings {
    double scale;
    struct pair pair;
};

static const struct option options[] = {
    {NUMBER_OPTION("scale", "3", -1000, 1000,
                   "w: 1 is the prediction with the condition, 0 with the negative one"),
     offsetof(struct settings, scale)},
    {.name = NULL},
};

/* The call with the guide's condition in place of the null condition. */
static sumi_status begin(sumi_guide *guide, struct guide_call *call)
{
    struct settings *s = guide->settings;
    call->null = guide->condition;
    if (!call->null || !call->condition) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            call->null ? "negative: there is no condition to compare with the "
                                         "negative one"
                                       : "negative: there is no negative condition; set it with "
                                         "sumi_guide_set_condition");
    }
    TRY(pair_prepare(guide->context, call, &s->pair));
    for (int64_t i = 0; i < call->count; i++) s->pair.scales[i] = s->scale;
    return SUMI_OK;
}

static sumi_status predict(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    struct guide_call both = *call;
    TRY(begin(guide, &both));
    return pair_compare(&s->pair, inner, &both, output);
}

static sumi_status product(void *user, const struct denoising *inner, const struct guide_call *call,
                           const float *vectors, float *output, float *products)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    struct guide_call both = *call;
    TRY(begin(guide, &both));
    return pair_compare_product(&s->pair, inner, &both, vectors, output, products);
}

static void release(sumi_context *context, void *settings)
{
    struct settings *s = settings;
    pair_release(context, &s->pair);
}

const struct guide_type guide_negative = {
    .name = "negative",
    .paper = "Ho, Salimans 2022, with a condition to keep away from",
    .needs = "a negative condition",
    .evaluations = 1,
    .options = options,
    .size = sizeof(struct settings),
    .sets_condition = true,
    .predict = predict,
    .product = product,
    .release = release,
};
