/* SPDX-License-Identifier: Apache-2.0 */
/* "Fast sampling of diffusion models with exponential integrator" (DEIS), Zhang and Chen 2022, the
   variant log-rho: a polynomial in log(rho), rho = s / a, through the estimates of noise is
   integrated exactly over rho. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/exponential.h"
#include "solvers/polynomial.h"
#include "vectors/rows.h"

/* Of the variants that diffusers' class has, only this one is implemented. */
static const struct option deis_options[] = {
    {CHOICE_OPTION("algorithm_type", "deis", "deis", "the algorithm; deis only"),
     AT(algorithm_type), .first = ALGORITHM_FOREIGN},
    {CHOICE_OPTION("solver_type", "logrho", "logrho", "its variant; logrho only"), AT(solver_type),
     .first = VARIANT_LOGRHO},
    {.name = NULL},
};

enum { HISTORY = 3 };

/* Integral of u^k over rho = e^u from u = 0 to `end`: by parts, from e^end - 1 upwards. */
static double moment(int power, double end)
{
    double value = expm1(end);
    for (int k = 1; k <= power; k++) {
        double edge = isinf(end) ? 0 : pow(end, k) * exp(end);
        value = edge - k * value;
    }
    return value;
}

static sumi_status deis_step(struct solver_run *run)
{
    int order = exponential_order(run, (int)run->options->solver_order);
    struct level from = run_level(run, run->place), to = run_level(run, run->place + 1);
    double nodes[MOST_NODES] = {0}, basis[MOST_NODES];
    struct row_term terms[HISTORY + 1] = {{to.signal / from.signal, run->x}};
    TRY(run_evaluate_here(run));
    run_turn(run, 0, HISTORY);
    exponential_record(run, true, run->row[0]);
    for (int i = 0; i < order; i++) /* u = log(rho) relative to the current sigma */
        nodes[i] = from.log_ratio - run_level(run, run->place - i).log_ratio;
    for (int i = 0; i < order; i++) {
        double integral = 0;
        polynomial_basis(order, nodes, i, basis);
        for (int k = 0; k < order; k++)
            integral += basis[k] * moment(k, from.log_ratio - to.log_ratio);
        terms[i + 1] =
            (struct row_term){to.signal * from.noise / from.signal * integral, run->row[i]};
    }
    rows_combine(run->threads, run->total, run->x, order + 1, terms);
    return SUMI_OK;
}

static void deis_defaults(struct solver_options *options)
{
    defaults_sigma(options);
    options->final_sigmas_type = FINAL_SIGMA_LEAST;
}

const struct solver_type solver_deis = {
    .name = "deis",
    .paper = "Zhang, Chen 2022, Fast sampling with exponential integrator",
    .classes = {"DEISMultistepScheduler"},
    .order = 2,
    .evaluations = 1,
    .rows = HISTORY,
    .scale = SCALE_PRESERVING,
    .family = TIMES_WHOLE,
    .defaults = deis_defaults,
    .options = {deis_options, exponential_options, order_options},
    .step = deis_step,
};
