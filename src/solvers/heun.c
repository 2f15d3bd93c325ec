/* SPDX-License-Identifier: Apache-2.0 */
/* Heun's method on the probability flow in sigma: Karras et al. 2022, algorithm 1. Every time but
   the first stands twice in the list, once for each evaluation; the last step, to sigma 0, is
   Euler's. Where no class of diffusers is followed, sigma is that of a straight path, on which few
   and long steps go well (grid.h). */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/stages.h"
#include "vectors/rows.h"

/* t0 t1 t1 t2 t2 ...: a trial step ends at the first copy and the true one starts at the second. */
static sumi_status heun_arrange(sumi_context *context, const struct solver_options *options,
                                const struct noise_path *path, struct grid *grid)
{
    return stages_insert(context, options, path, 2, (const double[]){0, 1}, false,
                         grid_scale(options, path, SCALE_BOUNDED), grid);
}

/* Algorithm 2, line 5, the way that diffusers has it for flows: noise is stirred in after the
   network has seen the state (the solver "edm" does it before), by the class without a thought to
   the signal. Returns the level that sigma is raised to; `stirred` receives the noise. */
static double churn(struct solver_run *run, double sigma, bool trial, float *stirred)
{
    const struct solver_options *options = run->options;
    if (sigma < options->s_tmin || sigma > options->s_tmax || options->s_churn == 0) return sigma;
    double more = 1 + fmin(options->s_churn / (double)run->time_count, sqrt(2) - 1);
    double raised = options->as_class
                        ? sigma * more
                        : grid_sigma_of(run->scale, more * grid_ratio(run->scale, sigma));
    if (!trial || raised == sigma) return raised;
    if (options->as_class) {
        run_draw(run, stirred);
        stage_advance(run, run->x, options->s_noise * sqrt(raised * raised - sigma * sigma),
                      stirred);
    } else {
        stage_stir(run, sigma, raised, stirred);
    }
    run_read_again(run, options->as_class ? sigma : raised);
    return raised;
}

static sumi_status heun_step(struct solver_run *run)
{
    double sigma = run->sigmas[run->place], next = run->sigmas[run->place + 1];
    float *first = run->row[0], *start = run->row[1], *second = run->row[2];
    bool trial = run->place % 2 == 0;
    TRY(run_evaluate_here(run));
    if (!trial && run_made(run) == 0) return SUMI_OK; /* begun between the two: go from here */
    double raised = churn(run, trial ? sigma : run->sigmas[run->place - 1], trial, second);
    run_slope(run, trial ? raised : sigma, trial ? first : second);
    if (trial) {
        rows_combine(run->threads, run->total, start, 1, &(struct row_term){1, run->x});
        rows_combine(run->threads, run->total, run->x, 2,
                     (struct row_term[]){{1, run->x}, {next - raised, first}});
    } else {
        double half = (sigma - raised) / 2;
        rows_combine(run->threads, run->total, run->x, 3,
                     (struct row_term[]){{1, start}, {half, first}, {half, second}});
    }
    return SUMI_OK;
}

const struct solver_type solver_heun = {
    .name = "heun",
    .paper = "Karras, Aittala, Aila, Laine 2022, Elucidating the design space",
    .classes = {"HeunDiscreteScheduler", "SumiPathScheduler"},
    .order = 2,
    .evaluations = 2,
    .rows = 3,
    .scale = SCALE_BOUNDED,
    .family = TIMES_REAL,
    .defaults = defaults_latent,
    .arrange = heun_arrange,
    .options = {churn_options},
    .step = heun_step,
};

const struct solver_type solver_flow_heun = {
    .name = "flow-heun",
    .paper = "Liu, Gong, Liu 2022, Flow straight and fast",
    .classes = {"FlowMatchHeunDiscreteScheduler"},
    .order = 2,
    .evaluations = 2,
    .rows = 3,
    .scale = SCALE_STRAIGHT,
    .family = TIMES_REAL,
    .defaults = defaults_flow,
    .arrange = heun_arrange,
    .options = {churn_options},
    .step = heun_step,
};
