/* SPDX-License-Identifier: Apache-2.0 */
/* Langevin's dynamics: "Generative modeling by estimating gradients of the data distribution", Song
   and Ermon 2019. Plain (eq. 4): at one noise level, or for any density whose score the denoiser
   gives. Annealed (algorithm 1): several steps at each level from the noisiest to the least noisy.
   Neither denoises at the end: the samples follow the distribution of the last level. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/places.h"
#include "solvers/score.h"
#include "vectors/rows.h"

static const struct option step_options[] = {
    {NUMBER_OPTION("step_size", "0", 0, 1e6, "step size; 0: a fifth of the variance of the noise"),
     AT(step_size)},
    {.name = NULL},
};

static const struct option level_options[] = {
    {WHOLE_OPTION("steps_per_level", "100", 1, 1000000, "steps at each level of noise"),
     AT(steps_per_level)},
    {.name = NULL},
};

static const double usual_share = 0.2; /* the paper's epsilon, 2e-5, over the square of its least
                                          sigma, 0.01 */

/* All steps at one place: the given one, or the least noisy. */
static sumi_status langevin_arrange(sumi_context *context, const struct solver_options *options,
                                    const struct noise_path *path, struct grid *grid)
{
    bool given = options->timesteps.values || options->sigmas.values;
    int64_t steps = options->steps ? options->steps : grid->count;
    double sigma = given ? grid->sigmas[0] : path_least(path);
    double time = given ? grid->times[0] : path_first(path);
    TRY(grid_resize(context, grid, steps));
    for (int64_t place = 0; place <= steps; place++) {
        grid->sigmas[place] = sigma;
        if (place < steps) grid->times[place] = time;
    }
    grid->init_noise_sigma = sqrt(1 + sigma * sigma); /* for data of variance 1 at that level */
    return SUMI_OK;
}

static sumi_status annealed_arrange(sumi_context *context, const struct solver_options *options,
                                    const struct noise_path *path, struct grid *grid)
{
    (void)path;
    int64_t levels = grid->count, each = options->steps_per_level;
    TRY(grid_resize(context, grid, levels * each));
    for (int64_t place = grid->count - 1; place > 0; place--) {
        grid->times[place] = grid->times[place / each];
        grid->sigmas[place] = grid->sigmas[place / each];
    }
    grid->sigmas[grid->count] = grid->sigmas[grid->count - 1];
    return SUMI_OK;
}

/* Eq. 4: x += alpha / 2 score + sqrt(alpha) z. */
static sumi_status move(struct solver_run *run, double alpha)
{
    float *score = run->row[0], *noise = run->row[1];
    struct level level = run_level(run, run->place);
    TRY(run_evaluate_here(run));
    score_fill(run, &level, score);
    run_draw(run, noise);
    rows_combine(run->threads, run->total, run->x, 3,
                 (struct row_term[]){{1, run->x}, {alpha / 2, score}, {sqrt(alpha), noise}});
    return SUMI_OK;
}

static sumi_status langevin_step(struct solver_run *run)
{
    double given = run->options->step_size, noise = run_level(run, run->place).noise;
    return move(run, given > 0 ? given : usual_share * noise * noise);
}

/* Line 3: alpha_i = epsilon sigma_i^2 / sigma_L^2. */
static sumi_status annealed_step(struct solver_run *run)
{
    double sigma = run->sigmas[run->place], least = run->sigmas[run->time_count - 1];
    double given = run->options->step_size;
    double epsilon = given > 0 ? given : usual_share * least * least;
    return move(run, epsilon * sigma * sigma / (least * least));
}

#define PAPER "Song, Ermon 2019, Estimating gradients of the data distribution"

const struct solver_type solver_langevin = {
    .name = "langevin",
    .paper = PAPER,
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .one_place = true,
    .rows = 2,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_annealed,
    .arrange = langevin_arrange,
    .options = {step_options},
    .ignored = "final_sigmas_type|timestep_spacing|steps_offset|" PLACING_NAMES,
    .step = langevin_step,
};

const struct solver_type solver_annealed_langevin = {
    .name = "annealed-langevin",
    .paper = PAPER,
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 2,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_annealed,
    .arrange = annealed_arrange,
    .options = {step_options, level_options},
    .ignored = "final_sigmas_type",
    .step = annealed_step,
};
