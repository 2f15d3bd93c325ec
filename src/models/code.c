/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding and decoding arrays: plans of the two halves, batches in parts, draws from the posterior
   and the scale of latents. */
#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "models/auto_encoder.h"

enum { BATCH_LIMIT = 16 }; /* items of one plan */

/* ---- Plans ---- */

struct shape half_output(const sumi_auto_encoder *runner, enum half half, const struct shape *shape)
{
    const struct auto_encoder *net = runner->part->net;
    struct shape y = *shape;
    bool encoder = half == HALF_ENCODER;
    for (int axis = 1; axis <= 2; axis++)
        y.size[axis] = encoder ? shape->size[axis] / net->factor : shape->size[axis] * net->factor;
    y.size[3] = encoder ? net->latent_channels * (net->type->moments ? 2 : 1) : net->out_channels;
    return y;
}

sumi_status half_build_plan(void *user, struct kept_plan *kept)
{
    const sumi_auto_encoder *runner = user;
    const struct auto_encoder_part *part = runner->part;
    const struct signature *signature = &kept->signature;
    TRY(sumi_graph_create(runner->context, part->weights, false, &kept->graph));
    kept->graph->keep_most = runner->cache.memory;
    kept->graph->bfloat16 = signature->bfloat16;
    sumi_node input = sumi_graph_input(kept->graph, "input", 4, signature->shapes[NET_X].size);
    kept->inputs.at[NET_X] = input;
    kept->output = signature->purpose == PLAN_ENCODING
                       ? auto_encoder_encode(part->net, kept->graph, input)
                       : auto_encoder_decode(part->net, kept->graph, input);
    TRY(sumi_graph_status(kept->graph));
    return sumi_plan_create(kept->graph, 1, &kept->output, &kept->plan);
}

static sumi_status get_plan(sumi_auto_encoder *runner, enum half half, const struct shape *shape,
                            struct kept_plan **found)
{
    const struct signature signature = {.purpose =
                                            half == HALF_ENCODER ? PLAN_ENCODING : PLAN_DECODING,
                                        .items = shape->size[0],
                                        .threads = runner->context->threads,
                                        .bfloat16 = runner->precision == PRECISION_BF16,
                                        .shapes = {*shape}};
    return plan_cache_get(&runner->cache, &signature, 0, found);
}

/* ---- One half ---- */

/* How many of so many items to compute at once. */
static sumi_status choose_batch(sumi_auto_encoder *runner, enum half half,
                                const struct shape *shape, int64_t *batch)
{
    struct shape single = *shape;
    struct kept_plan *plan = NULL;
    *batch = 1;
    if (shape->size[0] == 1 || runner->slices) return SUMI_OK;
    single.size[0] = 1;
    TRY(get_plan(runner, half, &single, &plan));
    *batch = plan_batch(shape->size[0], (int64_t)plan_memory(plan->plan) + 1, BATCH_LIMIT);
    return SUMI_OK;
}

sumi_status half_run(sumi_auto_encoder *runner, enum half half, const struct shape *shape,
                     const float *x, float *y)
{
    struct shape output = half_output(runner, half, shape), part = *shape;
    int64_t items = shape->size[0], batch = 0;
    int64_t from = shape_span(shape, 1, 4), to = shape_span(&output, 1, 4);
    TRY(choose_batch(runner, half, shape, &batch));
    for (int64_t first = 0; first < items; first += batch) {
        struct kept_plan *kept = NULL;
        part.size[0] = items - first < batch ? items - first : batch;
        TRY(get_plan(runner, half, &part, &kept));
        memcpy(sumi_plan_data(kept->plan, kept->inputs.at[NET_X]), x + first * from,
               (size_t)(part.size[0] * from) * sizeof *x);
        TRY(sumi_plan_run(kept->plan, 0, 0));
        memcpy(y + first * to, sumi_plan_data(kept->plan, kept->output),
               (size_t)(part.size[0] * to) * sizeof *y);
    }
    return SUMI_OK;
}

static sumi_status run_half(sumi_auto_encoder *runner, enum half half, const sumi_array *x,
                            sumi_array *y)
{
    struct shape shape = {.rank = 4};
    memcpy(shape.size, x->shape, 4 * sizeof *shape.size);
    struct shape output = half_output(runner, half, &shape);
    TRY(sumi_array_create(runner->context, 4, output.size, y));
    sumi_status status = tiles_wanted(runner, half, &shape)
                             ? tiles_run(runner, half, &shape, x->data, y->data)
                             : half_run(runner, half, &shape, x->data, y->data);
    if (status != SUMI_OK) sumi_array_release(runner->context, y);
    return status;
}

