/* SPDX-License-Identifier: Apache-2.0 */
/* Twisted sequential Monte Carlo, Wu et al. 2023 ("Practical and asymptotically exact conditional
   sampling in diffusion models"): K particles go through the reverse process

       p(x' | x) = N(x'; m x + k D(x), tau^2),    a t s of q(x' | x, x0) with x0 = D(x)

   of the noise levels that a solver visits. Each is moved by the estimate under the posterior, and
   its weight is multiplied by

       w = h(x') p(x' | x) / (proposal(x' | x) h(x)),    h(x) = N(y; A D(x), noise^2 I + r^2 A A^T)

   up to a factor of the level, and at the end h(x0) = p(y | x0). So whatever D and r are, the
   weighted particles are of the posterior of the reverse process as K grows, and the product of the
   mean weights is an unbiased estimate of p(y). Particles are resampled where the effective number,
   1 / sum of squared weights, falls below half. The last step, to clean data, has the deviation
   s / a of the last level. */
#include <math.h>
#include <string.h>

#include "inverse/inverse.h"
#include "vectors/rows.h"

struct particles {
    struct inverse *inverse;
    const struct denoising *denoising;
    const sumi_condition *all; /* of all measurements, or NULL */
    sumi_condition *one;       /* of one of them */
    int64_t count, size;
    int64_t places;
    double *times;             /* [places] */
    struct noise_level *level; /* [places] */
    float *x, *input, *noise;  /* [count, size] */
    float *output, *call_times;
    double *weight, *gain, *twist; /* [count]: normalised weights; logarithms */
    int64_t *chosen;               /* [count] */
    double log_evidence, least_effective;
    int64_t resampled, drawn; /* uniform numbers so far */
};

/* ---- Weights ---- */

static double effective(const struct particles *p)
{
    double squares = 0;
    for (int64_t k = 0; k < p->count; k++) squares += p->weight[k] * p->weight[k];
    return 1 / squares;
}

/* Multiplies the weights by exp(gain), normalises them, and counts their mean as evidence. */
static sumi_status weigh(struct particles *p)
{
    double most = -INFINITY, sum = 0;
    for (int64_t k = 0; k < p->count; k++) most = fmax(most, p->gain[k]);
    for (int64_t k = 0; k < p->count; k++)
        sum += p->weight[k] *= isfinite(p->gain[k]) ? exp(p->gain[k] - most) : 0;
    if (!(sum > 0) || !isfinite(most)) {
        return context_fail(p->inverse->context, SUMI_ERROR_NUMBER,
                            "smc: no particle fits the measurement; take more particles or steps, "
                            "or a greater noise");
    }
    for (int64_t k = 0; k < p->count; k++) p->weight[k] /= sum;
    p->log_evidence += most + log(sum);
    p->least_effective = fmin(p->least_effective, effective(p));
    return SUMI_OK;
}

/* Chooses `count` particles by their weights, systematically: one uniform number for all. */
static void choose(struct particles *p, int64_t count, int64_t *chosen)
{
    const philox_stream stream = {p->inverse->solver->options.seed, PURPOSE_RESTORE, 0xFFFFFFFF};
    double at = philox_uniform(&stream, (uint64_t)(p->inverse->item << 24 | p->drawn++));
    double reached = p->weight[0];
    for (int64_t i = 0, k = 0; i < count; i++) {
        while (reached < (at + (double)i) / (double)count && k + 1 < p->count)
            reached += p->weight[++k];
        chosen[i] = k;
    }
}

/* Rows [count, size] become those of the chosen particles; `scratch` is overwritten. */
static void gather(const struct particles *p, float *rows, float *scratch)
{
    for (int64_t k = 0; k < p->count; k++)
        memcpy(scratch + k * p->size, rows + p->chosen[k] * p->size,
               (size_t)p->size * sizeof *rows);
    memcpy(rows, scratch, (size_t)(p->count * p->size) * sizeof *rows);
}

