/* SPDX-License-Identifier: Apache-2.0 */
/* The guide "classifier-free" (Ho and Salimans 2022): the network is evaluated with the condition
   and, in the same batch, with the null condition, and combine.h has the rule for the two
   predictions. Any prediction is a sum of state and noise whose weights do not depend on the
   condition, so the rule is the same for all of them; its rescale applies to the network's
   prediction, as in diffusers. The scale applies only within an interval of sigma (Kynkaanniemi et
   al. 2024); outside, and with scale 1, the null condition is not evaluated. A variance that the
   network predicts, too, is that with the condition. */
#include <math.h>
#include <string.h>

#include "guides/combine.h"
#include "guides/kinds.h"
#include "guides/pair.h"

struct settings {
    double scale, sigma_low, sigma_high, rescale;
    int64_t channels; /* guided, counted from the first; 0: all */
    struct pair pair;
};

#define AT(member) offsetof(struct settings, member)
#define GUIDED "scale!=1"

static const struct option options[] = {
    {NUMBER_OPTION("scale", "1", -1000, 1000,
                   "w: 1 is the prediction with the condition, 0 with the null condition"),
     AT(scale)},
    {NUMBER_OPTION("sigma_low", "0", 0, INFINITY, "lowest noise level sigma that is guided"),
     AT(sigma_low), GUIDED},
    {NUMBER_OPTION("sigma_high", "inf", 0, INFINITY, "highest noise level sigma that is guided"),
     AT(sigma_high), GUIDED},
    {NUMBER_OPTION("rescale", "0", 0, 1,
                   "phi: share of the prediction that is rescaled to the conditional deviation"),
     AT(rescale), GUIDED},
    {WHOLE_OPTION("channels", "0", 0, 1 << 20, "number of guided channels, from the first; 0: all"),
     AT(channels), GUIDED},
    {.name = NULL},
};

/* ---- Checks ---- */

static bool is_everywhere(const struct settings *s)
{
    return s->sigma_low == 0 && isinf(s->sigma_high);
}

static sumi_status check(const sumi_guide *guide, const struct guide_layer *layer)
{
    const struct settings *s = guide->settings;
    if (s->sigma_low > s->sigma_high) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "classifier-free: sigma_low = %g is above sigma_high = %g",
                            s->sigma_low, s->sigma_high);
    }
    if (!is_everywhere(s) && !layer->stack->path) {
        return context_fail(
            guide->context, SUMI_ERROR_ARGUMENT,
            "classifier-free: sigma_low and sigma_high need a model whose scheduler "
            "determines the noise level of a time");
    }
    if (s->channels > layer->inner.channels) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "classifier-free: channels = %lld, but an item has %lld",
                            (long long)s->channels, (long long)layer->inner.channels);
    }
    if (s->rescale > 0 && layer->inner.item_size == 1) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            "classifier-free: rescale needs items of two numbers or more; a single "
                            "one has no standard deviation");
    }
    return SUMI_OK;
}

static sumi_status check_call(const sumi_guide *guide, const struct denoising *inner,
                              const struct guide_call *call)
{
    const struct settings *s = guide->settings;
    if (s->scale != 1 && (!call->condition || !call->null)) {
        return context_fail(guide->context, SUMI_ERROR_ARGUMENT,
                            call->condition
                                ? "classifier-free: there is no null condition to compare with"
                                : "classifier-free: there is no condition to compare with the null "
                                  "condition");
    }
    if (call->output_size != call->item_size && !inner->channels) {
        return context_fail(guide->context, SUMI_ERROR_UNSUPPORTED,
                            "classifier-free: the number of channels is unknown, so the "
                            "prediction cannot be separated from the variance");
    }
    return SUMI_OK;
}

/* Lists the rows that are guided. */
static void choose_rows(struct settings *s, const struct guide_call *call)
{
    for (int64_t i = 0; i < call->count && s->scale != 1; i++) {
        double sigma = is_everywhere(s) ? 0 : guide_sigma(call, i);
        if (sigma >= s->sigma_low && sigma <= s->sigma_high)
            s->pair.again[s->pair.again_count++] = i;
    }
}

