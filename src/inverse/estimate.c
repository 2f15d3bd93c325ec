/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates of clean data from the predictions of a call, their residuals, and products with their
   derivatives. A network of any prediction p gets the state x = a x0 + s e as c x, so that

       D(x) = m x + k p(c x),    (dD/dx)^T v = m v + c (dp/dx)^T (k v)

   with m and k of prediction.h. If the output has a variance too, it is left alone. */
#include <math.h>
#include <string.h>

#include "inverse/inverse.h"

/* How a row is read. */
struct view {
    struct prediction_map map;
    double scale; /* c */
};

static struct view view_of(const struct inverse *inverse, const struct guide_call *call,
                           int64_t row)
{
    struct noise_level level = path_level(inverse->path, call->times[row]);
    return (struct view){.map = path_map(inverse->path, inverse->prediction, &level),
                         .scale = path_input_scale(inverse->path, &level)};
}

/* The place of number i of an item in an output, whose channels may be doubled by a variance. */
static int64_t place_of(const struct inverse *inverse, int64_t i)
{
    if (inverse->output_size == inverse->item_size) return i;
    int64_t channels = inverse->operator->shape[inverse->operator->rank - 1];
    return i / channels * 2 * channels + i % channels;
}

double inverse_spread(const struct inverse *inverse, const struct noise_level *level)
{
    double variance = inverse->options->variance, noise = level->noise * level->noise;
    return variance * noise / (level->signal * level->signal * variance + noise);
}

void inverse_estimate(struct inverse *inverse, const struct guide_call *call, const float *output)
{
    for (int64_t row = 0; row < call->count; row++) {
        const struct view view = view_of(inverse, call, row);
        const float *x = call->x + row * call->item_size;
        const float *p = output + row * call->output_size;
        float *clean = inverse->clean + row * call->item_size;
        for (int64_t i = 0; i < call->item_size; i++)
            clean[i] = (float)(view.map.clean_state * x[i] / view.scale
                               + view.map.clean_prediction * p[place_of(inverse, i)]);
    }
}

void inverse_write(const struct inverse *inverse, const struct guide_call *call, float *output)
{
    for (int64_t row = 0; row < call->count; row++) {
        const struct view view = view_of(inverse, call, row);
        const float *x = call->x + row * call->item_size;
        const float *clean = inverse->clean + row * call->item_size;
        float *p = output + row * call->output_size;
        if (view.map.clean_prediction == 0) continue; /* the state is clean data */
        for (int64_t i = 0; i < call->item_size; i++)
            p[place_of(inverse, i)] = (float)((clean[i] - view.map.clean_state * x[i] / view.scale)
                                              / view.map.clean_prediction);
    }
}

sumi_status inverse_residual(struct inverse *inverse, int64_t row, const float *clean)
{
    int64_t item = inverse->item >= 0 ? inverse->item : row % inverse->items;
    const float *y = inverse->measured + item * inverse->operator->measured_size;
    TRY(operator_apply(inverse->operator, item, clean, inverse->work));
    for (int64_t i = 0; i < inverse->operator->measured_size; i++)
        inverse->residual[i] = y[i] - inverse->work[i];
    if (!inverse->operator->mask) return SUMI_OK;
    const float *mask =
        inverse->operator->mask + item % inverse->operator->masks * inverse->item_size;
    for (int64_t i = 0; i < inverse->item_size; i++) /* y counts only where it is measured */
        if (mask[i] == 0) inverse->residual[i] = 0;
    return SUMI_OK;
}

/* vectors = k v, with zeros for a variance. */
static void fill_vectors(struct inverse *inverse, const struct guide_call *call)
{
    memset(inverse->vectors, 0,
           (size_t)(call->count * call->output_size) * sizeof *inverse->vectors);
    for (int64_t row = 0; row < call->count; row++) {
        const struct view view = view_of(inverse, call, row);
        const float *v = inverse->change + row * call->item_size;
        float *vector = inverse->vectors + row * call->output_size;
        for (int64_t i = 0; i < call->item_size; i++)
            vector[place_of(inverse, i)] = (float)(view.map.clean_prediction * v[i]);
    }
}

sumi_status inverse_pull(struct inverse *inverse, const struct denoising *inner,
                         const struct guide_call *call)
{
    fill_vectors(inverse, call);
    TRY(guide_call_product(inner, call, inverse->vectors, inverse->outputs, inverse->products));
    for (int64_t row = 0; row < call->count; row++) {
        const struct view view = view_of(inverse, call, row);
        float *v = inverse->change + row * call->item_size;
        const float *product = inverse->products + row * call->item_size;
        for (int64_t i = 0; i < call->item_size; i++)
            v[i] = (float)(view.map.clean_state * v[i] + view.scale * product[i]);
    }
    return SUMI_OK;
}

void inverse_draw(struct inverse *inverse, int64_t count, float *noise)
{
    const philox_stream stream = {inverse->solver->options.seed, PURPOSE_RESTORE,
                                  (uint64_t)inverse->draws++};
    philox_normal(&stream, 0, count, noise);
}
