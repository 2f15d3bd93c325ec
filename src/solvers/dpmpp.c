/* SPDX-License-Identifier: Apache-2.0 */
/* DPM-Solver and DPM-Solver++, multi-step: "DPM-Solver++: fast solver for guided sampling", Lu,
   Zhou, Bao, Chen, Li and Zhu 2022, algorithm 2, of orders 1 to 3, for the ODE and the SDE, on data
   and on noise. */
#include <string.h>

#include "solvers/defaults.h"
#include "solvers/exponential.h"
#include "solvers/places.h"
#include "vectors/rows.h"

static const struct option sde_options[] = {
    {CHOICE_OPTION("solver_type", "midpoint", "midpoint|heun", "weights of the second order"),
     AT(solver_type)},
    {.name = NULL},
};

enum { HISTORY = 3 };

/* The weights of the third order. The quadratic through three values has twice the divided
   difference as its second derivative; diffusers' class (and the authors' program) takes it once,
   which leaves a method of order two; for the SDE on data its constant has the wrong sign.
   THIRD_OF_CLASS reproduces the class's numbers; THIRD_EXACT, of dpmpp-3m and dpmpp-3m-sde, uses
   the derivative. */
enum third_order { THIRD_OF_CLASS, THIRD_EXACT };

static double curve_weight(const struct solver_run *run, const struct exponential *step,
                           enum third_order third)
{
    if (third == THIRD_EXACT) return 2 * step->curve;
    bool data_sde = exponential_algorithm(run->options) == ALGORITHM_DATA_SDE;
    return data_sde ? step->curve - run_level(run, run->place + 1).signal : step->curve;
}

/* Adds to the weights of the values m0, m1, m2 (at the current place and the two before) what the
   differences D0, D1 and D2, which are made of them, contribute to the step. */
static void weigh_values(const struct solver_run *run, int order, const struct exponential *step,
                         enum third_order third, double *weight)
{
    double h = run_level(run, run->place + 1).log_ratio - run_level(run, run->place).log_ratio;
    double gaps[HISTORY] = {0};
    for (int i = 0; i + 1 < order; i++) {
        gaps[i] = (run_level(run, run->place - i).log_ratio
                   - run_level(run, run->place - i - 1).log_ratio)
                  / h;
    }
    weight[0] = step->value;
    if (order == 2) {
        bool heun = run->options->solver_type == VARIANT_HEUN;
        double slope = (heun ? step->slope : step->value / 2) / gaps[0];
        weight[0] += slope;
        weight[1] -= slope;
    } else if (order == 3) {
        double far = step->slope * gaps[0] / (gaps[0] + gaps[1]);
        double curve = curve_weight(run, step, third) / (gaps[0] + gaps[1]);
        double recent = (step->slope + far + curve) / gaps[0], old = (far + curve) / gaps[1];
        weight[0] += recent;
        weight[1] -= recent + old;
        weight[2] += old;
    }
}

static sumi_status multistep(struct solver_run *run, enum algorithm algorithm, int most,
                             enum third_order third)
{
    bool noise = algorithm == ALGORITHM_NOISE || algorithm == ALGORITHM_NOISE_SDE;
    int order = exponential_order(run, most);
    struct level from = run_level(run, run->place), to = run_level(run, run->place + 1);
    struct exponential step = exponential_step(algorithm, &from, &to);
    double weight[HISTORY] = {0};
    TRY(run_evaluate_here(run));
    run_turn(run, 0, HISTORY);
    exponential_record(run, noise, run->row[0]);
    weigh_values(run, order, &step, third, weight);
    if (algorithm == ALGORITHM_DATA_SDE || algorithm == ALGORITHM_NOISE_SDE)
        run_draw(run, run->row[HISTORY]);
    struct row_term terms[] = {{step.state, run->x},
                               {weight[0], run->row[0]},
                               {weight[1], run->row[1]},
                               {weight[2], run->row[2]},
                               {step.noise, run->row[HISTORY]}};
    rows_combine(run->threads, run->total, run->x, 5, terms);
    return SUMI_OK;
}

static sumi_status configured_step(struct solver_run *run)
{
    return multistep(run, exponential_algorithm(run->options), (int)run->options->solver_order,
                     THIRD_OF_CLASS);
}

static sumi_status third_step(struct solver_run *run)
{
    return multistep(run, exponential_algorithm(run->options), 3, THIRD_EXACT);
}

static sumi_status sde_step(struct solver_run *run)
{
    return multistep(run, ALGORITHM_DATA_SDE, 2, THIRD_EXACT);
}

static sumi_status third_sde_step(struct solver_run *run)
{
    return multistep(run, ALGORITHM_DATA_SDE, 3, THIRD_EXACT);
}

