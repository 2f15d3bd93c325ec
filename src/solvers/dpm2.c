/* SPDX-License-Identifier: Apache-2.0 */
/* The second method of "DPM-Solver: a fast ODE solver", Lu et al. 2022, in sigma: an Euler step to
   the middle in log(sigma) and a whole step with the slope found there. The ancestral kind goes
   down further and draws fresh noise. The list holds the middles too. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

/* The level that an ancestral step goes down to; by how much it comes up again. */
static double ancestral_down(double sigma, double next, double *up)
{
    *up = sqrt(fmax(next * next * (sigma * sigma - next * next), 0)) / sigma;
    return sqrt(fmax(next * next - *up * *up, 0));
}

static sumi_status insert_middles(sumi_context *context, const struct solver_options *options,
                                  const struct noise_path *path, bool ancestral, struct grid *grid)
{
    int64_t count = grid->count;
    double last = grid->sigmas[count], up = 0;
    bool whole = path->kind == PATH_TABLE && path->time_kind == TIME_DISCRETE
                 && options->use_karras_sigmas; /* diffusers rounds Karras's times */
    TRY(grid_resize(context, grid, 2 * count - 1));
    for (int64_t i = count - 1; i >= 0; i--) {
        double sigma = grid->sigmas[i];
        if (i < count - 1) {
            double next = grid->sigmas[2 * i + 2];
            double target = ancestral ? ancestral_down(sigma, next, &up) : next;
            grid->sigmas[2 * i + 1] = sqrt(sigma * target);
            grid->times[2 * i + 1] = path_time(path, sqrt(sigma * target));
        }
        grid->sigmas[2 * i] = sigma;
        grid->times[2 * i] = whole ? rint(grid->times[i]) : grid->times[i];
    }
    grid->sigmas[grid->count] = last;
    return SUMI_OK;
}

static sumi_status dpm2_arrange(sumi_context *context, const struct solver_options *options,
                                const struct noise_path *path, struct grid *grid)
{
    return insert_middles(context, options, path, false, grid);
}

static sumi_status ancestral_arrange(sumi_context *context, const struct solver_options *options,
                                     const struct noise_path *path, struct grid *grid)
{
    return insert_middles(context, options, path, true, grid);
}

static sumi_status step(struct solver_run *run, bool ancestral)
{
    double sigma = run->sigmas[run->place], next = run->sigmas[run->place + 1], up = 0;
    float *slope = run->row[0], *start = run->row[1], *noise = run->row[2];
    bool middle = run->place % 2 == 1 && run_made(run) > 0;
    TRY(run_evaluate_here(run));
    run_slope(run, sigma, slope);
    if (!middle) {
        rows_combine(run->threads, run->total, start, 1, &(struct row_term){1, run->x});
        rows_combine(run->threads, run->total, run->x, 2,
                     (struct row_term[]){{1, run->x}, {next - sigma, slope}});
        return SUMI_OK;
    }
    double from = run->sigmas[run->place - 1];
    double target = ancestral ? ancestral_down(from, next, &up) : next;
    if (ancestral) run_draw(run, noise);
    rows_combine(run->threads, run->total, run->x, 3,
                 (struct row_term[]){{1, start}, {target - from, slope}, {up, noise}});
    return SUMI_OK;
}

static sumi_status dpm2_step(struct solver_run *run)
{
    return step(run, false);
}
static sumi_status dpm2_ancestral_step(struct solver_run *run)
{
    return step(run, true);
}

const struct solver_type solver_dpm2 = {
    .name = "dpm2",
    .paper = "Lu et al. 2022, DPM-Solver, as in Karras et al. 2022",
    .classes = {"KDPM2DiscreteScheduler"},
    .order = 2,
    .evaluations = 2,
    .rows = 2,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_latent,
    .arrange = dpm2_arrange,
    .step = dpm2_step,
};

const struct solver_type solver_dpm2_ancestral = {
    .name = "dpm2-ancestral",
    .paper = "Lu et al. 2022, DPM-Solver, as in Karras et al. 2022",
    .classes = {"KDPM2AncestralDiscreteScheduler"},
    .order = 2,
    .evaluations = 2,
    .stochastic = true,
    .rows = 3,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_latent,
    .arrange = ancestral_arrange,
    .step = dpm2_ancestral_step,
};
