/* SPDX-License-Identifier: Apache-2.0 */
/* Linear multi-step (Adams-Bashforth with uneven steps) on the probability flow in sigma: a
   polynomial through the last four slopes is integrated exactly. Karras et al. 2022 call it "LMS";
   the method is that of Adams, 1883. */
#include "solvers/defaults.h"
#include "solvers/polynomial.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

/* The number of slopes in the step. After a late start diffusers also counts the places before it,
   whose slopes are missing, and omits their terms. */
static int step_order(const struct solver_run *run)
{
    int64_t known = run->options->compat == COMPATIBLE_DIFFUSERS ? run->place : run_made(run);
    return known < MOST_NODES - 1 ? (int)known + 1 : MOST_NODES;
}

static sumi_status lms_step(struct solver_run *run)
{
    double sigma = run->sigmas[run->place], next = run->sigmas[run->place + 1];
    struct row_term terms[MOST_NODES + 1] = {{1, run->x}};
    double nodes[MOST_NODES], basis[MOST_NODES];
    int order = step_order(run);
    TRY(run_evaluate_here(run));
    run_turn(run, 0, MOST_NODES);
    run_slope(run, sigma, run->row[0]);
    for (int i = 0; i < order; i++) nodes[i] = run->sigmas[run->place - i] - sigma;
    for (int i = 0; i < order; i++) {
        polynomial_basis(order, nodes, i, basis);
        terms[i + 1] =
            (struct row_term){polynomial_integral(order, basis, 0, next - sigma), run->row[i]};
    }
    rows_combine(run->threads, run->total, run->x, order + 1, terms);
    return SUMI_OK;
}

const struct solver_type solver_lms = {
    .name = "lms",
    .paper = "Adams's method in sigma, as in Karras et al. 2022",
    .classes = {"LMSDiscreteScheduler"},
    .order = 4,
    .evaluations = 1,
    .rows = MOST_NODES,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = defaults_sigma,
    .step = lms_step,
};
