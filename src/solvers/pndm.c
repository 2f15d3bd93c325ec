/* SPDX-License-Identifier: Apache-2.0 */
/* "Pseudo numerical methods for diffusion models on manifolds", Liu, Ren, Lin and Zhao 2022: the
   classical multi-step and Runge-Kutta weights combine the network's predictions, and ddim's step
   (eq. 11) applies each combination. Three Runge-Kutta steps of four evaluations fill the history;
   with skip_prk_steps, one time is visited twice instead. */
#include <math.h>

#include "solvers/solver.h"
#include "vectors/rows.h"

static const struct option pndm_options[] = {
    {FLAG_OPTION("skip_prk_steps", "false",
                 "begin by visiting one time twice, instead of with Runge-Kutta steps"),
     AT(skip_prk_steps)},
    {.name = NULL},
};

enum { RUNGE_KUTTA_STEPS = 3, STAGES = 4, HISTORY = 4 };
enum { OPENING = RUNGE_KUTTA_STEPS * STAGES };

static sumi_status arrange_visits(sumi_context *context, const struct solver_options *options,
                                  const struct noise_path *path, const double *visited,
                                  int64_t count, struct grid *grid)
{
    bool skip = options->skip_prk_steps;
    TRY(grid_resize(context, grid, skip ? count + (count > 1) : count + OPENING - 3));
    context_release(context, grid->sigmas);
    grid->sigmas = NULL;
    for (int64_t place = 0; place < grid->count; place++) {
        int64_t step = place / STAGES, stage = place % STAGES;
        if (skip) {
            grid->times[place] = visited[place < 2 ? place : place - 1];
        } else if (place >= OPENING) {
            grid->times[place] = visited[place - OPENING + RUNGE_KUTTA_STEPS];
        } else {
            double half = (visited[step] - visited[step + 1]) / 2;
            if (path->kind == PATH_TABLE)
                half = options->compat ? (double)(path->count / count / 2) : floor(half);
            grid->times[place] = stage == 0   ? visited[step]
                                 : stage == 3 ? visited[step + 1]
                                              : visited[step + 1] + half;
        }
    }
    return SUMI_OK;
}

static sumi_status pndm_arrange(sumi_context *context, const struct solver_options *options,
                                const struct noise_path *path, struct grid *grid)
{
    int64_t count = grid->count;
    if (!options->skip_prk_steps && count <= RUNGE_KUTTA_STEPS) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "pndm starts with three Runge-Kutta steps and needs at least four"
                            " times, not %lld; or set skip_prk_steps",
                            (long long)count);
    }
    if (!options->skip_prk_steps && options->start_index > 0) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "pndm cannot begin between its Runge-Kutta steps; set skip_prk_steps"
                            " for a late start");
    }
    double *visited = grid->times;
    grid->times = NULL;
    grid->count = 0;
    sumi_status status = arrange_visits(context, options, path, visited, count, grid);
    context_release(context, visited);
    return status;
}

static float product_at(const struct solver_run *run, double time)
{
    return run_product(run, time, run_final_product(run));
}

/* What the history stores: the estimate of noise, or v itself, which is defined even where no
   signal is left. */
static enum prediction_type kept(const struct solver_run *run)
{
    bool v = run->options->prediction_type == PREDICTION_V && run->path->kind == PATH_TABLE;
    return v ? PREDICTION_V : PREDICTION_EPSILON;
}

/* Converts the last prediction to that. */
static void keep(struct solver_run *run)
{
    if (kept(run) == PREDICTION_V) return;
    prediction_noise(&run->map, run->threads, run->total, run->x, run->prediction, run->prediction);
}

/* Ddim's step on `state` between two times with the combined prediction. */
static void carry(struct solver_run *run, const float *state, double from, double to,
                  const float *prediction)
{
    double product = product_at(run, from), next = product_at(run, to);
    struct prediction_map map = prediction_map(
        kept(run), &(struct noise_level){.signal = sqrt(product), .noise = sqrt(1 - product)});
    struct row_term terms[] = {
        {sqrt(next) * map.clean_state + sqrt(1 - next) * map.noise_state, state},
        {sqrt(next) * map.clean_prediction + sqrt(1 - next) * map.noise_prediction, prediction}};
    rows_combine(run->threads, run->total, run->x, 2, terms);
}

/* combined = the sum of weights times the newest predictions, over the divisor. */
static void combine(struct solver_run *run, int order, float *combined)
{
    static const double weights[HISTORY][HISTORY] = {{1},
                                                     {3. / 2, -1. / 2},
                                                     {23. / 12, -16. / 12, 5. / 12},
                                                     {55. / 24, -59. / 24, 37. / 24, -9. / 24}};
    struct row_term terms[HISTORY];
    for (int i = 0; i < order; i++)
        terms[i] = (struct row_term){weights[order - 1][i], run->row[i]};
    rows_combine(run->threads, run->total, combined, order, terms);
}

