/* SPDX-License-Identifier: Apache-2.0 */
/* The improved pseudo linear multi-step method of PNDM's authors (Liu et al. 2022), on the cosine
   path a = cos(pi t / 2), s = sin(pi t / 2), t in [0, 1], where the network predicts v. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/exponential.h"
#include "vectors/rows.h"

static const struct option ipndm_options[] = {
    {WHOLE_OPTION("passes", "1", 1, 1000,
                  "how often the list of times is repeated; the history is kept"),
     AT(passes)},
    {.name = NULL},
};

enum { HISTORY = 4 };

static const double half_pi = 1.57079632679489661923;
static const double least_signal = 1e-8; /* at t = 1 no signal is left */

/* On the cosine path, places at the squares of evenly spaced sines. Signal and noise are rounded to
   float32, as in diffusers: where little signal is left this changes results, and published numbers
   include it. */
static void place_sines(struct grid *grid)
{
    for (int64_t i = 0; i < grid->count; i++) {
        float root = sinf((1 - (float)i / (float)grid->count) * (float)half_pi);
        float noise = root * root, signal = sqrtf(1 - noise * noise);
        grid->times[i] = atan2(noise, signal) / half_pi;
        grid->sigmas[i] = signal > 0 ? (double)noise / signal : tan(half_pi);
    }
}

/* Repeats the list `passes` times; every pass ends at clean data. */
static sumi_status ipndm_arrange(sumi_context *context, const struct solver_options *options,
                                 const struct noise_path *path, struct grid *grid)
{
    bool given = options->timesteps.values || options->sigmas.values || options->use_karras_sigmas
                 || options->use_exponential_sigmas || options->use_beta_sigmas
                 || options->use_lu_lambdas || isfinite(options->start_time);
    bool noise = options->prediction_type == PREDICTION_EPSILON
                 || options->prediction_type == PREDICTION_SCORE; /* undefined at the first place */
    if (path->kind == PATH_COSINE && !given && !noise) place_sines(grid);
    int64_t count = grid->count;
    double last = grid->sigmas[count];
    if (options->passes == 1) return SUMI_OK;
    TRY(grid_resize(context, grid, count * options->passes));
    for (int64_t i = count; i < grid->count; i++) {
        grid->times[i] = grid->times[i - count];
        grid->sigmas[i] = grid->sigmas[i - count];
    }
    grid->sigmas[grid->count] = last;
    return SUMI_OK;
}

/* The level at the end of the step; the last step of a pass ends at the end of the list. */
static struct level next_level(const struct solver_run *run)
{
    int64_t each = run->time_count / run->options->passes;
    bool last = (run->place + 1) % each == 0;
    return run_level(run, last ? run->time_count : run->place + 1);
}

static sumi_status ipndm_step(struct solver_run *run)
{
    static const double weights[HISTORY][HISTORY] = {{1},
                                                     {3. / 2, -1. / 2},
                                                     {23. / 12, -16. / 12, 5. / 12},
                                                     {55. / 24, -59. / 24, 37. / 24, -9. / 24}};
    struct level from = run_level(run, run->place), to = next_level(run);
    int64_t known = run_made(run) + 1;
    int order = known < HISTORY ? (int)known : HISTORY;
    double ratio = to.signal / fmax(from.signal, least_signal);
    struct row_term terms[HISTORY + 1] = {{ratio, run->x}};
    TRY(run_evaluate_here(run));
    run_turn(run, 0, HISTORY);
    prediction_noise(&run->map, run->threads, run->total, run->x, run->prediction, run->row[0]);
    for (int i = 0; i < order; i++) {
        double weight = weights[order - 1][i] * (to.noise - ratio * from.noise);
        terms[i + 1] = (struct row_term){weight, run->row[i]};
    }
    rows_combine(run->threads, run->total, run->x, order + 1, terms);
    return SUMI_OK;
}

static void ipndm_defaults(struct solver_options *options)
{
    defaults_sigma(options);
    options->path = PATH_COSINE;
    options->prediction_type = PREDICTION_V;
}

const struct solver_type solver_ipndm = {
    .name = "ipndm",
    .paper = "Liu, Ren, Lin, Zhao 2022, Pseudo numerical methods on manifolds",
    .classes = {"IPNDMScheduler"},
    .order = 2,
    .evaluations = 1,
    .rows = HISTORY,
    .scale = SCALE_PRESERVING,
    .family = TIMES_REAL,
    .defaults = ipndm_defaults,
    .arrange = ipndm_arrange,
    .options = {ipndm_options},
    .ignored = LIMIT_NAMES,
    .step = ipndm_step,
};
