/* SPDX-License-Identifier: Apache-2.0 */
/* Dormand and Prince's method with adaptive steps on the probability flow, as in Song et al. 2021,
   section 4.3: dx/dsigma = (x - x0hat) / sigma, or dx/dlog(sigma) = x - x0hat where sigma covers
   several decades. In sigma, the steps of the noisy end would be as long as the whole clean end,
   where the flow bends. The estimated error of each step is kept below atol + rtol |x|. Each entry
   of the list is an interval, usually the only one, that is crossed by as many steps as needed. At
   sigma 0 the slope is known only if the network predicts a velocity; otherwise it integrates to
   the path's least noise and ends with Euler's step. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/integrate.h"
#include "solvers/solver.h"
#include "solvers/stages.h"

static const struct option rk45_options[] = {
    {NUMBER_OPTION("rtol", "1e-05", 0, 1, "tolerance of a step's error, relative to the state"),
     AT(rtol)},
    {NUMBER_OPTION("atol", "1e-05", 0, 1e6, "tolerance of a step's error, absolute"), AT(atol)},
    {.name = NULL},
};

enum { FIRST_GUESS = 20, MOST_EVALUATIONS = 100000 };

/* The variable of integration: sigma on a straight path, where it goes from 1 to 0, else
   log(sigma). */
static double time_of(const struct solver_run *run, double sigma)
{
    return run->scale == SCALE_STRAIGHT ? sigma : log(sigma);
}

static sumi_status slope_at(void *user, double time, const double *y, double *slope)
{
    struct solver_run *run = user;
    bool straight = run->scale == SCALE_STRAIGHT;
    double sigma = straight ? time : exp(time), rate = straight ? 1 : sigma;
    float *row = run->row[0];
    for (int64_t i = 0; i < run->total; i++) run->x[i] = (float)y[i];
    TRY(run_evaluate_at(run, sigma, run_time_at(run, sigma)));
    run_slope(run, sigma, row);
    for (int64_t i = 0; i < run->total; i++) slope[i] = rate * row[i];
    return SUMI_OK;
}

/* Integrates from one sigma to another; the state is rounded to float32 for the network. */
static sumi_status integrate(struct solver_run *run, double from, double to)
{
    const struct ode_options options = {.method = ODE_RK45,
                                        .steps = FIRST_GUESS,
                                        .relative = run->options->rtol,
                                        .absolute = run->options->atol,
                                        .most_evaluations = MOST_EVALUATIONS,
                                        .memory = run->doubles};
    double *y = run->doubles + ODE_ROWS * run->total;
    for (int64_t i = 0; i < run->total; i++) y[i] = run->x[i];
    sumi_status status = ode_integrate(run->context, &options, slope_at, run, run->total, y,
                                       time_of(run, from), time_of(run, to), NULL);
    for (int64_t i = 0; status == SUMI_OK && i < run->total; i++) run->x[i] = (float)y[i];
    return status;
}

static sumi_status rk45_step(struct solver_run *run)
{
    double from = run->sigmas[run->place], to = run->sigmas[run->place + 1];
    enum prediction_type type = (enum prediction_type)run->options->prediction_type;
    bool velocity = type == PREDICTION_FLOW || type == PREDICTION_VELOCITY;
    bool known = to > 0 || (velocity && run->scale == SCALE_STRAIGHT);
    double least = known ? to : grid_sigma_of(run->scale, path_least(run->path));
    if (least < from) TRY(integrate(run, from, least));
    if (known) return SUMI_OK;
    least = fmin(least, from);
    TRY(run_evaluate_at(run, least, run_time_at(run, least)));
    run_slope(run, least, run->row[0]);
    stage_advance(run, run->x, -least, run->row[0]);
    return SUMI_OK;
}

/* The intervals begin at the noisy end of the path, unlike the spaced steps of other solvers. */
static sumi_status rk45_arrange(sumi_context *context, const struct solver_options *options,
                                const struct noise_path *path, struct grid *grid)
{
    struct solver_options even = *options;
    if (options->timestep_spacing == SPACING_LINSPACE || options->timesteps.values) return SUMI_OK;
    even.timestep_spacing = SPACING_LINSPACE;
    grid_release(context, grid);
    return grid_build(context, &even, path, grid_scale(&even, path, SCALE_NATURAL), TIMES_REAL,
                      grid);
}

static void rk45_defaults(struct solver_options *options)
{
    defaults_sigma(options);
    options->steps = 1;
}

const struct solver_type solver_rk45 = {
    .name = "rk45",
    .paper = "Dormand, Prince 1980, as in Song et al. 2021, Score-based generative modeling",
    .order = 5,
    .evaluations = 6, /* of an accepted step; the tolerance determines how many steps */
    .rows = 1,
    .double_rows = ODE_ROWS + 1,
    .scale = SCALE_NATURAL,
    .family = TIMES_REAL,
    .defaults = rk45_defaults,
    .arrange = rk45_arrange,
    .options = {rk45_options},
    .ignored = "timestep_spacing|steps_offset",
    .step = rk45_step,
};