static void copy(const struct solver_run *run, float *to, const float *from)
{
    rows_combine(run->threads, run->total, to, 1, &(struct row_term){1, from});
}

/* The four evaluations of a Runge-Kutta step: (e1 + 2 e2 + 2 e3 + e4) / 6. Where the distance is
   odd, the first ends half a time above the middle, as in diffusers. */
static void runge_kutta_stage(struct solver_run *run)
{
    static const double share[STAGES] = {1. / 6, 1. / 3, 1. / 3, 1. / 6};
    float *start = run->row[HISTORY], *sum = run->row[HISTORY + 1];
    int64_t stage = run->place % STAGES, first = run->place - stage;
    const double *times = run->times;
    if (stage == 0) {
        run_turn(run, 0, HISTORY);
        copy(run, run->row[0], run->prediction);
        copy(run, start, run->x);
    }
    rows_combine(run->threads, run->total, sum, 2,
                 (struct row_term[]){{stage > 0, sum}, {share[stage], run->prediction}});
    double half = times[first + 1] - times[first + 3];
    double to = stage == 0 ? times[first] - half : times[first + (stage == 1 ? 1 : 3)];
    carry(run, start, times[first], to, stage == 3 ? sum : run->prediction);
}

/* The number of different times in the list. */
static int64_t visited_count(const struct solver_run *run)
{
    int64_t count = run->time_count;
    return run->options->skip_prk_steps ? count - (count > 1) : count - OPENING + RUNGE_KUTTA_STEPS;
}

/* The multi-step part, to the next time or, with compat = diffusers, to t - floor(T / steps); the
   second visit of a time repeats the first step with the average, wherever the run started. */
static void multistep_stage(struct solver_run *run)
{
    bool skip = run->options->skip_prk_steps;
    float *start = run->row[HISTORY], *combined = run->row[HISTORY + 1];
    double time = run->times[run->place];
    double next = run_next_time(run);
    bool compatible = run->options->compat == COMPATIBLE_DIFFUSERS && run->path->kind == PATH_TABLE;
    bool repeats = skip && (compatible || run->options->start_index == 0);
    double distance = (double)(run->path->count / visited_count(run));
    if (compatible) next = time - distance;
    if (repeats && run_made(run) == 1) {
        struct row_term terms[] = {{0.5, run->prediction}, {0.5, run->row[0]}};
        double last = (double)(run->path->count - 1);
        rows_combine(run->threads, run->total, combined, 2, terms);
        carry(run, start, compatible ? fmin(time + distance, last) : run->times[0], time, combined);
        return;
    }
    run_turn(run, 0, HISTORY);
    copy(run, run->row[0], run->prediction);
    if (run_made(run) == 0) copy(run, start, run->x);
    int64_t known = skip ? run_made(run) + (repeats && run_made(run) > 1 ? 0 : 1) : HISTORY;
    combine(run, known < HISTORY ? (int)known : HISTORY, combined);
    carry(run, run->x, time, next, combined);
}

static sumi_status pndm_step(struct solver_run *run)
{
    double time = run->times[run->place];
    TRY(run_evaluate(run, time));
    if (kept(run) == PREDICTION_EPSILON && run_product(run, time, 1) == 0) {
        return context_fail(
            run->context, SUMI_ERROR_ARGUMENT,
            "pndm integrates the estimate of noise, which does not determine the data at time %g, "
            "where no signal is left; begin later (see timesteps), or use another solver",
            time);
    }
    keep(run);
    if (!run->options->skip_prk_steps && run->place < OPENING) runge_kutta_stage(run);
    else multistep_stage(run);
    return SUMI_OK;
}

static void pndm_defaults(struct solver_options *options)
{
    options->clip_sample = false;
    options->set_alpha_to_one = false;
}

const struct solver_type solver_pndm = {
    .name = "pndm",
    .paper = "Liu, Ren, Lin, Zhao 2022, Pseudo numerical methods on manifolds",
    .classes = {"PNDMScheduler"},
    .order = 2,
    .evaluations = 1,
    .rows = HISTORY + 2,
    .scale = SCALE_TABLE,
    .family = TIMES_TABLE,
    .defaults = pndm_defaults,
    .arrange = pndm_arrange,
    .options = {pndm_options, final_options},
    .ignored = LIMIT_NAMES,
    .step = pndm_step,
};
