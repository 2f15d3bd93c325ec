/* SPDX-License-Identifier: Apache-2.0 */
/* Solvers for networks that were distilled to predict the end of the trajectory directly: "Latent
   consistency models", Luo, Tan, Huang, Li and Zhao 2023 (lcm), and "Trajectory consistency
   distillation", Zheng et al. 2024 (tcd). They visit a few of the times of the distillation. */
#include <math.h>

#include "solvers/defaults.h"
#include "solvers/places.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

static const struct option distilled_options[] = {
    {WHOLE_OPTION("original_inference_steps", "50", 1, 1000000,
                  "number of times that the distillation used"),
     AT(original_inference_steps), "timesteps="},
    {.name = NULL},
};

static const struct option lcm_options[] = {
    {NUMBER_OPTION("timestep_scaling", "10", 0, 1e6, "factor of the time in c_skip and c_out"),
     AT(timestep_scaling)},
    {.name = NULL},
};

static const struct option tcd_options[] = {
    {NUMBER_OPTION("eta", "0.3", 0, 1, "fraction of the step that fresh noise makes up"), AT(eta)},
    {.name = NULL},
};

#define SPACING_NAMES "timestep_spacing|steps_offset|sigmas|sampling_eps|compat|" PLACING_NAMES

/* Chooses evenly, noisiest first, from the times of the distillation, which are k - 1, 2k - 1, ...,
   k = T / original_inference_steps. */
static sumi_status distilled_arrange(sumi_context *context, const struct solver_options *options,
                                     const struct noise_path *path, struct grid *grid)
{
    int64_t all = path->count;
    int64_t known = options->original_inference_steps, count = grid->count;
    bool numbered =
        path->kind != PATH_EDM && path->kind != PATH_COSINE && path->time_kind == TIME_DISCRETE;
    if (path->kind != PATH_TABLE && !numbered) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a distilled network needs whole times from 0 to T - 1, which this "
                            "path does not have (see path and timestep_type)");
    }
    if (isfinite(options->start_time)) {
        return context_fail(
            context, SUMI_ERROR_ARGUMENT,
            "a distilled network can begin only at a time of its distillation, not at %g",
            options->start_time);
    }
    if (options->timesteps.values) return SUMI_OK;
    if (!options->steps) count = known;
    if (known > all || count > known || count > grid->count) {
        return context_fail(
            context, SUMI_ERROR_ARGUMENT,
            "a distilled network was trained at %lld times (original_inference_steps) of the "
            "schedule's %lld, too few for %lld steps",
            (long long)known, (long long)all, (long long)count);
    }
    grid->count = count;
    for (int64_t i = 0; i < count; i++) {
        int64_t skipped = i * known / count;
        grid->times[i] = (double)((known - skipped) * (all / known) - 1);
    }
    return SUMI_OK;
}

/* Blends the network's estimate with the state, so that the result is the state at time 0 (Luo et
   al., eq. 9; sigma_data is 1/2). As in diffusers, the limits apply to the estimate before
   blending. */
static void read_blend(struct solver_run *run, const struct noise_level *level)
{
    const double data = 0.5;
    double scaled = run->times[run->place] * run->options->timestep_scaling;
    double square = scaled * scaled + data * data;
    double skip = data * data / square, out = scaled / sqrt(square);
    run_read(run, &run->map, run->prediction);
    rows_combine(run->threads, run->total, run->clean, 2,
                 (struct row_term[]){{out, run->clean}, {skip, run->x}});
    run->map.clean_state = out * run->map.clean_state + skip;
    run->map.clean_prediction *= out;
    run->map.noise_state = (1 - level->signal * run->map.clean_state) / level->noise;
    run->map.noise_prediction = -level->signal * run->map.clean_prediction / level->noise;
}

/* Adds fresh noise to the estimate, up to the level of the next time. */
static sumi_status lcm_step(struct solver_run *run)
{
    bool last = run->place + 1 == run->time_count;
    double next = last ? 1 : run_product(run, run_next_time(run), 1);
    float *noise = run->row[0];
    TRY(run_evaluate(run, run->times[run->place]));
    if (!last) run_draw(run, noise);
    rows_combine(run->threads, run->total, run->x, 2,
                 (struct row_term[]){{sqrt(next), run->clean}, {sqrt(1 - next), noise}});
    return SUMI_OK;
}

/* Algorithm 4: ddim's step to s = (1 - eta) next, then fresh noise up to the next time. The
   estimate of data is not limited, although diffusers' class has options for that. */
static sumi_status tcd_step(struct solver_run *run)
{
    double time = run->times[run->place], eta = run->options->eta;
    bool last = run->place + 1 == run->time_count;
    double next_time = last ? 0 : run_next_time(run);
    double next = run_product(run, next_time, 1);
    double between = run_product(run, floor((1 - eta) * next_time), 1);
    double share = last ? 1 : next / between;
    float *noise = run->row[0], *fresh = run->row[1];
    TRY(run_evaluate(run, time));
    prediction_clean(&run->map, run->threads, run->total, run->x, run->prediction, run->clean);
    prediction_noise(&run->map, run->threads, run->total, run->x, run->prediction, noise);
    if (share < 1) run_draw(run, fresh);
    struct row_term terms[] = {{sqrt(share * between), run->clean},
                               {sqrt(share * (1 - between)), noise},
                               {sqrt(1 - share), fresh}};
    rows_combine(run->threads, run->total, run->x, 3, terms);
    return SUMI_OK;
}

const struct solver_type solver_lcm = {
    .name = "lcm",
    .paper = "Luo, Tan, Huang, Li, Zhao 2023, Latent consistency models",
    .classes = {"LCMScheduler"},
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 1,
    .scale = SCALE_TABLE,
    .family = TIMES_TABLE,
    .defaults = defaults_distilled,
    .arrange = distilled_arrange,
    .options = {distilled_options, lcm_options},
    .ignored = SPACING_NAMES,
    .step = lcm_step,
    .read = read_blend,
};

const struct solver_type solver_tcd = {
    .name = "tcd",
    .paper = "Zheng et al. 2024, Trajectory consistency distillation",
    .classes = {"TCDScheduler"},
    .order = 1,
    .evaluations = 1,
    .stochastic = true,
    .rows = 2,
    .scale = SCALE_TABLE,
    .family = TIMES_TABLE,
    .defaults = defaults_distilled,
    .arrange = distilled_arrange,
    .options = {distilled_options, tcd_options},
    .ignored = SPACING_NAMES "|" LIMIT_NAMES,
    .step = tcd_step,
};
