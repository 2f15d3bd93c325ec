/* SPDX-License-Identifier: Apache-2.0 */
/* "SA-Solver: stochastic Adams solver for fast sampling of diffusion models", Xue, Yi, Luo, Zhang,
   Sun, Li and Ma 2023: an Adams-Bashforth predictor and an Adams-Moulton corrector without
   additional evaluations, for the equation with noise of strength tau (eq. 6; tau = 0 is the
   probability flow, 1 the reverse SDE). */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/exponential.h"
#include "solvers/polynomial.h"
#include "vectors/rows.h"

static const struct option sa_options[] = {
    {CHOICE_OPTION("algorithm_type", "data_prediction", "data_prediction|noise_prediction",
                   "what is integrated: the estimate of data or of noise"),
     AT(algorithm_type), .first = ALGORITHM_SA_DATA},
    {WHOLE_OPTION("predictor_order", "2", 1, 3, "order of the predictor"), AT(predictor_order)},
    {WHOLE_OPTION("corrector_order", "2", 0, 4, "order of the corrector; 0: none"),
     AT(corrector_order)},
    {FLAG_OPTION("lower_order_final", "true", "lower order in the last steps"),
     AT(lower_order_final)},
    {NUMBER_OPTION("tau", "1", 0, 10, "strength of the noise; 0: none"), AT(tau)},
    {NUMBER_OPTION("tau_start", "200", -1e6, 1e6, "least time at which noise is added"),
     AT(tau_start), "tau!=0"},
    {NUMBER_OPTION("tau_end", "800", -1e6, 1e6, "greatest time at which noise is added"),
     AT(tau_end), "tau!=0"},
    {.name = NULL},
};

enum { HISTORY = 4, START = HISTORY, NOISE, ROWS };

static const double longest_change = 0.25; /* in lambda */

static bool on_noise(const struct solver_run *run)
{
    return run->options->algorithm_type == ALGORITHM_SA_NOISE;
}

/* tau where the time is between tau_start and tau_end, which count times of a table or, on other
   paths, thousandths; 0 elsewhere. */
static double tau_at(const struct solver_run *run, int64_t place)
{
    const struct noise_path *path = run->path;
    double time = run->times[place];
    if (path->kind != PATH_TABLE) time = 1000 * fmin(path_own_time(path, time), 0.5);
    bool inside = time >= run->options->tau_start && time <= run->options->tau_end;
    return inside ? run->options->tau : 0;
}

/* Integral of exp(rate u) u^power over u from -h to 0, by parts. */
static double moment(int power, double rate, double h)
{
    double value = -expm1(-rate * h) / rate;
    for (int j = 1; j <= power; j++) {
        double edge = isinf(h) ? 0 : pow(-h, j) * exp(-rate * h);
        value = (-edge - j * value) / rate;
    }
    return value;
}

/* Computes x at `base` + 1 from row START at `base`: eqs. 14 and 17 with the `order` newest values
   in the rows. The newest is that of place `newest`: `base` for the predictor, `base` + 1 for the
   corrector. */
static void update(struct solver_run *run, int64_t base, int64_t newest, int order, double tau)
{
    struct level from = run_level(run, base), to = run_level(run, base + 1);
    double h = to.log_ratio - from.log_ratio, square = 1 + tau * tau;
    double rate = on_noise(run) ? -1 : square;
    double scale = square * (on_noise(run) ? -to.noise : to.signal);
    double nodes[HISTORY] = {0}, basis[HISTORY];
    struct row_term terms[HISTORY + 2];
    for (int i = 0; i < order && order > 1; i++)
        nodes[i] = run_level(run, newest - i).log_ratio - to.log_ratio;
    for (int i = 0; i < order; i++) {
        double weight = 0;
        polynomial_basis(order, nodes, i, basis);
        for (int j = 0; j < order; j++) weight += basis[j] * moment(j, rate, h);
        terms[i] = (struct row_term){scale * weight, run->row[i]};
    }
    /* the authors' modification, of third order in h; over long steps it would grow as h^2, while
       the integral that it is added to is bounded */
    if (order == 2 && !on_noise(run) && (run->options->as_class || h <= longest_change)) {
        double rest = (h * square + expm1(-square * h)) / (square * square);
        double gap = newest == base ? from.log_ratio - run_level(run, base - 1).log_ratio : h;
        double change = scale * (h * h / 2 - rest) / gap;
        terms[0].weight += change;
        terms[1].weight -= change;
    }
    double keep = exp(-tau * tau * h) * to.noise / from.noise;
    double deviation = to.noise * sqrt(-expm1(-2 * tau * tau * h));
    if (on_noise(run)) {
        keep = to.signal / from.signal;
        deviation = tau * to.noise * sqrt(expm1(2 * h));
    }
    terms[order] = (struct row_term){keep, run->row[START]};
    terms[order + 1] = (struct row_term){deviation, run->row[NOISE]};
    rows_combine(run->threads, run->total, run->x, order + 2, terms);
}

/* The order of the step from a place: at most the number of values so far, and less at the end. */
static int usual_order(const struct solver_run *run, int64_t place, int64_t order, int more)
{
    int64_t known = place - run->options->start_index + 1 + more;
    int64_t left = run->time_count - place + more;
    if (run->options->lower_order_final && left < order) order = left;
    if (run->sigmas[place + 1] == 0) order = 1;
    if (known < order) order = known;
    if (more && order <= 2) return (int)order; /* interpolates between values */
    return exponential_limit(run, place, (int)order);
}

static sumi_status sa_step(struct solver_run *run)
{
    const struct solver_options *options = run->options;
    int64_t place = run->place;
    TRY(run_evaluate_here(run));
    run_turn(run, 0, HISTORY);
    exponential_record(run, on_noise(run), run->row[0]);
    if (run_made(run) > 0 && options->corrector_order > 0) {
        int order = usual_order(run, place - 1, options->corrector_order, 1);
        update(run, place - 1, place, order, tau_at(run, place - 1));
    }
    rows_combine(run->threads, run->total, run->row[START], 1, &(struct row_term){1, run->x});
    run_draw(run, run->row[NOISE]);
    if (!exponential_is_plain(run, place) || run->sigmas[place + 1] == 0)
        update(run, place, place, usual_order(run, place, options->predictor_order, 0),
               tau_at(run, place));
    return SUMI_OK;
}

static sumi_status sa_check(sumi_context *context, const struct solver_options *options,
                            const struct noise_path *path, struct grid *grid)
{
    (void)path;
    bool noise = options->algorithm_type == ALGORITHM_SA_NOISE;
    if (!noise || grid->sigmas[grid->count] > 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "algorithm_type \"noise_prediction\" integrates the estimate of noise, "
                        "which is undefined at clean data: set final_sigmas_type to \"sigma_min\"");
}

static void sa_defaults(struct solver_options *options)
{
    defaults_sigma(options);
    options->final_sigmas_type = FINAL_SIGMA_LEAST;
}

const struct solver_type solver_sa = {
    .name = "sa",
    .paper = "Xue et al. 2023, SA-Solver",
    .classes = {"SASolverScheduler"},
    .order = 2,
    .evaluations = 1,
    .stochastic = true,
    .rows = ROWS,
    .scale = SCALE_PRESERVING,
    .family = TIMES_WHOLE,
    .defaults = sa_defaults,
    .arrange = sa_check,
    .options = {sa_options},
    .step = sa_step,
};
