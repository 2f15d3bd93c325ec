/* Ddim run backwards, from data to the noise that gives them: Song, Meng and Ermon 2020, section
   5.4; the network is asked at the time that the step goes to. diffusers takes t - floor(T / steps)
   for the time that it comes from, also where that was not visited. */
#include <math.h>

#include "noise/rows.h"
#include "solvers/solver.h"

static sumi_status ascending(sumi_context *context, const struct solver_options *options,
                             struct grid *grid)
{
    (void)context;
    (void)options;
    for (int64_t i = 0, j = grid->count - 1; i < j; i++, j--) {
        double moved = grid->times[i];
        grid->times[i] = grid->times[j];
        grid->times[j] = moved;
    }
    return SUMI_OK;
}

static sumi_status inverse_step(struct solver_run *run)
{
    double time = run->times[run->place];
    double past = run->place > 0 ? run->times[run->place - 1] : -1;
    if (run->options->compat == COMPATIBLE_DIFFUSERS)
        past = time - (double)(run->schedule->count / run->time_count);
    float beyond = run->options->set_alpha_to_one ? 1 : run_product(run, 0, 1);
    double from = run_product(run, past < 0 ? -1 : past, beyond), to = run_product(run, time, 1);
    float *noise = run->row[0];
    TRY(run_evaluate_level(run, time, sqrt(from), sqrt(1 - from)));
    prediction_noise(&run->map, run->threads, run->total, run->x, run->prediction, noise);
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
    .step = inverse_step,
};
