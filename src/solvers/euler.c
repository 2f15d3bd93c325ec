/* SPDX-License-Identifier: Apache-2.0 */
/* Euler's method on dx/dsigma = (x - x0hat) / sigma, the probability flow in sigma: "Elucidating
   the design space of diffusion-based generative models", Karras, Aittala, Aila and Laine 2022. On
   the straight path of flow matching the slope is the velocity, and the same step applies. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/solver.h"
#include "solvers/stages.h"
#include "vectors/rows.h"

const struct option churn_options[] = {
    {NUMBER_OPTION("s_churn", "0", 0, 1e6, "noise that churn adds, in total over all steps"),
     AT(s_churn)},
    {NUMBER_OPTION("s_tmin", "0", 0, INFINITY, "least noise level at which churn adds noise"),
     AT(s_tmin), "s_churn!=0"},
    {NUMBER_OPTION("s_tmax", "inf", 0, INFINITY, "greatest noise level at which churn adds noise"),
     AT(s_tmax), "s_churn!=0"},
    {NUMBER_OPTION("s_noise", "1", 0, 1e3, "standard deviation of the noise of churn"), AT(s_noise),
     "s_churn!=0"},
    {.name = NULL},
};

static const struct option flow_options[] = {
    {NUMBER_OPTION("s_churn", "0", 0, 1e6, "churn is not possible here: only 0"), AT(s_churn)},
    {FLAG_OPTION("stochastic_sampling", "false", "draw new noise at every step"),
     AT(stochastic_sampling)},
    {.name = NULL},
};

/* Algorithm 2, line 5: the noise that is added before the step, relative to sigma. */
static double churn(const struct solver_run *run, double sigma)
{
    const struct solver_options *options = run->options;
    if (sigma < options->s_tmin || sigma > options->s_tmax) return 0;
    return fmin(options->s_churn / (double)run->time_count, sqrt(2) - 1);
}

/* x += (sigma_next - sigma) slope. With churn, x is first raised to sigma_hat; as in diffusers, the
   network is evaluated before that, and a prediction of v is converted at the level of the
   evaluation. */
static sumi_status euler_step(struct solver_run *run)
{
    double sigma = run->sigmas[run->place], next = run->sigmas[run->place + 1];
    double share = churn(run, sigma), raised = sigma * (1 + share);
    float *slope = run->row[0], *noise = run->row[1];
    if (share == 0) TRY(run_evaluate_here(run));
    else {
        TRY(run_ask_here(run));
        stage_churn(run, sigma, raised, noise);
        bool v = run->options->prediction_type == PREDICTION_V && run->path->kind == PATH_TABLE;
        TRY(run_read_at(run, v ? sigma : raised));
    }
    run_slope(run, raised, slope);
    rows_combine(run->threads, run->total, run->x, 2,
                 (struct row_term[]){{1, run->x}, {next - raised, slope}});
    return SUMI_OK;
}

/* A step down to sigma_down, then fresh noise: the ancestral step of ddpm between any two
   levels. */
static sumi_status ancestral_step(struct solver_run *run)
{
    double sigma = run->sigmas[run->place], next = run->sigmas[run->place + 1];
    double up = sqrt(fmax(next * next * (sigma * sigma - next * next), 0)) / sigma;
    double down = sqrt(fmax(next * next - up * up, 0));
    float *slope = run->row[0], *noise = run->row[1];
    TRY(run_evaluate_here(run));
    run_slope(run, sigma, slope);
    run_draw(run, noise);
    rows_combine(run->threads, run->total, run->x, 3,
                 (struct row_term[]){{1, run->x}, {down - sigma, slope}, {up, noise}});
    return SUMI_OK;
}

/* Every step adds fresh noise to the estimate of data, as for distilled networks (Luo et al. 2023,
   algorithm 3, on a straight path). */
static sumi_status restart_step(struct solver_run *run)
{
    double next = run->sigmas[run->place + 1];
    TRY(run_evaluate_here(run));
    run_draw(run, run->row[0]);
    rows_combine(run->threads, run->total, run->x, 2,
                 (struct row_term[]){{1 - next, run->clean}, {next, run->row[0]}});
    return SUMI_OK;
}

/* Refuses churn: more noise in x = (1 - sigma) x0 + sigma e means less signal, but churn only adds
   noise. */
static sumi_status flow_check(sumi_context *context, const struct solver_options *options,
                              const struct noise_path *path, struct grid *grid)
{
    (void)path, (void)grid;
    if (options->s_churn == 0) return SUMI_OK;
    return context_fail(
        context, SUMI_ERROR_ARGUMENT,
        "s_churn adds noise to x0 + sigma e, but the state of flow-euler is on a straight line "
        "between data and noise; use \"edm\" or \"euler\", or set stochastic_sampling");
}

/* Euler's step on a straight path; stochastic_sampling draws new noise at every step. */
static sumi_status flow_step(struct solver_run *run)
{
    return run->options->stochastic_sampling ? restart_step(run) : euler_step(run);
}

const struct solver_type solver_euler = {
    .name = "euler",
    .paper = "Karras, Aittala, Aila, Laine 2022, Elucidating the design space",
    .classes = {"EulerDiscreteScheduler"},
    .order = 1,
    .evaluations = 1,
    .rows = 2,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_sigma,
    .options = {churn_options},
    .step = euler_step,
};

const struct solver_type solver_euler_ancestral = {
    .name = "euler-ancestral",
    .paper = "Ho, Jain, Abbeel 2020, in sigma as in Karras et al. 2022",
    .classes = {"EulerAncestralDiscreteScheduler"},
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 2,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_sigma,
    .step = ancestral_step,
};

const struct solver_type solver_edm_euler = {
    .name = "edm-euler",
    .paper = "Karras, Aittala, Aila, Laine 2022, Elucidating the design space",
    .classes = {"EDMEulerScheduler"},
    .order = 1,
    .evaluations = 1,
    .rows = 2,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_edm,
    .options = {churn_options},
    .step = euler_step,
};

const struct solver_type solver_flow_euler = {
    .name = "flow-euler",
    .paper = "Liu, Gong, Liu 2022, Flow straight and fast",
    .classes = {"FlowMatchEulerDiscreteScheduler"},
    .order = 1,
    .evaluations = 1,
    .rows = 2,
    .scale = SCALE_STRAIGHT,
    .family = TIMES_REAL,
    .defaults = defaults_flow,
    .arrange = flow_check,
    .options = {flow_options},
    .step = flow_step,
};

const struct solver_type solver_flow_lcm = {
    .name = "flow-lcm",
    .paper = "Luo, Tan, Huang, Li, Zhao 2023, Latent consistency models, on a straight path",
    .classes = {"FlowMatchLCMScheduler"},
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 1,
    .scale = SCALE_STRAIGHT,
    .family = TIMES_REAL,
    .defaults = defaults_flow,
    .step = restart_step,
};
