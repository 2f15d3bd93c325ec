/* SPDX-License-Identifier: Apache-2.0 */
/* The two samplers of CogVideoX (Yang et al. 2024): ddim without limits on the estimate of data,
   and DPM-Solver++ of two steps for the stochastic equation (Lu et al. 2022), which extrapolates
   the estimate by its difference from the previous one. Both visit whole times of the table. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

enum { MOST_STRETCH = 2 };

/* abar at the end of the step: of the next time, or with compat = diffusers of t - T / steps. */
static double next_product(const struct solver_run *run)
{
    double next = run_next_time(run);
    if (run->options->compat == COMPATIBLE_DIFFUSERS && run->path->kind == PATH_TABLE)
        next = run->times[run->place] - (double)(run->path->count / run->time_count);
    return run_product(run, next, run_final_product(run));
}

/* x_next = a x + b x0hat, which is Song et al. 2020 (DDIM), eq. 12, at sigma = 0. */
static sumi_status ddim_step(struct solver_run *run)
{
    double time = run->times[run->place];
    double product = run_product(run, time, 1), next = next_product(run);
    double a = product < 1 ? sqrt((1 - next) / (1 - product)) : 0; /* else the state is data */
    double b = sqrt(next) - sqrt(product) * a;
    TRY(run_evaluate(run, time));
    prediction_clean(&run->map, run->threads, run->total, run->x, run->prediction, run->clean);
    rows_combine(run->threads, run->total, run->x, 2,
                 (struct row_term[]){{a, run->x}, {b, run->clean}});
    return SUMI_OK;
}

static double log_ratio(double product)
{
    return 0.5 * log(product / (1 - product));
}

/* The length of a step in log-SNR between two abar; infinite where the first has no signal. */
static double rise(double from, double to)
{
    return from == to ? 0 : log_ratio(to) - log_ratio(from);
}

static sumi_status dpm_step(struct solver_run *run)
{
    double time = run->times[run->place];
    double product = run_product(run, time, 1), next = next_product(run);
    double h = rise(product, next);
    float *old = run->row[0], *noise = run->row[1];
    bool last = run->place + 1 == run->time_count, first = run_made(run) == 0;
    TRY(run_evaluate(run, time));
    prediction_clean(&run->map, run->threads, run->total, run->x, run->prediction, run->clean);
    run_draw(run, noise);
    double carry = 0;
    if (product >= 1) { /* in float32 the state is already clean data */
        rows_combine(run->threads, run->total, run->x, 1, &(struct row_term){1, run->clean});
        return SUMI_OK;
    }
    if (!first && !last && next < 1) {
        /* diffusers draws the second-order noise separately; only torch's stream depends on that */
        if (run->random->kind == RANDOM_TORCH) run_draw(run, noise);
        double before = rise(run_product(run, run->times[run->place - 1], 1), product);
        bool far = !run->options->as_class && h > MOST_STRETCH * before; /* exponential.h */
        if (before > 0 && isfinite(h) && !far) carry = h / (2 * before);
    }
    double gain = -sqrt(next) * expm1(-2 * h);
    struct row_term terms[] = {{sqrt((1 - next) / (1 - product)) * exp(-h), run->x},
                               {gain * (1 + carry), run->clean},
                               {-gain * carry, old},
                               {sqrt((1 - next) * -expm1(-2 * h)), noise}};
    rows_combine(run->threads, run->total, run->x, 4, terms);
    rows_combine(run->threads, run->total, old, 1, &(struct row_term){1, run->clean});
    return SUMI_OK;
}

#define PAPER "Yang et al. 2024, CogVideoX"

const struct solver_type solver_cogvideox_ddim = {
    .name = "cogvideox-ddim",
    .paper = PAPER,
    .classes = {"CogVideoXDDIMScheduler"},
    .order = 1,
    .evaluations = 1,
    .defaults = defaults_cogvideox,
    .options = {final_options},
    .ignored = LIMIT_NAMES,
    .step = ddim_step,
};

const struct solver_type solver_cogvideox_dpm = {
    .name = "cogvideox-dpm",
    .paper = PAPER,
    .classes = {"CogVideoXDPMScheduler"},
    .order = 2,
    .evaluations = 1,
    .stochastic = true,
    .rows = 2,
    .defaults = defaults_cogvideox,
    .options = {final_options},
    .ignored = LIMIT_NAMES,
    .step = dpm_step,
};
