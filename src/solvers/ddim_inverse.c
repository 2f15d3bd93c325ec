/* SPDX-License-Identifier: Apache-2.0 */
/* Ddim run backwards, from data to the noise that gives them: Song, Meng and Ermon 2020, section
   5.4; the network is asked at the time that the step goes to. diffusers takes t - floor(T / steps)
   for the time that it comes from, also where that was not visited. */
#include <math.h>

#include "solvers/solver.h"
#include "vectors/rows.h"

static sumi_status ascending(sumi_context *context, const struct solver_options *options,
                             const struct noise_path *path, struct grid *grid)
{
    (void)context;
    (void)options;
    (void)path;
    for (int64_t i = 0, j = grid->count - 1; i < j; i++, j--) {
        double moved = grid->times[i];
        grid->times[i] = grid->times[j];
        grid->times[j] = moved;
    }
    return SUMI_OK;
}

/* The prediction tells the noise as of the time that the network was asked at, and the noise tells
   x0 as of the time that the state is at. On a table v is read as of the latter in both, by
   diffusers' usage; for a prediction of noise the two are the same. */
static sumi_status inverse_step(struct solver_run *run)
{
    double time = run->times[run->place];
    double past = run->place > 0 ? run->times[run->place - 1] : -INFINITY;
    if (run->options->compat == COMPATIBLE_DIFFUSERS && run->path->kind == PATH_TABLE)
        past = time - (double)(run->path->count / run->time_count);
    double from = run_product(run, past, run_final_product(run)), to = run_product(run, time, 1);
    const struct noise_level level = {.signal = sqrt(from), .noise = sqrt(1 - from)};
    bool late = run->options->prediction_type == PREDICTION_V && run->path->kind == PATH_TABLE;
    float *noise = run->row[0];
    TRY(run_evaluate(run, time));
    struct prediction_map map = late ? prediction_map(PREDICTION_V, &level) : run->map;
    prediction_noise(&map, run->threads, run->total, run->x, run->prediction, noise);
    map = prediction_map(PREDICTION_EPSILON, &level);
    run_read(run, &map, noise);
    rows_combine(run->threads, run->total, run->x, 2,
                 (struct row_term[]){{sqrt(to), run->clean}, {sqrt(1 - to), noise}});
    return SUMI_OK;
}

const struct solver_type solver_ddim_inverse = {
    .name = "ddim-inverse",
    .paper = "Song, Meng, Ermon 2020, Denoising diffusion implicit models",
    .classes = {"DDIMInverseScheduler"},
    .order = 1,
    .evaluations = 1,
    .rows = 1,
    .scale = SCALE_TABLE,
    .family = TIMES_TABLE,
    .arrange = ascending,
    .options = {final_options},
    .step = inverse_step,
};
