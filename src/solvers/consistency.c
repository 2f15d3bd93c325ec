/* SPDX-License-Identifier: Apache-2.0 */
/* Multi-step sampling of "Consistency models", Song, Dhariwal, Chen, Sutskever 2023, algorithm 1:
   the network maps a state of any level directly to data, and fresh noise takes that to the next
   level. The levels are the T levels by the rule of Karras et al. 2022 that the model was trained
   on. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/respacing.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

static const struct option consistency_options[] = {
    {NUMBER_OPTION("s_noise", "1", 0, 1e3, "standard deviation of the fresh noise"), AT(s_noise)},
    {NUMBER_OPTION("rho", "7", 1e-3, 1e3, "exponent of the rule that places the levels"), AT(rho),
     "path=edm"},
    {.name = NULL},
};

/* Every (T / steps)-th of the T levels, numbered from the noisiest, or those whose numbers are
   given as `timesteps`: number k stands for the level k places below the most. The steps go from
   the lowest number to the highest; diffusers lists them the other way round. */
static sumi_status consistency_arrange(sumi_context *context, const struct solver_options *options,
                                       const struct noise_path *path, struct grid *grid)
{
    const struct number_list *given = &options->timesteps;
    int64_t all = path->count, ratio = all / grid->count;
    double least = path_least(path), most = path_most(path);
    if (path->kind != PATH_EDM || options->sigmas.values) return SUMI_OK;
    if (isfinite(options->start_time)) {
        return context_fail(
            context, SUMI_ERROR_ARGUMENT,
            "a consistency model can begin only at a noise level of its training, not at time %g",
            options->start_time);
    }
    if (grid->count > all) {
        return context_fail(
            context, SUMI_ERROR_ARGUMENT,
            "a consistency model has %lld noise levels (num_train_timesteps), too few"
            " for %lld steps",
            (long long)all, (long long)grid->count);
    }
    for (int64_t i = 0; i < grid->count; i++) { /* diffusers counts the ramp from the other end */
        int64_t number = given->values ? (int64_t)given->values[grid->count - 1 - i] : i * ratio;
        if (number < 0 || number >= all) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "the levels of a consistency model are numbered from 0 to %lld;"
                                " timesteps cannot contain %lld",
                                (long long)all - 1, (long long)number);
        }
        grid->sigmas[i] = respacing_karras(least, most, options->rho, all, number);
        grid->times[i] = path_time(path, grid->sigmas[i]);
    }
    grid->sigmas[grid->count] = least;
    grid->init_noise_sigma = most;
    return SUMI_OK;
}

/* Appendix C: c_skip and c_out for which the model is the identity at the least level. Predictions
   other than the raw output determine x0 without them. */
static void read_boundary(struct solver_run *run, const struct noise_level *level)
{
    enum prediction_type type = (enum prediction_type)run->options->prediction_type;
    if (run->path->kind == PATH_EDM && (type == PREDICTION_EPSILON || type == PREDICTION_V)) {
        double sigma = level->noise, away = sigma - path_least(run->path);
        double data = run->path->sigma_data, skip = data * data / (away * away + data * data);
        double out = away * data / sqrt(sigma * sigma + data * data);
        if (type == PREDICTION_V) out = -out;
        run->map = (struct prediction_map){skip, out, (1 - skip) / sigma, -out / sigma};
    }
    run_read(run, &run->map, run->prediction);
}

static sumi_status consistency_step(struct solver_run *run)
{
    double next = run->sigmas[run->place + 1];
    double least = path_least(run->path), rise = sqrt(fmax(next * next - least * least, 0));
    float *noise = run->row[0];
    TRY(run_evaluate_here(run));
    if (run->time_count > 1) run_draw(run, noise);
    rows_combine(run->threads, run->total, run->x, 2,
                 (struct row_term[]){{1, run->clean}, {run->options->s_noise * rise, noise}});
    return SUMI_OK;
}

static void consistency_defaults(struct solver_options *options)
{
    defaults_edm(options);
    options->num_train_timesteps = 40;
    options->timestep_type = TIME_CONSISTENCY;
    options->clip_sample = true;
}

const struct solver_type solver_consistency = {
    .name = "consistency",
    .paper = "Song, Dhariwal, Chen, Sutskever 2023, Consistency models",
    .classes = {"CMStochasticIterativeScheduler"},
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 1,
    .scale = SCALE_EXPLODING,
    .family = TIMES_REAL,
    .defaults = consistency_defaults,
    .arrange = consistency_arrange,
    .options = {consistency_options},
    .ignored = "sigma_schedule|final_sigmas_type",
    .step = consistency_step,
    .read = read_boundary,
};
