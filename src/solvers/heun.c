/* SPDX-License-Identifier: Apache-2.0 */
/* Heun's method on the probability flow in sigma: Karras et al. 2022, algorithm 1. Every time but
   the first is in the list twice, once for each evaluation; the last step, to sigma 0, is Euler's.
   Unless a class of diffusers is followed, sigma is that of a straight path, on which a few long
   steps suffice (grid.h). */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/stages.h"
#include "vectors/rows.h"

/* t0 t1 t1 t2 t2 ...: the trial step ends at the first copy, and the next step starts at the
   second. */
static sumi_status heun_arrange(sumi_context *context, const struct solver_options *options,
                                const struct noise_path *path, struct grid *grid)
{
    return stages_insert(context, options, path, 2, (const double[]){0, 1}, false,
                         grid_scale(options, path, SCALE_BOUNDED), grid);
}

/* Algorithm 2, line 5: the level that a step's sigma is raised to. */
static double raised_sigma(const struct solver_run *run, double sigma)
{
    const struct solver_options *options = run->options;
    if (sigma < options->s_tmin || sigma > options->s_tmax || options->s_churn == 0) return sigma;
    double more = 1 + fmin(options->s_churn / (double)run->time_count, sqrt(2) - 1);
    return options->as_class ? sigma * more
                             : grid_sigma_of(run->scale, more * grid_ratio(run->scale, sigma));
}

/* An evaluation and the noise of the churn, added as in diffusers for flows: after the network has
   seen the state (the solver "edm" adds it before), and diffusers' class does not scale the signal.
   The estimate is of the state with the noise. `fresh` receives the noise. */
static sumi_status evaluate_with_noise(struct solver_run *run, double sigma, double raised,
                                       float *fresh)
{
    const struct solver_options *options = run->options;
    if (raised == sigma) return run_evaluate_here(run);
    TRY(run_ask_here(run));
    if (options->as_class) {
        run_draw(run, fresh);
        stage_advance(run, run->x, options->s_noise * sqrt(raised * raised - sigma * sigma), fresh);
    } else {
        stage_churn(run, sigma, raised, fresh);
    }
    return run_read_at(run, options->as_class ? sigma : raised);
}

static sumi_status heun_step(struct solver_run *run)
{
    double sigma = run->sigmas[run->place], next = run->sigmas[run->place + 1];
    float *first = run->row[0], *start = run->row[1], *second = run->row[2];
    bool trial = run->place % 2 == 0;
    double raised = raised_sigma(run, trial ? sigma : run->sigmas[run->place - 1]);
    TRY(trial ? evaluate_with_noise(run, sigma, raised, second) : run_evaluate_here(run));
    if (!trial && run_made(run) == 0)
        return SUMI_OK; /* the run started between the two
                           evaluations: continue from here */
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
