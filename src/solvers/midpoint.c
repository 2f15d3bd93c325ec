/* SPDX-License-Identifier: Apache-2.0 */
/* The midpoint rule on the probability flow of the straight scale, dx/dsigma = (x - x0hat) / sigma
   with x = (1 - sigma) x0 + sigma e (the velocity of Lipman et al. 2022; any path is this one at
   another scale): an Euler step to the middle, and a whole step with the slope found there (Runge
   1895). */
#include "solvers/defaults.h"
#include "solvers/stages.h"
#include "vectors/rows.h"

enum { STAGES = 2 };

static sumi_status midpoint_arrange(sumi_context *context, const struct solver_options *options,
                                    const struct noise_path *path, struct grid *grid)
{
    return stages_insert(context, options, path, STAGES, (const double[]){0, 0.5}, true,
                         grid_scale(options, path, SCALE_BOUNDED), grid);
}

static sumi_status midpoint_step(struct solver_run *run)
{
    struct stage stage = stage_here(run, STAGES);
    double from = run->sigmas[stage.first], to = run->sigmas[stage.next];
    float *slope = run->row[0], *start = run->row[1];
    if (stage.late) return stage_late(run, &stage);
    TRY(run_evaluate_here(run));
    run_slope(run, run->sigmas[run->place], slope);
    if (stage.number == 0) {
        rows_combine(run->threads, run->total, start, 1, &(struct row_term){1, run->x});
        stage_advance(run, start, (to - from) / 2, slope);
    } else {
        stage_advance(run, start, to - from, slope);
    }
    return SUMI_OK;
}

const struct solver_type solver_midpoint = {
    .name = "midpoint",
    .paper = "Runge 1895, on the flow of Lipman et al. 2022",
    .order = 2,
    .evaluations = 2,
    .rows = 2,
    .scale = SCALE_BOUNDED,
    .family = TIMES_REAL,
    .defaults = defaults_sigma,
    .arrange = midpoint_arrange,
    .step = midpoint_step,
};
