/* SPDX-License-Identifier: Apache-2.0 */
/* See exponential.h. */
#include "solvers/exponential.h"

#include <math.h>

#include "vectors/rows.h"

enum { FEW_STEPS = 15, MOST_STRETCH = 2 };
static const double longest_parabola = 0.5;

const struct option exponential_options[] = {
    {FLAG_OPTION("lower_order_final", "true", "lower order in the last of fewer than 15 steps"),
     AT(lower_order_final)},
    {FLAG_OPTION("euler_at_final", "false", "Euler's method in the last step"), AT(euler_at_final)},
    {.name = NULL},
};

/* The choices are in the order of enum algorithm and enum solver_variant. */
const struct option multistep_options[] = {
    {CHOICE_OPTION("algorithm_type", "dpmsolver++",
                   "dpmsolver++|dpmsolver|sde-dpmsolver++|sde-dpmsolver",
                   "what is integrated: the estimate of data or of noise; by the ODE or the SDE"),
     AT(algorithm_type)},
    {CHOICE_OPTION("solver_type", "midpoint", "midpoint|heun", "weights of the second order"),
     AT(solver_type)},
    {.name = NULL},
};

const struct option order_options[] = {
    {WHOLE_OPTION("solver_order", "2", 1, 3, "order of accuracy"), AT(solver_order)},
    {.name = NULL},
};

/* With g = -h for data and g = h for noise (g = -2h for the SDE on data), integrating 1, u and
   u^2/2 against the exponential gives expm1(g), expm1(g) / g - 1 and (expm1(g) - g) / g^2 - 1/2. */
struct exponential exponential_step(enum algorithm algorithm, const struct level *from,
                                    const struct level *to)
{
    bool noise = algorithm == ALGORITHM_NOISE || algorithm == ALGORITHM_NOISE_SDE;
    bool random = algorithm == ALGORITHM_DATA_SDE || algorithm == ALGORITHM_NOISE_SDE;
    double h = to->log_ratio - from->log_ratio;
    double g = noise ? h : random ? -2 * h : -h;
    double scale = noise ? -to->noise * (random ? 2 : 1) : -to->signal;
    if (h == 0 || isnan(h))
        return (struct exponential){.state = noise ? to->signal / from->signal
                                                   : to->noise / from->noise};
    struct exponential step = {
        .state = noise ? to->signal / from->signal : to->noise / from->noise,
        .value = scale * expm1(g),
        .slope = scale * (expm1(g) / g - 1),
        .curve = isinf(h) ? 0 : scale * ((expm1(g) - g) / (g * g) - 0.5),
    };
    if (random) {
        if (!noise) step.state *= exp(-h);
        step.noise = to->noise * sqrt(fmax(noise ? expm1(2 * h) : -expm1(-2 * h), 0));
    }
    return step;
}

enum algorithm exponential_algorithm(const struct solver_options *options)
{
    return options->algorithm_type >= ALGORITHM_FOREIGN ? ALGORITHM_DATA
                                                        : (enum algorithm)options->algorithm_type;
}

void exponential_record(const struct solver_run *run, bool noise, float *row)
{
    struct level level = run_level(run, run->place);
    struct row_term terms[] = {{1, run->clean}, {0, run->x}};
    if (noise) {
        terms[0].weight = -level.signal / level.noise;
        terms[1].weight = 1 / level.noise;
    }
    rows_combine(run->threads, run->total, row, 2, terms);
}

bool exponential_is_plain(const struct solver_run *run, int64_t place)
{
    double from = run->sigmas[place], to = run->sigmas[place + 1];
    return to == 0 || fabs(to - from) < 1e-6 * from;
}

int exponential_limit(const struct solver_run *run, int64_t place, int order)
{
    if (run->options->as_class || order < 2) return order;
    double here = run_level(run, place).log_ratio;
    double step = fabs(run_level(run, place + 1).log_ratio - here);
    double before = fabs(here - run_level(run, place - 1).log_ratio);
    if (!(step <= MOST_STRETCH * before)) return 1;
    return step <= longest_parabola ? order : 2;
}

int exponential_order(const struct solver_run *run, int most)
{
    const struct solver_options *options = run->options;
    int64_t left = run->time_count - run->place;
    bool careful = options->lower_order_final && run->time_count < FEW_STEPS;
    if (exponential_is_plain(run, run->place)) return 1;
    if (left == 1 && (careful || options->euler_at_final)) return 1;
    if (left == 2 && careful && most > 2) most = 2;
    int64_t known = run_made(run) + 1;
    return exponential_limit(run, run->place, known < most ? (int)known : most);
}

sumi_status exponential_check(sumi_context *context, const struct solver_options *options,
                              const struct noise_path *path, struct grid *grid)
{
    /* diffusers ends a flow of these classes at the least level of the table */
    double product = path->schedule->alphas_cumprod[0];
    if (options->use_flow_sigmas && options->final_sigmas_type == FINAL_SIGMA_LEAST)
        grid->sigmas[grid->count] = sqrt((1 - product) / product);
    enum algorithm algorithm = exponential_algorithm(options);
    bool noise = algorithm == ALGORITHM_NOISE || algorithm == ALGORITHM_NOISE_SDE;
    if (!noise || grid->sigmas[grid->count] > 0) return SUMI_OK;
    return context_fail(
        context, SUMI_ERROR_ARGUMENT,
        "algorithm_type \"dpmsolver\" integrates the estimate of noise, which is undefined at "
        "clean data: set final_sigmas_type to \"sigma_min\", or algorithm_type to \"dpmsolver++\"");
}