static void resample_if_few(struct particles *p)
{
    if (effective(p) >= 0.5 * (double)p->count) return;
    choose(p, p->count, p->chosen);
    gather(p, p->x, p->noise);
    gather(p, p->inverse->clean, p->noise);
    gather(p, p->inverse->change, p->noise);
    for (int64_t k = 0; k < p->count; k++) p->gain[k] = p->twist[p->chosen[k]];
    memcpy(p->twist, p->gain, (size_t)p->count * sizeof *p->twist);
    for (int64_t k = 0; k < p->count; k++) p->weight[k] = 1 / (double)p->count;
    p->resampled++;
}

/* ---- The reverse process ---- */

/* D, D' - D and log h of the particles at a place. */
static sumi_status look(struct particles *p, int64_t place)
{
    struct inverse *inverse = p->inverse;
    const struct denoising *inner = p->denoising;
    double scale = path_input_scale(inverse->path, &p->level[place]);
    rows_combine(inverse->context->threads, p->count * p->size, p->input, 1,
                 &(struct row_term){scale, p->x});
    for (int64_t k = 0; k < p->count; k++) p->call_times[k] = (float)p->times[place];
    const struct guide_call call = {.count = p->count,
                                    .item_size = p->size,
                                    .output_size = inverse->output_size,
                                    .x = p->input,
                                    .times = p->call_times,
                                    .path = inverse->path};
    TRY(inner->predict(inner->user, p->count, p->size, inverse->output_size, p->input,
                       p->call_times, p->output));
    TRY(inverse_steer(inverse, inner, &call, p->output));
    if (!rows_are_finite(inverse->context->threads, p->count * p->size, inverse->change)) {
        return context_fail(inverse->context, SUMI_ERROR_NUMBER,
                            "smc: at time %g the denoiser or its derivative is not finite",
                            p->times[place]);
    }
    for (int64_t k = 0; k < p->count; k++) p->twist[k] = -0.5 * inverse->distance[k];
    return SUMI_OK;
}

/* log p(y | x0) of the particles, with all factors. */
static sumi_status look_at_clean(struct particles *p)
{
    struct inverse *inverse = p->inverse;
    double variance = inverse->options->noise * inverse->options->noise;
    double measures = (double)operator_measures(inverse->operator, inverse->item);
    for (int64_t k = 0; k < p->count; k++) {
        double square = 0;
        TRY(inverse_residual(inverse, k, p->x + k * p->size));
        for (int64_t i = 0; i < inverse->operator->measured_size; i++)
            square += (double)inverse->residual[i] * inverse->residual[i];
        p->twist[k] = -0.5 * (square / variance + measures * log(2 * acos(-1) * variance));
    }
    return SUMI_OK;
}

/* The reverse step from a level to the next; to clean data where that has no noise. */
struct reverse {
    double state, clean, deviation;
};

static struct reverse reverse_between(const struct noise_level *from, const struct noise_level *to)
{
    double ratio = from->signal / to->signal, variance = from->noise * from->noise;
    double fresh = variance - ratio * ratio * to->noise * to->noise;
    if (to->noise == 0) return (struct reverse){0, 1, from->noise / from->signal};
    return (struct reverse){ratio * to->noise * to->noise / variance, to->signal * fresh / variance,
                            sqrt(fresh / variance) * to->noise};
}

/* Moves the particles by the proposal; gain = log p - log proposal - log h. */
static void move(struct particles *p, const struct reverse *step)
{
    struct inverse *inverse = p->inverse;
    inverse_draw(inverse, p->count * p->size, p->noise);
    for (int64_t k = 0; k < p->count; k++) {
        double without = 0, with = 0;
        for (int64_t i = k * p->size; i < (k + 1) * p->size; i++) {
            double shift = step->clean * inverse->change[i], draw = step->deviation * p->noise[i];
            without += (shift + draw) * (shift + draw);
            with += draw * draw;
            p->x[i] =
                (float)(step->state * p->x[i] + step->clean * inverse->clean[i] + shift + draw);
        }
        p->gain[k] = (with - without) / (2 * step->deviation * step->deviation) - p->twist[k];
    }
}

