/* SPDX-License-Identifier: Apache-2.0 */
/* The guide "rescale" (Lin et al. 2023, section 3.4): from the prediction c of the network and g of
   the guides that were added before

       z = (phi std(c) / std(g) + 1 - phi) g

   with the deviations over the numbers of an item's prediction, divisor N - 1. combine.h has the
   rule. */
#include <string.h>

#include "guides/combine.h"
#include "guides/kinds.h"

struct settings {
    double phi;
};

static const struct option options[] = {
    {NUMBER_OPTION("phi", "0.7", 0, 1,
                   "share of the prediction that is rescaled to the network's deviation"),
     offsetof(struct settings, phi)},
    {.name = NULL},
};

static sumi_status check(const sumi_guide *guide, const struct guide_layer *layer)
{
    if (layer->inner.item_size != 1) return SUMI_OK;
    return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                        "rescale needs items of two numbers or more; a single one has no standard "
                        "deviation");
}

static sumi_status predict(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    const struct denoising *network = call->network;
    int64_t size = call->output_size;
    const struct combination rule = combination_of(inner, call, s->phi);
    TRY(guide_reserve(guide, call->count * size));
    TRY(guide_call_predict(network, call, guide->spare));
    TRY(guide_call_predict(inner, call, output));
    for (int64_t i = 0; i < call->count; i++)
        combine_rescale(&rule, guide->spare + i * size, output + i * size);
    return SUMI_OK;
}

/* v^T dz = (v at g)^T dg + (v at c)^T dc. */
static sumi_status product(void *user, const struct denoising *inner, const struct guide_call *call,
                           const float *vectors, float *output, float *products)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    const struct denoising *network = call->network;
    int64_t size = call->output_size, item = call->item_size, all = call->count * size;
    const struct combination rule = combination_of(inner, call, s->phi);
    TRY(guide_reserve(guide, 3 * all + call->count * item));
    float *condition = guide->spare, *of_guided = condition + all, *of_condition = of_guided + all;
    float *more = of_condition + all;
    TRY(guide_call_predict(network, call, condition));
    TRY(guide_call_predict(inner, call, output));
    memcpy(of_guided, vectors, (size_t)all * sizeof *vectors);
    memset(of_condition, 0, (size_t)all * sizeof *of_condition);
    for (int64_t i = 0; i < call->count; i++)
        combine_pull_rescale(&rule, condition + i * size, output + i * size, of_guided + i * size,
                             of_condition + i * size);
    TRY(guide_call_product(network, call, of_condition, condition, more));
    TRY(guide_call_product(inner, call, of_guided, output, products));
    for (int64_t i = 0; i < call->count; i++)
        combine_rescale(&rule, condition + i * size, output + i * size);
    for (int64_t i = 0; i < call->count * item; i++) products[i] += more[i];
    return SUMI_OK;
}

const struct guide_type guide_rescale = {
    .name = "rescale",
    .paper = "Lin et al. 2023, Common diffusion noise schedules and sample steps are flawed",
    .evaluations = 1,
    .needs = "guides before it",
    .options = options,
    .size = sizeof(struct settings),
    .check = check,
    .predict = predict,
    .product = product,
};
