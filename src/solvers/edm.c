/* SPDX-License-Identifier: Apache-2.0 */
/* Stochastic sampling of "Elucidating the design space of diffusion-based generative models",
   Karras, Aittala, Aila and Laine 2022, algorithm 2: noise is added ("churn") before each step of
   Heun's method, on the straight scale (grid.h). The network is evaluated after that noise, whereas
   diffusers' Euler evaluates it before. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/stages.h"
#include "vectors/rows.h"

enum { STAGES = 2 };

static sumi_status edm_arrange(sumi_context *context, const struct solver_options *options,
                               const struct noise_path *path, struct grid *grid)
{
    return stages_insert(context, options, path, STAGES, (const double[]){0, 1}, false,
                         SCALE_STRAIGHT, grid);
}

/* Line 5: the level that churn raises sigma to. s_tmin and s_tmax are levels s / a. */
static double raised(const struct solver_run *run, double sigma)
{
    const struct solver_options *options = run->options;
    double steps = (double)((run->time_count + 1) / STAGES), ratio = grid_ratio(run->scale, sigma);
    if (!(ratio >= options->s_tmin && ratio <= options->s_tmax) || isinf(ratio)) return sigma;
    return grid_sigma_of(run->scale, ratio * (1 + fmin(options->s_churn / steps, sqrt(2) - 1)));
}

static sumi_status edm_step(struct solver_run *run)
{
    struct stage stage = stage_here(run, STAGES);
    double sigma = run->sigmas[stage.first], next = run->sigmas[stage.next];
    double hat = raised(run, sigma);
    float *first = run->row[0], *start = run->row[1], *other = run->row[2];
    if (stage.late) return stage_late(run, &stage);
    if (stage.number == 0) {
        if (hat > sigma) stage_churn(run, sigma, hat, other); /* lines 4 and 6 */
        TRY(run_evaluate_at(run, hat,
                            hat > sigma ? run_time_at(run, hat) : run->times[run->place]));
        run_slope(run, hat, first); /* line 7 */
        rows_combine(run->threads, run->total, start, 1, &(struct row_term){1, run->x});
        stage_advance(run, start, next - hat, first); /* line 8 */
        return SUMI_OK;
    }
    TRY(run_evaluate_here(run));
    run_slope(run, next, other); /* line 10 */
    rows_combine(
        run->threads, run->total, run->x, 3, /* line 11 */
        (struct row_term[]){{1, start}, {(next - hat) / 2, first}, {(next - hat) / 2, other}});
    return SUMI_OK;
}

/* The paper's settings for ImageNet-64, table 5. */
static void edm_solver_defaults(struct solver_options *options)
{
    defaults_sigma(options);
    options->s_churn = 40;
    options->s_tmin = 0.05;
    options->s_tmax = 50;
    options->s_noise = 1.003;
}

const struct solver_type solver_edm = {
    .name = "edm",
    .paper = "Karras, Aittala, Aila, Laine 2022, Elucidating the design space",
    .order = 2,
    .evaluations = 2,
    .stochastic = true,
    .rows = 3,
    .scale = SCALE_STRAIGHT,
    .family = TIMES_REAL,
    .defaults = edm_solver_defaults,
    .arrange = edm_arrange,
    .options = {churn_options},
    .step = edm_step,
};
