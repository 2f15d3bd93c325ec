/* SPDX-License-Identifier: Apache-2.0 */
/* DPM-Solver++ single-step: Lu et al. 2022, algorithm 1. A step of order k makes k evaluations at
   consecutive places of the list, each reached from the start of the step. */
#include "solvers/defaults.h"
#include "solvers/exponential.h"
#include "vectors/rows.h"

static const struct option single_options[] = {
    {FLAG_OPTION("lower_order_final", "false", "lower order in the last steps"),
     AT(lower_order_final)},
    {.name = NULL},
};

enum { HISTORY = 3 };

/* The number of a place's evaluation within its step, from 1. The last step has fewer evaluations
   where lower_order_final or the number of places requires it; a step to clean data is always
   Euler's. */
static int place_order(const struct solver_run *run)
{
    const struct solver_options *options = run->options;
    int64_t most = options->solver_order, count = run->time_count, place = run->place;
    bool lower = options->lower_order_final || count % most || run->sigmas[count] == 0;
    int order = (int)(place % most) + 1;
    if (lower && count % most == 0) { /* the last step is split into one of lower order and
                                         Euler's */
        if (place == count - 1) order = 1;
    }
    if (exponential_is_plain(run, place)) order = 1;
    int64_t known = run_made(run) + 1;
    return known < order ? (int)known : order;
}

/* Computes the weights of the values m0 (here), m1 and m2 (at the start of the step) from the
   exponential step; the gaps are distances in lambda from the start, as fractions of the whole
   step. */
static void weigh_values(const struct solver_run *run, int order, const struct exponential *step,
                         double *weight)
{
    double start = run_level(run, run->place - order + 1).log_ratio;
    double h = run_level(run, run->place + 1).log_ratio - start;
    bool heun = run->options->solver_type == VARIANT_HEUN;
    weight[order - 1] = step->value;
    if (order == 1) return;
    double recent = (run_level(run, run->place).log_ratio - start) / h;
    if (order == 2) {
        double slope = (heun ? step->slope : step->value / 2) / recent;
        weight[0] += slope;
        weight[1] -= slope;
        return;
    }
    double old = (run_level(run, run->place - 1).log_ratio - start) / h;
    double of_recent = step->slope, of_old = 0; /* of (m0 - m2) / recent and (m1 - m2) / old */
    if (heun) {
        of_recent = (2 * step->curve - old * step->slope) / (recent - old);
        of_old = (recent * step->slope - 2 * step->curve) / (recent - old);
    }
    weight[0] += of_recent / recent;
    weight[1] += of_old / old;
    weight[2] -= of_recent / recent + of_old / old;
}

static sumi_status single_step(struct solver_run *run)
{
    enum algorithm algorithm = exponential_algorithm(run->options);
    int order = place_order(run);
    double weight[HISTORY] = {0};
    float *start = run->row[HISTORY], *noise = run->row[HISTORY + 1];
    struct level from = run_level(run, run->place - order + 1);
    struct level to = run_level(run, run->place + 1);
    struct exponential step = exponential_step(algorithm, &from, &to);
    TRY(run_evaluate_here(run));
    run_turn(run, 0, HISTORY);
    exponential_record(run, algorithm == ALGORITHM_NOISE || algorithm == ALGORITHM_NOISE_SDE,
                       run->row[0]);
    if (order == 1) rows_combine(run->threads, run->total, start, 1, &(struct row_term){1, run->x});
    weigh_values(run, order, &step, weight);
    if (step.noise > 0) run_draw(run, noise);
    struct row_term terms[] = {{step.state, start},
                               {weight[0], run->row[0]},
                               {weight[1], run->row[1]},
                               {weight[2], run->row[2]},
                               {step.noise, noise}};
    rows_combine(run->threads, run->total, run->x, 5, terms);
    return SUMI_OK;
}

const struct solver_type solver_dpmpp_2s = {
    .name = "dpmpp-2s",
    .paper = "Lu et al. 2022, DPM-Solver++",
    .classes = {"DPMSolverSinglestepScheduler"},
    .order = 2,
    .evaluations = 2,
    .rows = HISTORY + 2,
    .scale = SCALE_PRESERVING,
    .family = TIMES_WHOLE,
    .defaults = defaults_sigma,
    .arrange = exponential_check,
    .options = {single_options, multistep_options, order_options},
    .step = single_step,
};
