/* SPDX-License-Identifier: Apache-2.0 */
/* Ancestral sampling: "Denoising diffusion probabilistic models", Ho, Jain and Abbeel 2020,
   algorithm 2, with the learned variances of Nichol and Dhariwal 2021. */
#include <math.h>

#include "base/team.h"
#include "solvers/defaults.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

static const struct option variance_options[] = {
    {CHOICE_OPTION("variance_type", "fixed_small", VARIANCE_CHOICES,
                   "variance of a reverse step; learned: the network's output has twice the"
                   " channels"),
     AT(variance_type)},
    {.name = NULL},
};

/* Multiplies noise[count] by the deviation that the network predicts for each element: for
   "learned" its output is the variance; for "learned_range" it is v in [-1, 1] (Nichol & Dhariwal
   2021, eq. 15). Called by every thread of a team, which share the loop. */
static void scale_by_learned(const struct solver_run *run, const struct posterior *posterior,
                             float *noise)
{
    const double least_variance = 1e-20;
    const struct variance_range range = posterior_range(posterior);
    bool in_range = run->options->variance_type == VARIANCE_LEARNED_RANGE;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < run->total; i++) {
        double output = run->variance[i];
        double deviation =
            in_range ? range_deviation(&range, output) : sqrt(fmax(output, least_variance));
        noise[i] = (float)(deviation * noise[i]);
    }
}

/* x_previous = posterior mean of x0hat and x_t (eqs. 6, 7) + sigma z, no noise at time 0. */
static sumi_status posterior_step(struct solver_run *run, struct posterior posterior)
{
    double time = run->times[run->place];
    float *noise = run->row[0];
    double deviation = 0;
    TRY(run_evaluate(run, time));
    if (run->path->kind == PATH_TABLE ? time > 0 : isfinite(run_next_time(run))) {
        run_draw(run, noise);
        deviation =
            run->variance
                ? 1
                : posterior_deviation((enum variance_type)run->options->variance_type, &posterior);
        int threads = run->total < 1 << 16 ? 1 : run->threads;
        if (run->variance) BY_TEAM(threads, scale_by_learned(run, &posterior, noise));
    }
    struct row_term terms[] = {
        {posterior.clean, run->clean}, {posterior.state, run->x}, {deviation, noise}};
    rows_combine(run->threads, run->total, run->x, 3, terms);
    return SUMI_OK;
}

static struct posterior posterior_here(const struct solver_run *run)
{
    return posterior_between(run_product(run, run->times[run->place], 1),
                             run_product(run, run_next_time(run), 1));
}

static sumi_status ddpm_step(struct solver_run *run)
{
    return posterior_step(run, posterior_here(run));
}

static sumi_status unclip_step(struct solver_run *run)
{
    double time = run->times[run->place];
    if (run->path->kind != PATH_TABLE) return ddpm_step(run);
    return posterior_step(
        run, schedule_posterior(run->path->schedule, (int64_t)time, run_next_time(run)));
}

const struct solver_type solver_ddpm = {
    .name = "ddpm",
    .paper = "Ho, Jain, Abbeel 2020, Denoising diffusion probabilistic models",
    .classes = {"DDPMScheduler", "DDPMParallelScheduler"},
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 1,
    .options = {variance_options},
    .step = ddpm_step,
};

const struct solver_type solver_unclip = {
    .name = "unclip",
    .paper = "Ho, Jain, Abbeel 2020, as in Ramesh et al. 2022 (unCLIP)",
    .classes = {"UnCLIPScheduler"},
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 1,
    .options = {variance_options},
    .defaults = defaults_unclip,
    .step = unclip_step,
};
