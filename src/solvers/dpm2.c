/* SPDX-License-Identifier: Apache-2.0 */
/* The second method of "DPM-Solver: a fast ODE solver", Lu et al. 2022, in sigma: an Euler step to
   the middle in log(sigma) and a whole step with the slope found there. The ancestral variant steps
   below the next level and adds fresh noise. The list of places includes the midpoints. Unless a
   class of diffusers is followed, sigma is that of a straight path (grid.h); levels and midpoints
   are still chosen in s / a. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

/* Returns the level that an ancestral step goes down to; `up` receives the deviation of the noise
   that it then adds. */
static double ancestral_down(double sigma, double next, double *up)
{
    *up = sqrt(fmax(next * next * (sigma * sigma - next * next), 0)) / sigma;
    return sqrt(fmax(next * next - *up * *up, 0));
}

/* The midpoint in log(sigma) between two levels, or between a level and the one that an ancestral
   step goes down to. A level without signal counts as GRID_MOST_RATIO. */
static double middle_ratio(double from, double next, bool ancestral)
{
    double up = 0, finite = fmin(from, GRID_MOST_RATIO);
    return sqrt(finite * (ancestral ? ancestral_down(finite, next, &up) : next));
}

static sumi_status insert_middles(sumi_context *context, const struct solver_options *options,
                                  const struct noise_path *path, bool ancestral, struct grid *grid)
{
    int64_t count = grid->count;
    enum scale scale = grid_scale(options, path, SCALE_BOUNDED);
    double last = grid->sigmas[count];
    bool whole = path->kind == PATH_TABLE && path->time_kind == TIME_DISCRETE
                 && options->use_karras_sigmas; /* diffusers rounds Karras's times */
    TRY(grid_resize(context, grid, 2 * count - 1));
    for (int64_t i = count - 1; i >= 0; i--) {
        double sigma = grid->sigmas[i];
        if (i < count - 1) {
            double ratio = middle_ratio(grid_ratio(scale, sigma),
                                        grid_ratio(scale, grid->sigmas[2 * i + 2]), ancestral);
            grid->sigmas[2 * i + 1] = grid_sigma_of(scale, ratio);
            grid->times[2 * i + 1] = path_time(path, ratio);
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
    double from = run->sigmas[run->place - 1], target = next, keep = 1;
    if (ancestral) { /* down to `target`, then up to `next` at the next level's ratio of signal to
                        noise */
        double ratio = fmin(grid_ratio(run->scale, from), GRID_MOST_RATIO);
        target = ancestral_down(ratio, grid_ratio(run->scale, next), &up);
        target = grid_sigma_of(run->scale, target);
        double signal = run_level(run, run->place + 1).signal;
        keep = signal / level_at(run->scale, run->path, target).signal;
        up *= signal;
        run_draw(run, noise);
    }
    rows_combine(run->threads, run->total, run->x, 3,
                 (struct row_term[]){{keep, start}, {keep * (target - from), slope}, {up, noise}});
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
    .scale = SCALE_BOUNDED,
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
    .scale = SCALE_BOUNDED,
    .family = TIMES_REAL,
    .defaults = defaults_latent,
    .arrange = ancestral_arrange,
    .step = dpm2_ancestral_step,
};
