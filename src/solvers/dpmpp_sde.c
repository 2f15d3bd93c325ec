/* SPDX-License-Identifier: Apache-2.0 */
/* DPM-Solver++ for the stochastic equation with two evaluations a step: the second-order single-
   step method of Lu et al. 2022 (DPM-Solver++, algorithm 1 with r = 1/2) with ancestral noise, as
   in Karras's programs. The noise up to the midpoint is part of the noise of the whole step, as
   along one path of Brownian motion. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

static const struct option noise_options[] = {
    {NUMBER_OPTION("s_noise", "1", 0, 1e3, "standard deviation of the fresh noise"), AT(s_noise)},
    {.name = NULL},
};

/* Inserts a midpoint in log(sigma) after every place but the last. */
static sumi_status sde_arrange(sumi_context *context, const struct solver_options *options,
                               const struct noise_path *path, struct grid *grid)
{
    (void)options;
    int64_t count = grid->count;
    double last = grid->sigmas[count];
    TRY(grid_resize(context, grid, 2 * count - 1));
    for (int64_t i = count - 1; i >= 0; i--) {
        double sigma = grid->sigmas[i];
        if (i < count - 1) {
            grid->sigmas[2 * i + 1] = sqrt(sigma * grid->sigmas[2 * i + 2]);
            grid->times[2 * i + 1] = path_time(path, grid->sigmas[2 * i + 1]);
        }
        grid->sigmas[2 * i] = sigma;
        grid->times[2 * i] = grid->times[i];
    }
    grid->sigmas[grid->count] = last;
    return SUMI_OK;
}

/* Steps from `start` at sigma below `next` with the estimate of data, then adds noise up to
   `next`. */
static void descend(struct solver_run *run, double sigma, double next, const float *start,
                    const float *noise)
{
    double up = next * sqrt(fmax(sigma * sigma - next * next, 0)) / sigma;
    double down = sqrt(fmax(next * next - up * up, 0));
    struct row_term terms[] = {
        {down / sigma, start}, {1 - down / sigma, run->clean}, {run->options->s_noise * up, noise}};
    rows_combine(run->threads, run->total, run->x, 3, terms);
}

static sumi_status sde_step(struct solver_run *run)
{
    float *start = run->row[0], *first = run->row[1], *noise = run->row[2];
    double sigma = run->sigmas[run->place], next = run->sigmas[run->place + 1];
    bool middle = run->place % 2 == 1 && run_made(run) > 0;
    TRY(run_evaluate_here(run));
    run_draw(run, noise);
    if (!middle) {
        rows_combine(run->threads, run->total, start, 1, &(struct row_term){1, run->x});
        rows_combine(run->threads, run->total, first, 1, &(struct row_term){1, noise});
        descend(run, sigma, next, start, noise);
        return SUMI_OK;
    }
    double from = run->sigmas[run->place - 1], whole = from - next;
    rows_combine(run->threads, run->total, noise, 2, /* weighted by intervals of sigma */
                 (struct row_term[]){{sqrt((from - sigma) / whole), first},
                                     {sqrt((sigma - next) / whole), noise}});
    descend(run, from, next, start, noise);
    return SUMI_OK;
}

const struct solver_type solver_dpmpp_sde = {
    .name = "dpmpp-sde",
    .paper = "Lu et al. 2022, DPM-Solver++, as in Karras et al. 2022",
    .classes = {"DPMSolverSDEScheduler"},
    .order = 2,
    .evaluations = 2,
    .stochastic = true,
    .rows = 3,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_latent,
    .arrange = sde_arrange,
    .options = {noise_options},
    .step = sde_step,
};
