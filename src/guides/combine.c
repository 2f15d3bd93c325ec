/* SPDX-License-Identifier: Apache-2.0 */
/* Classifier-free guidance of one item; see combine.h. */
#include "guides/combine.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* g over c. */
static void guide_item(const struct combination *rule, const float *null, float *output)
{
    for (int64_t p = 0; p < rule->positions; p++) {
        const float *n = null + p * rule->width;
        float *c = output + p * rule->width;
        for (int64_t k = 0; k < rule->guided; k++)
            c[k] = (float)(n[k] + rule->scale * ((double)c[k] - n[k]));
    }
}

/* ---- Rescale ---- */

struct moments {
    double count, mean, deviation; /* of the numbers of a prediction, divisor N - 1 */
};

static struct moments moments_of(const struct combination *rule, const float *output)
{
    struct moments m = {.count = (double)(rule->positions * rule->channels)};
    double squares = 0;
    for (int64_t p = 0; p < rule->positions; p++)
        for (int64_t k = 0; k < rule->channels; k++) m.mean += output[p * rule->width + k];
    m.mean /= m.count;
    for (int64_t p = 0; p < rule->positions; p++) {
        for (int64_t k = 0; k < rule->channels; k++) {
            double away = output[p * rule->width + k] - m.mean;
            squares += away * away;
        }
    }
    m.deviation = sqrt(squares / (m.count - 1));
    return m;
}

/* The factor of g; 1 if its numbers are all equal. */
static double rescale_factor(double phi, const struct moments *c, const struct moments *g)
{
    return g->deviation > 0 ? phi * c->deviation / g->deviation + 1 - phi : 1;
}

/* Scales g, which has `c` for moments of the conditional prediction. */
static void rescale(const struct combination *rule, const struct moments *c, float *output)
{
    struct moments g = moments_of(rule, output);
    double factor = rescale_factor(rule->rescale, c, &g);
    for (int64_t p = 0; p < rule->positions; p++)
        for (int64_t k = 0; k < rule->channels; k++)
            output[p * rule->width + k] = (float)(factor * output[p * rule->width + k]);
}

struct combination combination_of(const struct denoising *inner, const struct guide_call *call,
                                  double rescale_share)
{
    int64_t channels = inner->channels ? inner->channels : call->item_size;
    int64_t positions = call->item_size / channels;
    return (struct combination){.scale = 1,
                                .rescale = rescale_share,
                                .positions = positions,
                                .width = call->output_size / positions,
                                .channels = channels,
                                .guided = channels};
}

void combine_rescale(const struct combination *rule, const float *condition, float *output)
{
    const struct moments c = moments_of(rule, condition);
    rescale(rule, &c, output);
}

void combine(const struct combination *rule, const float *null, float *output)
{
    const struct moments c = rule->rescale > 0 ? moments_of(rule, output) : (struct moments){0};
    guide_item(rule, null, output);
    if (rule->rescale > 0) rescale(rule, &c, output);
}

/* ---- Derivatives ---- */

/* v^T g over a prediction. */
static double product_along(const struct combination *rule, const float *v, const float *g)
{
    double sum = 0;
    for (int64_t p = 0; p < rule->positions; p++)
        for (int64_t k = 0; k < rule->channels; k++)
            sum += (double)v[p * rule->width + k] * g[p * rule->width + k];
    return sum;
}

/* Turns v at z into v at g, and computes the part of c's vector through its deviation:

       v^T dz = v^T (F dg + g dF),   dF = phi (d std(c) / std(g) - std(c) / std(g)^2 d std(g)),
       d std(u) = (u - mean u)^T du / ((N - 1) std(u))

   `guided` is g; `condition_part` holds zeros before. */
void combine_pull_rescale(const struct combination *rule, const float *condition,
                          const float *guided, float *v, float *condition_part)
{
    struct moments c = moments_of(rule, condition), g = moments_of(rule, guided);
    if (!(g.deviation > 0)) return;
    double factor = rescale_factor(rule->rescale, &c, &g), freedom = g.count - 1;
    double along = rule->rescale * product_along(rule, v, guided);
    double of_g = -along * c.deviation / (freedom * pow(g.deviation, 3));
    double of_c = c.deviation > 0 ? along / (g.deviation * freedom * c.deviation) : 0;
    for (int64_t p = 0; p < rule->positions; p++) {
        for (int64_t k = 0; k < rule->channels; k++) {
            int64_t i = p * rule->width + k;
            v[i] = (float)(factor * v[i] + of_g * (guided[i] - g.mean));
            condition_part[i] = (float)(of_c * (condition[i] - c.mean));
        }
    }
}

void combine_pull(const struct combination *rule, const float *condition, const float *null,
                  float *condition_vector, float *null_vector, float *scratch)
{
    size_t size = (size_t)(rule->positions * rule->width) * sizeof *scratch;
    memset(null_vector, 0, size); /* first the part of c's vector through its deviation */
    if (rule->rescale > 0) {
        memcpy(scratch, condition, size);
        guide_item(rule, null, scratch);
        combine_pull_rescale(rule, condition, scratch, condition_vector, null_vector);
    }
    for (int64_t p = 0; p < rule->positions; p++) {
        for (int64_t k = 0; k < rule->width; k++) {
            int64_t i = p * rule->width + k;
            double v = condition_vector[i], part = null_vector[i];
            bool guided = k < rule->guided;
            null_vector[i] = guided ? (float)((1 - rule->scale) * v) : 0;
            condition_vector[i] = (float)((guided ? rule->scale * v : v) + part);
        }
    }
}