/* ---- Predictions ---- */

static struct combination rule_of(const struct settings *s, const struct denoising *inner,
                                  const struct guide_call *call)
{
    struct combination rule = combination_of(inner, call, s->rescale);
    rule.scale = s->scale;
    if (s->channels) rule.guided = s->channels;
    return rule;
}

/* The outputs of a call from those of the pair. */
static void finish(const struct settings *s, const struct combination *rule,
                   const struct guide_call *call, float *output)
{
    int64_t size = call->output_size;
    memcpy(output, s->pair.output, (size_t)(call->count * size) * sizeof *output);
    for (int64_t k = 0; k < s->pair.again_count; k++)
        combine(rule, s->pair.output + (call->count + k) * size, output + s->pair.again[k] * size);
}

static sumi_status predict(void *user, const struct denoising *inner, const struct guide_call *call,
                           float *output)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    TRY(check_call(guide, inner, call));
    TRY(pair_prepare(guide->context, call, &s->pair));
    choose_rows(s, call);
    if (s->pair.again_count == 0) {
        return guide_call_predict(inner, call, output);
    }
    const struct combination rule = rule_of(s, inner, call);
    TRY(pair_fill(&s->pair, inner, call));
    TRY(pair_predict(&s->pair, inner, call));
    finish(s, &rule, call, output);
    return SUMI_OK;
}

/* ---- Products ---- */

/* The vectors of the pair from those of the call. They depend on the predictions where these are
   rescaled. `scratch` has the size of an output. */
static sumi_status pull_vectors(struct pair *pair, const struct combination *rule,
                                const struct denoising *inner, const struct guide_call *call,
                                const float *vectors, float *scratch)
{
    int64_t size = call->output_size;
    if (rule->rescale > 0) TRY(pair_predict(pair, inner, call));
    memcpy(pair->vectors, vectors, (size_t)(call->count * size) * sizeof *vectors);
    for (int64_t k = 0; k < pair->again_count; k++) {
        int64_t row = pair->again[k] * size, again = (call->count + k) * size;
        combine_pull(rule, pair->output + row, pair->output + again, pair->vectors + row,
                     pair->vectors + again, scratch);
    }
    return SUMI_OK;
}

static sumi_status product(void *user, const struct denoising *inner, const struct guide_call *call,
                           const float *vectors, float *output, float *products)
{
    sumi_guide *guide = user;
    struct settings *s = guide->settings;
    int64_t size = call->item_size;
    TRY(check_call(guide, inner, call));
    TRY(pair_prepare(guide->context, call, &s->pair));
    choose_rows(s, call);
    if (s->pair.again_count == 0) {
        return guide_call_product(inner, call, vectors, output, products);
    }
    const struct combination rule = rule_of(s, inner, call);
    TRY(pair_fill(&s->pair, inner, call));
    TRY(pull_vectors(&s->pair, &rule, inner, call, vectors, output));
    TRY(pair_product(&s->pair, inner, call));
    finish(s, &rule, call, output);
    memcpy(products, s->pair.products, (size_t)(call->count * size) * sizeof *products);
    for (int64_t k = 0; k < s->pair.again_count; k++) {
        const float *more = s->pair.products + (call->count + k) * size;
        for (int64_t i = 0; i < size; i++) products[s->pair.again[k] * size + i] += more[i];
    }
    return SUMI_OK;
}

static void release(sumi_context *context, void *settings)
{
    struct settings *s = settings;
    pair_release(context, &s->pair);
}

const struct guide_type guide_classifier_free = {
    .name = "classifier-free",
    .paper = "Ho, Salimans 2022, Classifier-free diffusion guidance",
    .needs = "a null condition",
    .evaluations = 1,
    .options = options,
    .size = sizeof(struct settings),
    .sets_condition = true,
    .needs_null = true,
    .check = check,
    .predict = predict,
    .product = product,
    .release = release,
};
