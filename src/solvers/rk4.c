/* SPDX-License-Identifier: Apache-2.0 */
/* The classical Runge-Kutta method (Kutta 1901) on the probability flow of the straight scale,
   dx/dsigma = (x - x0hat) / sigma with x = (1 - sigma) x0 + sigma e (the velocity of Lipman et al.
   2022; any path is this one at another scale), or on the exploding scale where the noise is small
   (grid.h). The step to sigma 0 is Euler's, because the slope there is known only if the network
   predicts a velocity. */
#include "solvers/defaults.h"
#include "solvers/stages.h"
#include "vectors/rows.h"

enum { STAGES = 4 };

static sumi_status rk4_arrange(sumi_context *context, const struct solver_options *options,
                               const struct noise_path *path, struct grid *grid)
{
    return stages_insert(context, options, path, STAGES, (const double[]){0, 0.5, 0.5, 1}, true,
                         grid_scale(options, path, SCALE_NEAR), grid);
}

/* k1 at the start, k2 and k3 in the middle, k4 at the end: x + h (k1 + 2 k2 + 2 k3 + k4) / 6. */
static sumi_status rk4_step(struct solver_run *run)
{
    static const double reach[] = {0.5, 0.5, 1};
    struct stage stage = stage_here(run, STAGES);
    double h = run->sigmas[stage.next] - run->sigmas[stage.first];
    float **slopes = run->row, *start = run->row[STAGES];
    if (stage.late) return stage_late(run, &stage);
    TRY(run_evaluate_here(run));
    run_slope(run, run->sigmas[run->place], slopes[stage.number]);
    if (stage.number == 0)
        rows_combine(run->threads, run->total, start, 1, &(struct row_term){1, run->x});
    if (stage.plain) {
        stage_advance(run, start, h, slopes[0]);
    } else if (stage.number < STAGES - 1) {
        stage_advance(run, start, h * reach[stage.number], slopes[stage.number]);
    } else {
        struct row_term terms[] = {{1, start},
                                   {h / 6, slopes[0]},
                                   {h / 3, slopes[1]},
                                   {h / 3, slopes[2]},
                                   {h / 6, slopes[3]}};
        rows_combine(run->threads, run->total, run->x, 5, terms);
    }
    return SUMI_OK;
}

const struct solver_type solver_rk4 = {
    .name = "rk4",
    .paper = "Kutta 1901, on the flow of Lipman et al. 2022",
    .order = 4,
    .evaluations = 4,
    .rows = STAGES + 1,
    .scale = SCALE_NEAR,
    .family = TIMES_REAL,
    .defaults = defaults_sigma,
    .arrange = rk4_arrange,
    .step = rk4_step,
};
