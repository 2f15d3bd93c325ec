/* SPDX-License-Identifier: Apache-2.0 */
/* The guide "interval" (Kynkaanniemi et al. 2024): the guides that were added before it act only
   while the noise level sigma = s / a is within an interval; outside, the prediction is that of the
   network alone, which costs one evaluation. */
#include <math.h>
#include <string.h>

#include "guides/kinds.h"

struct settings {
    double sigma_low, sigma_high;
};

#define AT(member) offsetof(struct settings, member)

static const struct option options[] = {
    {NUMBER_OPTION("sigma_low", "0", 0, INFINITY, "lowest noise level sigma that is guided"),
     AT(sigma_low)},
    {NUMBER_OPTION("sigma_high", "inf", 0, INFINITY, "highest noise level sigma that is guided"),
     AT(sigma_high)},
    {.name = NULL},
};

static sumi_status check(const sumi_guide *guide, const struct guide_layer *layer)
{
    const struct settings *s = guide->settings;
    if (s->sigma_low > s->sigma_high) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "interval: sigma_low = %g is above sigma_high = %g", s->sigma_low,
                            s->sigma_high);
    }
    return guide_check_path(guide, layer);
}

static bool is_inside(const struct settings *s, const struct guide_call *call, int64_t row)
{
    double sigma = guide_sigma(call, row);
    return sigma >= s->sigma_low && sigma <= s->sigma_high;
}

static int64_t count_inside(const struct settings *s, const struct guide_call *call)
{
    int64_t count = 0;
    for (int64_t i = 0; i < call->count; i++) count += is_inside(s, call, i);
    return count;
}

/* Copies the rows that are outside. */
static void take_outside(const struct settings *s, const struct guide_call *call, int64_t size,
                         const float *from, float *to)
{
    for (int64_t i = 0; i < call->count; i++)
        if (!is_inside(s, call, i))
            memcpy(to + i * size, from + i * size, (size_t)size * sizeof *to);
}

static sumi_status predict(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    int64_t inside = count_inside(s, call), size = call->output_size;
    const struct denoising *whole = inside ? inner : call->network;
    TRY(guide_call_predict(whole, call, output));
    if (inside == 0 || inside == call->count) return SUMI_OK;
    TRY(guide_reserve(guide, call->count * size));
    whole = call->network;
    TRY(guide_call_predict(whole, call, guide->spare));
    take_outside(s, call, size, guide->spare, output);
    return SUMI_OK;
}

static sumi_status product(void *user, const struct denoising *inner, const struct guide_call *call,
                           const float *vectors, float *output, float *products)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    int64_t inside = count_inside(s, call), size = call->output_size, item = call->item_size;
    const struct denoising *whole = inside ? inner : call->network;
    TRY(guide_call_product(whole, call, vectors, output, products));
    if (inside == 0 || inside == call->count) return SUMI_OK;
    TRY(guide_reserve(guide, call->count * (size + item)));
    float *more = guide->spare + call->count * size;
    whole = call->network;
    TRY(guide_call_product(whole, call, vectors, guide->spare, more));
    take_outside(s, call, size, guide->spare, output);
    take_outside(s, call, item, more, products);
    return SUMI_OK;
}

const struct guide_type guide_interval = {
    .name = "interval",
    .paper = "Kynkaanniemi et al. 2024, Applying guidance in a limited interval",
    .needs = "guides before it",
    .options = options,
    .size = sizeof(struct settings),
    .check = check,
    .predict = predict,
    .product = product,
};
