/* SPDX-License-Identifier: Apache-2.0 */
/* DDIM in reverse, from data to the noise that generates them: Song, Meng and Ermon 2020, section
   5.4. The network is evaluated at the time at the end of the step. diffusers uses t - floor(T /
   steps) as the time at its start, even where that was not visited. */
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

/* The noise follows from the prediction at the time of the evaluation, and x0 from the noise at the
   time of the state. On a table, v is converted at the time of the state in both, as in diffusers;
   for a prediction of noise the two are the same. */
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
