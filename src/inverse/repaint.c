/* SPDX-License-Identifier: Apache-2.0 */
/* "RePaint", Lugmayr et al. 2022: after each step the measured part of the state is drawn from
   q(x_t | y), and after every `jump` steps noise is added to go back as many steps, `resample` - 1
   times, so that the other part follows. For any operator with a pseudo-inverse the measured part
   is A x. Its components are replaced while the noise of the state is above theirs; below, they are
   left to the solver (operator_replace). */
#include <math.h>

#include "inverse/inverse.h"
#include "vectors/rows.h"

/* residual = a y - A x of a row, and work = A e. */
static sumi_status take_difference(struct inverse *inverse, int64_t row, const struct level *level,
                                   const float *noise, const float *x)
{
    int64_t item = row % inverse->items, size = inverse->operator->measured_size;
    const float *y = inverse->measured + item * size;
    TRY(operator_apply(inverse->operator, item, x, inverse->residual));
    TRY(operator_apply(inverse->operator, item, noise, inverse->work));
    for (int64_t i = 0; i < size; i++)
        inverse->residual[i] = (float)(level->signal * y[i] - inverse->residual[i]);
    return SUMI_OK;
}

static sumi_status shift(void *user, const struct solver_run *run, const struct level *level)
{
    struct inverse *inverse = user;
    int64_t size = inverse->item_size;
    inverse_draw(inverse, run->total, inverse->clean);
    for (int64_t row = 0; row < run->shape.items; row++) {
        float *x = run->x + row * size;
        TRY(take_difference(inverse, row, level, inverse->clean + row * size, x));
        TRY(operator_replace(inverse->operator, row % inverse->items, level->noise,
                             level->signal * inverse->options->noise, inverse->residual,
                             inverse->work, inverse->products, inverse->change));
        for (int64_t i = 0; i < size; i++) x[i] += inverse->change[i];
    }
    return SUMI_OK;
}

/* ---- Going back ---- */

/* A stretch of the list of times. */
struct stretch {
    struct inverse *inverse;
    int64_t left;      /* steps until it ends */
    int64_t done, all; /* steps of the whole run, repeated ones too */
    bool stopped;      /* by the caller's watcher */
};

static bool watch(void *user, int64_t step, int64_t steps, double time, const float *x,
                  const float *clean)
{
    struct stretch *stretch = user;
    const struct inverse *inverse = stretch->inverse;
    (void)step, (void)steps;
    stretch->stopped =
        inverse->watcher
        && !inverse->watcher(inverse->watcher_user, stretch->done++, stretch->all, time, x, clean);
    return --stretch->left > 0 && !stretch->stopped;
}

/* Makes `length` steps from place `from` of the list. The noise of each stretch has a seed of its
   own. */
static sumi_status make_steps(struct stretch *stretch, const struct denoising *denoising,
                              int64_t from, int64_t length, sumi_array *samples)
{
    struct inverse *inverse = stretch->inverse;
    sumi_solver *solver = inverse->solver;
    solver->options.seed += 0x9E3779B97F4A7C15U; /* another for each stretch */
    solver->options.start_index = from;
    stretch->left = length;
    sumi_status status = inverse_solve(inverse, denoising, watch, stretch, samples);
    if (status != SUMI_STOPPED || stretch->stopped) return status;
    inverse->context->message[0] = '\0';
    return SUMI_OK;
}

/* From the level of place `later` to that of place `from`, which is noisier: x = (a / a') x' +
   (s^2 - (a / a')^2 s'^2)^1/2 e. */
static sumi_status go_back(struct inverse *inverse, const double *times, int64_t from,
                           int64_t later, int64_t count, sumi_array *samples)
{
    double signal = 0, noise = 0, kept = 1, left = 0;
    int64_t total = sumi_array_count(samples);
    TRY(sumi_solver_level(inverse->solver, times[from], &signal, &noise));
    if (later < count) TRY(sumi_solver_level(inverse->solver, times[later], &kept, &left));
    double ratio = signal / kept;
    inverse_draw(inverse, total, inverse->clean);
    rows_combine(inverse->context->threads, total, samples->data, 2,
                 (struct row_term[]){
                     {ratio, samples->data},
                     {sqrt(fmax(noise * noise - ratio * ratio * left * left, 0)), inverse->clean}});
    return SUMI_OK;
}

/* How often to make the steps to place `later`: once where measurements are noisier than the state
   there and so are not kept, because going back would forget them. */
static sumi_status count_rounds(const struct inverse *inverse, const double *times, int64_t later,
                                int64_t count, int64_t *rounds)
{
    double signal = 1, noise = 0;
    if (later < count) TRY(sumi_solver_level(inverse->solver, times[later], &signal, &noise));
    bool kept = noise * inverse->operator->greatest >= signal * inverse->options->noise;
    *rounds = kept ? inverse->options->resample : 1;
    return SUMI_OK;
}

static sumi_status walk(struct stretch *stretch, const struct denoising *denoising, int64_t start,
                        const double *times, int64_t count, sumi_array *samples)
{
    const struct restorer_options *options = stretch->inverse->options;
    int64_t rounds = 1;
    for (int64_t from = 0; from < count; from += options->jump) {
        int64_t later = from + options->jump < count ? from + options->jump : count;
        TRY(count_rounds(stretch->inverse, times, later, count, &rounds));
        for (int64_t round = 0; round < rounds; round++) {
            if (round) TRY(go_back(stretch->inverse, times, from, later, count, samples));
            TRY(make_steps(stretch, denoising, start + from, later - from, samples));
        }
    }
    return SUMI_OK;
}

static sumi_status run(struct inverse *inverse, const struct denoising *denoising,
                       sumi_array *samples)
{
    sumi_solver *solver = inverse->solver;
    const uint64_t seed = solver->options.seed;
    const int64_t start = solver->options.start_index;
    if (inverse->options->resample == 1)
        return inverse_solve(inverse, denoising, inverse->watcher, inverse->watcher_user, samples);
    if (solver->type->evaluations != 1) {
        return context_fail(inverse->context, SUMI_ERROR_ARGUMENT,
                            "repaint goes back between steps, which needs a solver with one "
                            "evaluation a step, not %s; or set resample to 1",
                            solver->type->name);
    }
    int64_t count = sumi_solver_times(solver, NULL, 0);
    double *times = context_allocate(inverse->context, (size_t)count, sizeof *times);
    if (!times) return SUMI_ERROR_MEMORY;
    sumi_solver_times(solver, times, count);
    struct stretch stretch = {.inverse = inverse, .all = count * inverse->options->resample};
    sumi_status status = walk(&stretch, denoising, start, times, count, samples);
    solver->options.seed = seed;
    solver->options.start_index = start;
    context_release(inverse->context, times);
    return status;
}

const struct method_type method_repaint = {
    .name = "repaint",
    .paper = "Lugmayr et al. 2022, RePaint",
    .evaluations = 1,
    .needs_inverse = true,
    .shift = shift,
    .run = run,
};
