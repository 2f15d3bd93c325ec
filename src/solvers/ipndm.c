/* The improved pseudo linear multi-step method of PNDM's authors (Liu et al. 2022), on the cosine
   path a = cos(pi t / 2), s = sin(pi t / 2), t in [0, 1], where the network predicts v. */
#include <math.h>

#include "noise/rows.h"
#include "solvers/defaults.h"
#include "solvers/exponential.h"

enum { HISTORY = 4 };

static const double half_pi = 1.57079632679489661923;
static const double least_signal = 1e-8; /* at t = 1 nothing of the data is left */

/* sin(pi t / 2) goes with the square of a sine in even steps. */
static sumi_status ipndm_arrange(sumi_context *context, const struct solver_options *options,
                                 struct grid *grid)
{
    bool told = options->prediction_type != PREDICTION_EPSILON
             && options->prediction_type != PREDICTION_SCORE;
    if (!told) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "ipndm starts without signal, where a prediction of noise tells nothing"
                            " about the data; prediction_type must be \"v_prediction\" or"
                            " \"sample\"");
    }
    int64_t count = options->timesteps.values ? options->timesteps.count
                  : options->steps ? options->steps : options->num_train_timesteps;
    TRY(grid_resize(context, grid, count));
    for (int64_t i = 0; i < count; i++) {
        double root = sin((1 - (double)i / (double)count) * half_pi);
        double time = options->timesteps.values ? options->timesteps.values[i]
                                                : asin(root * root) / half_pi;
        if (!(time > 0 && time <= 1)) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "the times of ipndm are above 0 and at most 1, not %g", time);
        }
        grid->times[i] = time;
        grid->sigmas[i] = tan(time * half_pi);
    }
    grid->sigmas[count] = 0;
    return SUMI_OK;
}

static sumi_status ipndm_step(struct solver_run *run)
{
    static const double weights[HISTORY][HISTORY] = {
        {1}, {3. / 2, -1. / 2}, {23. / 12, -16. / 12, 5. / 12},
        {55. / 24, -59. / 24, 37. / 24, -9. / 24}};
    struct level from = run_level(run, run->place), to = run_level(run, run->place + 1);
    int64_t known = run_made(run) + 1;
    int order = known < HISTORY ? (int)known : HISTORY;
    double ratio = to.signal / fmax(from.signal, least_signal);
    struct row_term terms[HISTORY + 1] = {{ratio, run->x}};
    TRY(run_evaluate_here(run));
    run_turn(run, 0, HISTORY);
    prediction_noise(&run->map, run->threads, run->total, run->x, run->prediction, run->row[0]);
    for (int i = 0; i < order; i++) {
        double weight = weights[order - 1][i] * (to.noise - ratio * from.noise);
        terms[i + 1] = (struct row_term){weight, run->row[i]};
    }
    rows_combine(run->threads, run->total, run->x, order + 1, terms);
    return SUMI_OK;
}

static void ipndm_defaults(struct solver_options *options)
{
    defaults_sigma(options);
    options->prediction_type = PREDICTION_V;
}

const struct solver_type solver_ipndm = {
    .name = "ipndm",
    .paper = "Liu, Ren, Lin, Zhao 2022, Pseudo numerical methods on manifolds",
    .classes = {"IPNDMScheduler"},
    .order = 4,
    .evaluations = 1,
    .rows = HISTORY,
    .scale = SCALE_PRESERVING,
    .family = TIMES_OWN,
    .defaults = ipndm_defaults,
    .arrange = ipndm_arrange,
    .step = ipndm_step,
};