/* Places from data to noise: on a table, times from 0 upwards, ending at the noisiest level; on
   other paths, the usual places in reverse order. */
static sumi_status inverse_arrange(sumi_context *context, const struct solver_options *options,
                                   const struct noise_path *path, struct grid *grid)
{
    enum algorithm algorithm = exponential_algorithm(options);
    if (algorithm == ALGORITHM_DATA_SDE || algorithm == ALGORITHM_NOISE_SDE) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "an inversion follows the probability flow, which draws no noise:"
                            " algorithm_type must be \"dpmsolver++\" or \"dpmsolver\"");
    }
    int64_t count = grid->count;
    for (int64_t i = 0, j = count - 1; i < j; i++, j--) {
        double time = grid->times[i], sigma = grid->sigmas[i];
        grid->times[i] = grid->times[j];
        grid->sigmas[i] = grid->sigmas[j];
        grid->times[j] = time;
        grid->sigmas[j] = sigma;
    }
    grid->sigmas[count] = grid->sigmas[count - 1];
    return places_from_data(context, options, path, grid);
}

/* diffusers' class rounds the times of Karras's and Lu's rule down on the cosine schedule only. */
static sumi_status multistep_arrange(sumi_context *context, const struct solver_options *options,
                                     const struct noise_path *path, struct grid *grid)
{
    bool cosine = strcmp(schedule_name(options->beta_schedule), "squaredcos_cap_v2") == 0;
    bool rounded = options->use_karras_sigmas || options->use_lu_lambdas;
    bool whole = path->kind == PATH_TABLE && path->time_kind == TIME_DISCRETE;
    for (int64_t i = 0; whole && cosine && rounded && i < grid->count; i++)
        grid->times[i] = places_cut_time(path, grid->sigmas[i]);
    return exponential_check(context, options, path, grid);
}

#define PAPER "Lu et al. 2022, DPM-Solver++"

const struct solver_type solver_dpmpp_2m = {
    .name = "dpmpp-2m",
    .paper = PAPER,
    .classes = {"DPMSolverMultistepScheduler"},
    .order = 2,
    .evaluations = 1,
    .rows = HISTORY + 1,
    .scale = SCALE_PRESERVING,
    .family = TIMES_WHOLE,
    .defaults = defaults_sigma,
    .arrange = multistep_arrange,
    .options = {exponential_options, multistep_options, order_options},
    .step = configured_step,
};

const struct solver_type solver_dpmpp_3m = {
    .name = "dpmpp-3m",
    .paper = PAPER,
    .order = 3,
    .evaluations = 1,
    .rows = HISTORY + 1,
    .scale = SCALE_PRESERVING,
    .family = TIMES_WHOLE,
    .defaults = defaults_sigma,
    .arrange = exponential_check,
    .options = {exponential_options, multistep_options},
    .step = third_step,
};

const struct solver_type solver_dpmpp_2m_sde = {
    .name = "dpmpp-2m-sde",
    .paper = PAPER,
    .order = 2,
    .evaluations = 1,
    .stochastic = true,
    .rows = HISTORY + 1,
    .scale = SCALE_PRESERVING,
    .family = TIMES_WHOLE,
    .defaults = defaults_sigma,
    .options = {exponential_options, sde_options},
    .step = sde_step,
};

const struct solver_type solver_dpmpp_3m_sde = {
    .name = "dpmpp-3m-sde",
    .paper = PAPER,
    .order = 2, /* for mean and variance; 3 where the noise is small */
    .evaluations = 1,
    .stochastic = true,
    .rows = HISTORY + 1,
    .scale = SCALE_PRESERVING,
    .family = TIMES_WHOLE,
    .defaults = defaults_sigma,
    .options = {exponential_options, sde_options},
    .step = third_sde_step,
};

const struct solver_type solver_dpmpp_inverse = {
    .name = "dpmpp-inverse",
    .paper = PAPER,
    .classes = {"DPMSolverMultistepInverseScheduler"},
    .order = 2,
    .evaluations = 1,
    .rows = HISTORY + 1,
    .scale = SCALE_PRESERVING,
    .family = TIMES_WHOLE,
    .defaults = defaults_sigma,
    .arrange = inverse_arrange,
    .options = {exponential_options, multistep_options, order_options},
    .ignored = "final_sigmas_type|interpolation_type",
    .step = configured_step,
};

const struct solver_type solver_edm_dpmpp = {
    .name = "edm-dpmpp",
    .paper = PAPER ", on the path of Karras et al. 2022",
    .classes = {"EDMDPMSolverMultistepScheduler"},
    .order = 2,
    .evaluations = 1,
    .rows = HISTORY + 1,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_edm,
    .arrange = exponential_check,
    .options = {exponential_options, multistep_options, order_options},
    .step = configured_step,
};
