/* "Denoising diffusion implicit models", Song, Meng and Ermon 2020: deterministic at eta = 0, as
   noisy as ddpm at eta = 1. */
#include <math.h>

#include "noise/rows.h"
#include "solvers/solver.h"

/* abar of the time that the step goes to. The next visited time, or with compat = diffusers that
   library's t - floor(T / steps), which the spacings linspace and trailing do not always visit. */
static float next_product(const struct solver_run *run)
{
    const float *products = run->schedule->alphas_cumprod;
    int64_t next = run_next_time(run);
    if (run->options->compat == COMPATIBLE_DIFFUSERS)
        next = run->times[run->place] - run->schedule->count / run->time_count;
    if (next >= 0) return products[next];
    return run->options->set_alpha_to_one ? 1 : products[0];
}

/* Eq. 12: x_next = sqrt(abar_next) x0hat + sqrt(1 - abar_next - sigma^2) e + sigma z, with sigma
   of eq. 16, which is eta times the deviation of ddpm's posterior. */
static sumi_status ddim_step(struct solver_run *run)
{
    const struct solver_options *options = run->options;
    int64_t time = run->times[run->place];
    float next = next_product(run);
    double signal = schedule_signal(run->schedule, time);
    double level = schedule_noise(run->schedule, time);
    struct posterior posterior =
        posterior_between(run->schedule->alphas_cumprod[time], next);
    double sigma = options->eta * sqrt(fmax(posterior.variance, 0));
    float *direction = run->row[0], *noise = run->row[1];

    TRY(run_evaluate(run, time));
    bool again = options->use_clipped_model_output; /* e from the limited x0hat */
    struct prediction_map map = prediction_map(
        again ? PREDICTION_SAMPLE : (enum prediction_type)options->prediction_type, signal, level);
    prediction_noise(&map, run->threads, run->total, run->x,
                     again ? run->clean : run->prediction, direction);
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
    .step = ddim_step,
};