/* ---- The scale of latents ---- */

/* Converts latents from the decoder's scale to that of diffusion, or back. */
static void scale_latents(const struct auto_encoder *net, bool back, int64_t count, float *values)
{
    int64_t channels = net->latent_channels;
    const double *scales = net->scales, *shifts = scales + channels;
    for (int64_t i = 0; i < count; i++) {
        int64_t c = i % channels;
        values[i] =
            (float)(back ? values[i] / scales[c] + shifts[c] : (values[i] - shifts[c]) * scales[c]);
    }
}

/* ---- Encoding ---- */

sumi_status auto_encoder_check_pictures(const sumi_auto_encoder *runner,
                                        const struct shape *pictures)
{
    const struct auto_encoder *net = runner->part->net;
    int64_t factor = net->factor;
    const int64_t *size = pictures->size;
    if (pictures->rank != 4 || size[0] < 1 || size[3] != net->in_channels) {
        return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                            "the auto-encoder takes pictures [n, h, w, %lld]; these have rank %d "
                            "and %lld channels",
                            (long long)net->in_channels, pictures->rank,
                            pictures->rank ? (long long)size[pictures->rank - 1] : 0);
    }
    if (size[1] >= 1 && size[2] >= 1 && size[1] % factor == 0 && size[2] % factor == 0)
        return SUMI_OK;
    return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                        "pictures of %lldx%lld cannot be encoded: height and width should be "
                        "multiples of %lld, such as %lldx%lld",
                        (long long)size[1], (long long)size[2], (long long)factor,
                        (long long)((size[1] + factor - 1) / factor * factor),
                        (long long)((size[2] + factor - 1) / factor * factor));
}

static sumi_status check_pictures(const sumi_auto_encoder *runner, const sumi_array *pictures)
{
    struct shape shape = {.rank = pictures->rank};
    memcpy(shape.size, pictures->shape, sizeof shape.size);
    return auto_encoder_check_pictures(runner, &shape);
}

static sumi_status check_noise(const sumi_auto_encoder *runner, const sumi_array *moments,
                               const sumi_array *noise)
{
    bool fits = noise->rank == 4 && noise->shape[3] == runner->part->net->latent_channels;
    for (int i = 0; i < 3 && fits; i++) fits = noise->shape[i] == moments->shape[i];
    if (fits) return SUMI_OK;
    return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                        "the noise of these pictures' latents should be of shape [%lld, %lld, "
                        "%lld, %lld]",
                        (long long)moments->shape[0], (long long)moments->shape[1],
                        (long long)moments->shape[2],
                        (long long)runner->part->net->latent_channels);
}

/* The standard deviation of a log variance, clamped as diffusers does. */
static double deviation_of(double logs)
{
    return exp(0.5 * fmin(fmax(logs, -30), 20));
}

/* mean + exp(log variance / 2) noise for each place of moments[places, 2c] (Kingma & Welling 2014,
   eq. 10); `noise` NULL: the mean. */
static void draw(int64_t places, int64_t channels, const float *moments, const float *noise,
                 float *latents)
{
    for (int64_t i = 0; i < places; i++) {
        const float *mean = moments + i * 2 * channels, *logs = mean + channels;
        for (int64_t c = 0; c < channels; c++) {
            double value = mean[c];
            if (noise) value += deviation_of(logs[c]) * noise[i * channels + c];
            latents[i * channels + c] = (float)value;
        }
    }
}

/* Noise of the option "seed", keyed by the place of each number. */
static sumi_status draw_noise(const sumi_auto_encoder *runner, const sumi_array *latents,
                              sumi_array *noise)
{
    const philox_stream stream = {runner->seed, PURPOSE_LATENT, 0};
    TRY(sumi_array_create(runner->context, 4, latents->shape, noise));
    philox_normal(&stream, 0, sumi_array_count(noise), noise->data);
    return SUMI_OK;
}

static sumi_status draw_latents(const sumi_auto_encoder *runner, const sumi_array *moments,
                                const sumi_array *noise, sumi_array *latents)
{
    int64_t channels = runner->part->net->latent_channels, shape[4];
    sumi_array own = {0};
    memcpy(shape, moments->shape, sizeof shape);
    shape[3] = channels;
    if (noise) TRY(check_noise(runner, moments, noise));
    TRY(sumi_array_create(runner->context, 4, shape, latents));
    sumi_status status = !noise && runner->posterior == POSTERIOR_SAMPLE
                             ? draw_noise(runner, latents, &own)
                             : SUMI_OK;
    const float *values = noise ? noise->data : own.data;
    if (status == SUMI_OK)
        draw(sumi_array_count(latents) / channels, channels, moments->data, values, latents->data);
    else sumi_array_release(runner->context, latents);
    sumi_array_release(runner->context, &own);
    return status;
}