/* Shows the first particles as samples [draws, items, item]. */
static bool show(const struct particles *p, int64_t place, sumi_array *samples)
{
    const struct inverse *inverse = p->inverse;
    int64_t draws = samples->shape[0] / inverse->items;
    for (int64_t d = 0; d < draws; d++)
        memcpy(samples->data + (d * inverse->items + inverse->item) * p->size,
               inverse->clean + d % p->count * p->size, (size_t)p->size * sizeof *samples->data);
    if (!inverse->watcher) return true;
    return inverse->watcher(inverse->watcher_user, inverse->item * p->places + place,
                            inverse->items * p->places, p->times[place], samples->data,
                            samples->data);
}

static sumi_status walk(struct particles *p, sumi_array *samples)
{
    static const struct noise_level clean = {.signal = 1};
    for (int64_t place = 0; place < p->places; place++) {
        bool last = place + 1 == p->places;
        const struct reverse step =
            reverse_between(&p->level[place], last ? &clean : &p->level[place + 1]);
        resample_if_few(p);
        move(p, &step);
        TRY(last ? look_at_clean(p) : look(p, place + 1));
        for (int64_t k = 0; k < p->count; k++) p->gain[k] += p->twist[k];
        TRY(weigh(p));
        if (show(p, place, samples)) continue;
        return context_fail(p->inverse->context, SUMI_STOPPED, "stopped after step %lld of %lld",
                            (long long)(place + 1), (long long)p->places);
    }
    return SUMI_OK;
}

/* ---- One measurement ---- */

static sumi_status begin(struct particles *p)
{
    struct inverse *inverse = p->inverse;
    const struct noise_level *level = &p->level[0];
    double signal = level->signal * level->signal * inverse->options->variance;
    double deviation = sqrt(signal + level->noise * level->noise);
    p->log_evidence = 0;
    p->least_effective = (double)p->count;
    p->resampled = 0;
    inverse_draw(inverse, p->count * p->size, p->noise);
    for (int64_t i = 0; i < p->count * p->size; i++) p->x[i] = (float)(deviation * p->noise[i]);
    for (int64_t k = 0; k < p->count; k++) p->weight[k] = 1 / (double)p->count;
    TRY(look(p, 0));
    memcpy(p->gain, p->twist, (size_t)p->count * sizeof *p->gain);
    return weigh(p);
}

/* Sets the condition of measurement `item` for all particles. */
static sumi_status set_condition(struct particles *p)
{
    if (!p->all) return SUMI_OK;
    TRY(condition_gather(p->one, p->all, 1, &p->inverse->item));
    return p->denoising->set_condition(p->denoising->user, p->one);
}

static sumi_status take_draws(struct particles *p, sumi_array *samples)
{
    struct inverse *inverse = p->inverse;
    int64_t draws = samples->shape[0] / inverse->items;
    int64_t *chosen = context_allocate(inverse->context, (size_t)draws, sizeof *chosen);
    if (!chosen) return SUMI_ERROR_MEMORY;
    choose(p, draws, chosen);
    for (int64_t d = 0; d < draws; d++)
        memcpy(samples->data + (d * inverse->items + inverse->item) * p->size,
               p->x + chosen[d] * p->size, (size_t)p->size * sizeof *samples->data);
    context_release(inverse->context, chosen);
    return SUMI_OK;
}

