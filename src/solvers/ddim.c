/* SPDX-License-Identifier: Apache-2.0 */
/* "Denoising diffusion implicit models", Song, Meng and Ermon 2020: deterministic at eta = 0, as
   noisy as ddpm at eta = 1. */
#include <math.h>

#include "solvers/solver.h"
#include "vectors/rows.h"

static const struct option ddim_options[] = {
    {NUMBER_OPTION("eta", "0", 0, 1, "fraction of ddpm's noise that each step adds"), AT(eta)},
    {FLAG_OPTION("use_clipped_model_output", "false",
                 "compute the noise from the clipped estimate of clean data"),
     AT(use_clipped_model_output)},
    {.name = NULL},
};

/* abar at the end of the step: of the next visited time, or with compat = diffusers of that
   library's t - floor(T / steps), which the spacings linspace and trailing do not always visit. */
static float next_product(const struct solver_run *run)
{
    double next = run_next_time(run);
    if (run->options->compat == COMPATIBLE_DIFFUSERS && run->path->kind == PATH_TABLE)
        next = run->times[run->place] - (double)(run->path->count / run->time_count);
    return run_product(run, next, run_final_product(run));
}

/* Eq. 12: x_next = sqrt(abar_next) x0hat + sqrt(1 - abar_next - sigma^2) e + sigma z, with sigma
   of eq. 16, which is eta times the deviation of ddpm's posterior. */
static sumi_status ddim_step(struct solver_run *run)
{
    const struct solver_options *options = run->options;
    double time = run->times[run->place];
    float next = next_product(run);
    float product = run_product(run, time, 1);
    struct posterior posterior = posterior_between(product, next);
    double sigma = options->eta * sqrt(fmax(posterior.variance, 0));
    float *direction = run->row[0], *noise = run->row[1];

    TRY(run_evaluate(run, time));
    struct prediction_map map = run->map;
    bool again = options->use_clipped_model_output; /* e from the limited x0hat */
    if (again) {
        map =
            prediction_map(PREDICTION_SAMPLE, &(struct noise_level){.signal = sqrt(product),
                                                                    .noise = sqrt(1.0 - product)});
    }
    prediction_noise(&map, run->threads, run->total, run->x, again ? run->clean : run->prediction,
                     direction);
    if (sigma > 0) run_draw(run, noise);
    struct row_term terms[] = {{sqrt(next), run->clean},
                               {sqrt(fmax(1.0 - next - sigma * sigma, 0)), direction},
                               {sigma, noise}};
    rows_combine(run->threads, run->total, run->x, 3, terms);
    return SUMI_OK;
}

const struct solver_type solver_ddim = {
    .name = "ddim",
    .paper = "Song, Meng, Ermon 2020, Denoising diffusion implicit models",
    .classes = {"DDIMScheduler", "DDIMParallelScheduler"},
    .order = 1,
    .evaluations = 1,
    .rows = 2,
    .options = {ddim_options, final_options},
    .step = ddim_step,
};