/* The deviations of moments[places, 2c], on the scale of latents. */
static void find_deviations(const struct auto_encoder *net, const sumi_array *moments,
                            sumi_array *deviations)
{
    int64_t channels = net->latent_channels, count = sumi_array_count(deviations);
    for (int64_t i = 0; i < count; i++) {
        int64_t place = i / channels, c = i % channels;
        double logs = moments->data[(2 * place + 1) * channels + c];
        deviations->data[i] = (float)(net->scales[c] * deviation_of(logs));
    }
}

sumi_status auto_encoder_posterior(sumi_auto_encoder *runner, const sumi_array *pictures,
                                   sumi_array *means, sumi_array *deviations)
{
    const struct auto_encoder *net = runner->part->net;
    sumi_array moments = {0};
    *means = *deviations = (sumi_array){0};
    TRY(check_pictures(runner, pictures));
    TRY(run_half(runner, HALF_ENCODER, pictures, net->type->moments ? &moments : means));
    sumi_status status = SUMI_OK;
    if (net->type->moments) {
        int64_t shape[4];
        memcpy(shape, moments.shape, sizeof shape);
        shape[3] = net->latent_channels;
        status = sumi_array_create(runner->context, 4, shape, means);
        if (status == SUMI_OK) status = sumi_array_create(runner->context, 4, shape, deviations);
        if (status == SUMI_OK) {
            draw(sumi_array_count(means) / shape[3], shape[3], moments.data, NULL, means->data);
            find_deviations(net, &moments, deviations);
        }
    }
    if (status == SUMI_OK) scale_latents(net, false, sumi_array_count(means), means->data);
    sumi_array_release(runner->context, &moments);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_array_release(runner->context, means);
    sumi_array_release(runner->context, deviations);
    return status;
}

sumi_status sumi_auto_encoder_encode(sumi_auto_encoder *auto_encoder, const sumi_array *pictures,
                                     const sumi_array *noise, sumi_array *latents)
{
    sumi_array moments = {0};
    const struct auto_encoder *net = auto_encoder->part->net;
    memset(latents, 0, sizeof *latents);
    TRY(check_pictures(auto_encoder, pictures));
    if (!net->type->moments && (noise || auto_encoder->posterior == POSTERIOR_SAMPLE)) {
        return context_fail(auto_encoder->context, SUMI_ERROR_ARGUMENT,
                            "%s gives latents themselves, from which nothing is drawn: encode "
                            "without noise and with posterior \"mean\"",
                            net->type->class_name);
    }
    TRY(run_half(auto_encoder, HALF_ENCODER, pictures, &moments));
    sumi_status status = SUMI_OK;
    if (net->type->moments) {
        status = draw_latents(auto_encoder, &moments, noise, latents);
        sumi_array_release(auto_encoder->context, &moments);
    } else {
        *latents = moments;
    }
    if (status == SUMI_OK) scale_latents(net, false, sumi_array_count(latents), latents->data);
    return status;
}

/* ---- Decoding ---- */

sumi_status sumi_auto_encoder_decode(sumi_auto_encoder *auto_encoder, const sumi_array *latents,
                                     sumi_array *pictures)
{
    const struct auto_encoder *net = auto_encoder->part->net;
    sumi_array scaled = {0};
    memset(pictures, 0, sizeof *pictures);
    if (latents->rank != 4 || sumi_array_count(latents) < 1
        || latents->shape[3] != net->latent_channels) {
        return context_fail(auto_encoder->context, SUMI_ERROR_ARGUMENT,
                            "the auto-encoder decodes latents [n, h, w, %lld]; these have rank %d "
                            "and %lld channels",
                            (long long)net->latent_channels, latents->rank,
                            latents->rank ? (long long)latents->shape[latents->rank - 1] : 0);
    }
    TRY(sumi_array_create(auto_encoder->context, 4, latents->shape, &scaled));
    int64_t count = sumi_array_count(latents);
    memcpy(scaled.data, latents->data, (size_t)count * sizeof *scaled.data);
    scale_latents(net, true, count, scaled.data);
    sumi_status status = run_half(auto_encoder, HALF_DECODER, &scaled, pictures);
    sumi_array_release(auto_encoder->context, &scaled);
    return status;
}