static sumi_status sample_item(struct particles *p, sumi_array *samples)
{
    TRY(set_condition(p));
    TRY(begin(p));
    TRY(walk(p, samples));
    p->inverse->restorer->evidence[p->inverse->item] =
        (sumi_evidence){.size = sizeof(sumi_evidence),
                        .particles = p->count,
                        .effective = effective(p),
                        .least_effective = p->least_effective,
                        .resampled = p->resampled,
                        .log_evidence = p->log_evidence};
    return take_draws(p, samples);
}

/* ---- Memory ---- */

static void release(struct particles *p)
{
    sumi_context *context = p->inverse->context;
    void *const blocks[] = {p->times,  p->level,      p->x,      p->input, p->noise, p->output,
                            p->chosen, p->call_times, p->weight, p->gain,  p->twist};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) context_release(context, blocks[i]);
    sumi_condition_free(p->one);
}

/* The levels that the solver visits, each once and each with less noise than the one before. */
static sumi_status take_levels(struct particles *p)
{
    struct inverse *inverse = p->inverse;
    int64_t count = sumi_solver_times(inverse->solver, NULL, 0);
    p->times = context_allocate(inverse->context, (size_t)count + 1, sizeof *p->times);
    p->level = context_allocate(inverse->context, (size_t)count + 1, sizeof *p->level);
    if (!p->times || !p->level) return SUMI_ERROR_MEMORY;
    sumi_solver_times(inverse->solver, p->times, count);
    for (int64_t i = 0; i < count; i++) {
        struct noise_level level = path_level(inverse->path, p->times[i]);
        const struct noise_level *before = p->places ? &p->level[p->places - 1] : NULL;
        bool less = !before || level.noise * before->signal < before->noise * level.signal;
        if (!less || !(level.noise > 0)) continue;
        p->times[p->places] = p->times[i];
        p->level[p->places++] = level;
    }
    if (p->places >= 2) return SUMI_OK;
    return context_fail(inverse->context, SUMI_ERROR_ARGUMENT,
                        "smc needs a solver that visits at least two levels of noise");
}

static sumi_status allocate(struct particles *p)
{
    sumi_context *context = p->inverse->context;
    size_t count = (size_t)p->count, all = count * (size_t)p->size;
    float **const rows[] = {&p->x, &p->input, &p->noise};
    double **const numbers[] = {&p->weight, &p->gain, &p->twist};
    bool got = true;
    for (int i = 0; i < 3; i++) {
        got &= (*rows[i] = context_allocate(context, all, sizeof(float))) != NULL;
        got &= (*numbers[i] = context_allocate(context, count, sizeof(double))) != NULL;
    }
    p->output =
        context_allocate(context, count * (size_t)p->inverse->output_size, sizeof *p->output);
    p->call_times = context_allocate(context, count, sizeof *p->call_times);
    p->chosen = context_allocate(context, count, sizeof *p->chosen);
    if (!got || !p->output || !p->call_times || !p->chosen) return SUMI_ERROR_MEMORY;
    return take_levels(p);
}

static sumi_status run(struct inverse *inverse, const struct denoising *denoising,
                       sumi_array *samples)
{
    struct particles p = {.inverse = inverse,
                          .denoising = denoising,
                          .count = inverse->rows,
                          .size = inverse->item_size};
    sumi_status status = allocate(&p);
    if (status == SUMI_OK && denoising->set_condition) p.all = denoising->condition;
    if (status == SUMI_OK) status = sumi_condition_create(inverse->context, &p.one);
    for (int64_t i = 0; i < inverse->items && status == SUMI_OK; i++) {
        inverse->item = i;
        status = sample_item(&p, samples);
    }
    if (p.all) {
        sumi_status restored = denoising->set_condition(denoising->user, p.all);
        if (status == SUMI_OK) status = restored;
    }
    release(&p);
    return status;
}

const struct method_type method_smc = {
    .name = "smc",
    .paper = "Wu et al. 2023, Practical and asymptotically exact conditional sampling",
    .evaluations = 3,
    .needs_product = true,
    .needs_noise = true,
    .run = run,
};
