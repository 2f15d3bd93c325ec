/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the order of a solver: its error against the number of steps, on data whose flow is
   known. */
#include <math.h>

#include "base/context.h"
#include "solvers/solver.h"

/* The data: a mixture of two Gaussians. The path: x0 + sigma e, from sigma 10 to 0.02; sigma is the
   time input of the network. */
static const struct {
    double weight, mean, deviation;
} parts[] = {{0.6, -0.6, 0.25}, {0.4, 0.7, 0.35}};
enum { PARTS = sizeof parts / sizeof *parts };

static const double most_sigma = 10, least_sigma = 0.02;
enum { STATES = 32 }; /* number of states, at evenly spaced quantiles */

/* The cumulative distribution function of the noised data at x. */
static double share_below(double sigma, double x)
{
    double share = 0;
    for (int k = 0; k < PARTS; k++) {
        double spread = hypot(parts[k].deviation, sigma);
        share += parts[k].weight * 0.5 * erfc((parts[k].mean - x) / (spread * sqrt(2)));
    }
    return share;
}

/* The state x0 + sigma e at a quantile. In one dimension the flow preserves the order of states,
   and so their quantiles. */
static double flow_place(double sigma, double quantile)
{
    double low = -100, high = 100;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        if (share_below(sigma, middle) < quantile) low = middle;
        else high = middle;
    }
    return (low + high) / 2;
}

/* The noise in x = x0 + sigma e, exactly: sigma times the score of the mixture, negated. */
static sumi_status mixture(void *user, int64_t count, int64_t item_size, int64_t output_size,
                           const float *x, const float *times, float *output)
{
    (void)user;
    (void)output_size;
    for (int64_t i = 0; i < count * item_size; i++) {
        double sigma = times[i / item_size], density = 0, pull = 0;
        for (int k = 0; k < PARTS; k++) {
            double variance = parts[k].deviation * parts[k].deviation + sigma * sigma;
            double away = x[i] - parts[k].mean;
            double part = parts[k].weight / sqrt(variance) * exp(-away * away / (2 * variance));
            density += part;
            pull += part * away / variance;
        }
        output[i] = (float)(sigma * pull / density);
    }
    return SUMI_OK;
}

/* The states of the flow at a sigma, on the solver's own scale: a x0 + s e = a (x0 + sigma e). */
static sumi_status flow_states(sumi_solver *solver, double sigma, double states[STATES])
{
    double signal = 0, noise = 0;
    sumi_status status = sumi_solver_level(solver, sigma, &signal, &noise);
    for (int i = 0; i < STATES; i++) states[i] = signal * flow_place(sigma, (i + 0.5) / STATES);
    return status;
}

/* The measurement is not defined for solvers that add noise, for rk45, whose steps are adaptive,
   and for inversions. */
static bool has_order(const struct solver_type *type)
{
    return !type->stochastic && type != &solver_rk45 && type != &solver_ddim_inverse
           && type != &solver_dpmpp_inverse;
}

static sumi_status check_order(const sumi_solver *solver)
{
    if (has_order(solver->type)) return SUMI_OK;
    return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                        "%s adds noise, adapts its steps or runs from data to noise, so its order "
                        "cannot be measured",
                        solver->type->name);
}

sumi_status sumi_convergence_prepare(sumi_solver *solver)
{
    static const char FIXED[] = /* each solver uses the options that it reads */
        "{\"_class_name\": \"SumiScheduler\", \"path\": \"ve\", \"sigma_min\": 0.02, "
        "\"sigma_max\": 10,"
        " \"use_karras_sigmas\": true, \"final_sigmas_type\": \"sigma_min\","
        " \"prediction_type\": \"epsilon\", \"clip_sample\": false, \"set_alpha_to_one\": false,"
        " \"lower_order_final\": false, \"compat\": \"none\"}";
    sumi_status status = check_order(solver);
    if (status == SUMI_OK) status = sumi_solver_configure(solver, FIXED);
    if (status == SUMI_OK) status = sumi_solver_set(solver, "timestep_type", "sigma");
    return status;
}

/* The root mean square, over all states, of the error after a number of steps. */
static sumi_status measure(sumi_solver *solver, int64_t steps, double *error)
{
    const int64_t shape[] = {STATES};
    double start[STATES], end[STATES], sum = 0;
    float x[STATES];
    sumi_status status =
        sumi_solver_set_number(solver, "steps", (double)steps + 1); /* both ends are places */
    if (status == SUMI_OK && sumi_solver_times(solver, NULL, 0) == 0) status = SUMI_ERROR_ARGUMENT;
    if (status == SUMI_OK) status = flow_states(solver, most_sigma, start);
    if (status == SUMI_OK) status = flow_states(solver, least_sigma, end);
    for (int i = 0; i < STATES && status == SUMI_OK; i++) x[i] = (float)start[i];
    if (status == SUMI_OK) status = sumi_solver_run(solver, mixture, NULL, 1, shape, x, NULL, NULL);
    for (int i = 0; i < STATES && status == SUMI_OK; i++) sum += (x[i] - end[i]) * (x[i] - end[i]);
    *error = sqrt(sum / STATES);
    return status;
}

/* The negative slope of a line through the logarithms of the last three errors above rounding; NAN
   where fewer than two are left. */
static double fit_order(int count, const int64_t *steps, const double *errors)
{
    const double rounding = 1e-6;
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = count - 1; i >= 0 && n < 3; i--) {
        if (!(errors[i] > rounding)) continue;
        double x = log((double)steps[i]), y = log(errors[i]);
        n++;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    return n < 2 ? NAN : -(n * sxy - sx * sy) / (n * sxx - sx * sx);
}

/* Requires numbers of steps that increase, from 1. */
static sumi_status check_steps(const sumi_solver *solver, int count, const int64_t *steps)
{
    for (int i = 0; i < count; i++) {
        if (steps[i] > (i ? steps[i - 1] : 0)) continue;
        return context_fail(solver->context, SUMI_ERROR_ARGUMENT,
                            "the numbers of steps to measure a solver with must increase from 1 or "
                            "more, but number %d is %lld",
                            i, (long long)steps[i]);
    }
    return check_order(solver);
}

sumi_status sumi_convergence_measure(sumi_solver *solver, int count, const int64_t *steps,
                                     double *errors, double *order)
{
    sumi_status status = check_steps(solver, count, steps);
    for (int i = 0; i < count && status == SUMI_OK; i++)
        status = measure(solver, steps[i], &errors[i]);
    if (status == SUMI_OK && order) *order = fit_order(count, steps, errors);
    return status;
}
