/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of every solver: memory for a run, evaluations of the denoiser, the walk over the time
   list. Nothing is allocated between the first step and the last. */
#include <math.h>
#include <string.h>

#include "solvers/limit.h"
#include "solvers/solver.h"
#include "vectors/rows.h"

/* Options of every run. */
const struct option run_options[] = {
    {SEED_OPTION("seed", "0", "seed of the noise"), AT(seed)},
    {CHOICE_OPTION("rng", "philox", "philox|torch", "random stream; torch: that of PyTorch"),
     AT(rng)},
    {WHOLE_OPTION("first_item", "0", 0, 0x1p40,
                  "number of the state's first item, for a batch that is solved in parts"),
     AT(first_item)},
    {CHOICE_OPTION("channels", "last", "last|first", "which axis of a state holds the channels"),
     AT(channels)},
    {WHOLE_OPTION("start_index", "0", 0, 1000000,
                  "index into the list of times where the run begins"),
     AT(start_index)},
    {NUMBER_OPTION("start_time", "inf", -1e6, INFINITY,
                   "time where the run begins, also between those of the list; inf: at the first"),
     AT(start_time)},
    {CHOICE_OPTION("compat", "none", "none|diffusers",
                   "diffusers: also reproduce that library's errors"),
     AT(compat)},
    {.name = NULL},
};

/* The choices are in the order of enum prediction_type. */
const struct option prediction_options[] = {
    {CHOICE_OPTION("prediction_type", "epsilon",
                   "epsilon|sample|v_prediction|score|flow_prediction|velocity",
                   "what the network predicts"),
     AT(prediction_type)},
    {.name = NULL},
};

const struct option output_options[] = {
    {CHOICE_OPTION("variance_type", "fixed_small", VARIANCE_CHOICES,
                   "learned or learned_range: the network's output has twice the channels"),
     AT(variance_type), .unread = "fixed_small_log|fixed_large|fixed_large_log"},
    {.name = NULL},
};

/* Options of solvers that call run_final_product. */
const struct option final_options[] = {
    {FLAG_OPTION("set_alpha_to_one", "true",
                 "the last step ends at clean data; false: at the level of the first time"),
     AT(set_alpha_to_one)},
    {.name = NULL},
};

/* Returns the next `count` floats of the run's memory, in whole cache lines; without memory only
   counts them. */
static float *carve(const struct solver_run *run, int64_t *used, int64_t count)
{
    float *part = run->memory ? run->memory + *used : NULL;
    *used += (count + 15) / 16 * 16;
    return part;
}

/* Whether the network's input is the solver's state, unscaled. */
static bool keeps_scale(const struct solver_run *run)
{
    enum path_kind kind = run->path->kind;
    if (run->scale == SCALE_OWN) return kind != PATH_EDM;
    if (run->scale == SCALE_STRAIGHT) return kind == PATH_FLOW;
    bool preserving = run->scale == SCALE_TABLE || run->scale == SCALE_PRESERVING;
    return preserving && (kind == PATH_TABLE || kind == PATH_VP || kind == PATH_COSINE);
}

/* Lays out every buffer of the run; returns how many floats they take. */
static int64_t lay_out(const sumi_solver *solver, struct solver_run *run)
{
    int64_t used = 0, total = run->total;
    bool learned = solver->options.variance_type >= VARIANCE_LEARNED; /* doubles the output */
    run->output = carve(run, &used, learned ? 2 * total : total);
    run->prediction = learned ? carve(run, &used, total) : run->output;
    run->variance = learned ? carve(run, &used, total) : NULL;
    run->clean = carve(run, &used, total);
    for (int i = 0; i < solver->type->rows; i++) run->row[i] = carve(run, &used, total);
    run->doubles = (double *)carve(run, &used, 2 * total * solver->type->double_rows);
    run->input = keeps_scale(run) ? NULL : carve(run, &used, total);
    run->call_times = carve(run, &used, run->shape.items);
    if (run->options->thresholding || random_needs_scratch(run->random, &run->shape))
        run->scratch = carve(run, &used, total);
    return used;
}

/* Splits the doubled channels of a network's output[positions, 2 channels] into two rows. */
static void split_output(struct solver_run *run)
{
    int64_t channels = run->shape.channels, positions = run->total / channels;
    for (int64_t p = 0; p < positions; p++) {
        const float *from = run->output + 2 * p * channels;
        memcpy(run->prediction + p * channels, from, (size_t)channels * sizeof *from);
        memcpy(run->variance + p * channels, from + channels, (size_t)channels * sizeof *from);
    }
}

static sumi_status call_denoiser(struct solver_run *run, const float *input, double time)
{
    sumi_context *context = run->context;
    long long step = (long long)run->place;
    for (int64_t i = 0; i < run->shape.items; i++) run->call_times[i] = (float)time;
    context->message[0] = '\0';
    int64_t item_size = run->shape.item_size;
    int64_t output_size = run->variance ? 2 * item_size : item_size;
    run->evaluations++;
    sumi_status status = run->denoiser(run->denoiser_user, run->shape.items, item_size, output_size,
                                       input, run->call_times, run->output);
    if (status != SUMI_OK) {
        if (context->message[0]) return status; /* the denoiser has set a message */
        return context_fail(context, status, "the denoiser ended step %lld (time %g) with \"%s\"",
                            step, time, sumi_status_name(status));
    }
    int64_t written = run->variance ? 2 * run->total : run->total;
    if (!rows_are_finite(run->threads, written, run->output)) {
        return context_fail(context, SUMI_ERROR_NUMBER,
                            "step %lld (time %g): the denoiser wrote a value that is not finite",
                            step, time);
    }
    return SUMI_OK;
}

sumi_status run_ask(struct solver_run *run, const float *input, double time)
{
    TRY(call_denoiser(run, input, time));
    if (run->variance) split_output(run);
    return SUMI_OK;
}

/* Applies the caller's correction to clean. */
static sumi_status call_correction(struct solver_run *run, const struct noise_level *level)
{
    sumi_context *context = run->context;
    long long step = (long long)run->place;
    context->message[0] = '\0';
    sumi_status status =
        run->correction(run->correction_user, run->shape.items, run->shape.item_size, level->signal,
                        level->noise, run->clean);
    if (status != SUMI_OK) {
        if (context->message[0]) return status; /* the correction has set a message */
        return context_fail(context, status, "step %lld: the correction ended with \"%s\"", step,
                            sumi_status_name(status));
    }
    if (rows_are_finite(run->threads, run->total, run->clean)) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_NUMBER,
                        "step %lld: the correction wrote a value that is not finite", step);
}

/* Applies the caller's correction to clean, and changes the prediction to the one that gives this
   clean. `level` is of the network's scale. */
static sumi_status correct(struct solver_run *run, const struct noise_level *level)
{
    const struct prediction_map *map = &run->map;
    if (!run->correction) return SUMI_OK;
    TRY(call_correction(run, level));
    /* clean may be the state, whatever the prediction */
    if (map->clean_prediction == 0) return SUMI_OK;
    rows_combine(run->threads, run->total, run->prediction, 2,
                 (struct row_term[]){{1 / map->clean_prediction, run->clean},
                                     {-map->clean_state / map->clean_prediction, run->x}});
    return SUMI_OK;
}

/* Fills clean from the prediction by run->map. */
static sumi_status read_prediction(struct solver_run *run, const struct noise_level *level)
{
    if (run->read) run->read(run, level);
    else run_read(run, &run->map, run->prediction);
    return correct(run, level);
}

/* The network's time input for a time of the list: for whole times of a table the network may take
   log(sigma) / 4 or sigma instead. */
static double network_time(const struct solver_run *run, double time)
{
    const struct noise_path *path = run->path;
    if (run->scale != SCALE_TABLE || path->kind != PATH_TABLE || path->time_kind == TIME_DISCRETE)
        return time;
    struct noise_level level = schedule_level(path->schedule, (int64_t)time);
    return path_time(path, level.noise / level.signal);
}

/* Sets how a prediction for the state at a level is converted. The network was trained on the
   path's own scale, and the solver's state has another: the network's input is `factor` times the
   state. */
static void set_map(struct solver_run *run, const struct noise_level *level, double factor)
{
    run->map = path_map(run->path, (enum prediction_type)run->options->prediction_type, level);
    run->map.clean_state *= factor;
    run->map.noise_state *= factor;
}

/* Evaluates the denoiser at the state, and sets the map for its prediction. */
static sumi_status ask(struct solver_run *run, double time, const struct noise_level *level,
                       double factor)
{
    enum prediction_type type = (enum prediction_type)run->options->prediction_type;
    if (level->signal == 0 && (type == PREDICTION_EPSILON || type == PREDICTION_SCORE)) {
        return context_fail(run->context, SUMI_ERROR_ARGUMENT,
                            "no signal is left at time %g, so a prediction of noise does not "
                            "determine the data; prediction_type must be \"v_prediction\" or"
                            " \"sample\" there",
                            time);
    }
    set_map(run, level, factor);
    const float *input = run->x;
    double scale = factor * path_input_scale(run->path, level);
    if (run->input && fabs(scale - 1) > 1e-12) {
        rows_combine(run->threads, run->total, run->input, 1, &(struct row_term){scale, run->x});
        input = run->input;
    }
    return run_ask(run, input, network_time(run, time));
}

/* The same, and fills clean, prediction and variance. */
static sumi_status evaluate(struct solver_run *run, double time, const struct noise_level *level,
                            double factor)
{
    TRY(ask(run, time, level, factor));
    return read_prediction(run, level);
}

/* The factor from the state's scale to the network's; where the state has no signal, from the noise
   coefficients. */
static double factor_between(const struct level *state, const struct noise_level *network)
{
    return state->signal > 0 ? network->signal / state->signal : network->noise / state->noise;
}

/* The path's level at a time, and the factor from a state kept as sqrt(abar) x0 + ... */
static struct noise_level table_scale_level(const struct solver_run *run, double time,
                                            double *factor)
{
    *factor = 1;
    if (run->path->kind == PATH_TABLE) return schedule_level(run->path->schedule, (int64_t)time);
    struct noise_level level = path_level(run->path, time);
    *factor = sqrt(level.signal * level.signal + level.noise * level.noise);
    return level;
}

sumi_status run_evaluate(struct solver_run *run, double time)
{
    double factor = 1;
    struct noise_level level = table_scale_level(run, time, &factor);
    return evaluate(run, time, &level, factor);
}

/* The path's level at a sigma of the state's scale, and the factor to it. On the path's own scale
   the ratio, which may be infinite, is not needed. */
static struct noise_level level_here(const struct solver_run *run, double sigma, double *factor)
{
    struct level state = level_at(run->scale, run->path, sigma);
    double ratio = state.signal > 0 ? state.noise / state.signal : INFINITY;
    struct noise_level level = path_level_at(run->path, ratio);
    *factor = factor_between(&state, &level);
    return level;
}

/* The same for an evaluation at a time. On a table a velocity is the derivative by the network's
   time. */
static struct noise_level level_at_time(const struct solver_run *run, double sigma, double time,
                                        double *factor)
{
    struct noise_level level = level_here(run, sigma, factor);
    if (run->path->kind != PATH_TABLE) return level;
    struct noise_level own = path_level(run->path, time);
    level.signal_slope = own.signal_slope;
    level.noise_slope = own.noise_slope;
    return level;
}

sumi_status run_evaluate_at(struct solver_run *run, double sigma, double time)
{
    double factor = 1;
    struct noise_level level = level_at_time(run, sigma, time, &factor);
    return evaluate(run, time, &level, factor);
}

sumi_status run_ask_here(struct solver_run *run)
{
    double factor = 1, time = run->times[run->place];
    struct noise_level level = level_at_time(run, run->sigmas[run->place], time, &factor);
    return ask(run, time, &level, factor);
}

sumi_status run_evaluate_here(struct solver_run *run)
{
    return run_evaluate_at(run, run->sigmas[run->place], run->times[run->place]);
}

double run_time_at(const struct solver_run *run, double sigma)
{
    return path_time(run->path, grid_ratio(run->scale, sigma));
}

void run_read(struct solver_run *run, const struct prediction_map *map, const float *values)
{
    prediction_clean(map, run->threads, run->total, run->x, values, run->clean);
    limit_clean(run->options, run->threads, run->shape.items, run->shape.item_size, run->scratch,
                run->clean);
}

sumi_status run_read_at(struct solver_run *run, double sigma)
{
    double factor = 1;
    struct noise_level level = level_here(run, sigma, &factor);
    set_map(run, &level, factor);
    return read_prediction(run, &level);
}

void run_slope(const struct solver_run *run, double sigma, float *row)
{
    struct row_term terms[] = {{1 / sigma, run->x}, {-1 / sigma, run->clean}};
    if (sigma == 0) { /* the start of an inverted flow: e - x0 */
        prediction_noise(&run->map, run->threads, run->total, run->x, run->prediction, row);
        terms[0] = (struct row_term){1, row};
        terms[1].weight = -1;
    }
    rows_combine(run->threads, run->total, row, 2, terms);
}

int64_t run_made(const struct solver_run *run)
{
    return run->place - run->options->start_index;
}

void run_turn(struct solver_run *run, int first, int count)
{
    float *oldest = run->row[first + count - 1];
    for (int i = first + count - 1; i > first; i--) run->row[i] = run->row[i - 1];
    run->row[first] = oldest;
}

struct level run_level(const struct solver_run *run, int64_t place)
{
    return level_at(run->scale, run->path, run->sigmas[place]);
}

void run_draw(struct solver_run *run, float *row)
{
    random_normal(run->random, run->threads, PURPOSE_SOLVER, (uint64_t)run->place, &run->shape,
                  run->scratch, row);
}

double run_next_time(const struct solver_run *run)
{
    return run->place + 1 < run->time_count ? run->times[run->place + 1] : -INFINITY;
}

float run_product(const struct solver_run *run, double time, float beyond)
{
    if (run->path->kind == PATH_TABLE)
        return time < 0 ? beyond : run->path->schedule->alphas_cumprod[(int64_t)time];
    if (isinf(time)) return beyond;
    double sigma = path_sigma(run->path, time);
    return (float)(1 / (1 + sigma * sigma));
}

float run_final_product(const struct solver_run *run)
{
    if (run->options->set_alpha_to_one) return 1;
    if (run->path->kind == PATH_TABLE) return run->path->schedule->alphas_cumprod[0];
    double sigma = path_least(run->path);
    return (float)(1 / (1 + sigma * sigma));
}

/* The level of the state after the step from the current place. */
static struct level level_after(const struct solver_run *run)
{
    if (run->scale != SCALE_TABLE) return run_level(run, run->place + 1);
    double product = run_product(run, run_next_time(run), 1);
    return (struct level){.signal = sqrt(product),
                          .noise = sqrt(1 - product),
                          .log_ratio = 0.5 * log(product / (1 - product))};
}

/* Makes a step, and what changes the state after it. */
static sumi_status make_step(struct solver_run *run, const struct solver_type *type)
{
    TRY(type->step(run));
    if (!run->shift) return SUMI_OK;
    const struct level level = level_after(run);
    return run->shift(run->shift_user, run, &level);
}

static sumi_status walk(struct solver_run *run, const struct solver_type *type,
                        sumi_solver_watcher watcher, void *watcher_user)
{
    int64_t start = run->options->start_index, steps = run->time_count - start;
    for (run->place = start; run->place < run->time_count; run->place++) {
        TRY(make_step(run, type));
        double time = run->times[run->place];
        if (!rows_are_finite(run->threads, run->total, run->x)) {
            return context_fail(run->context, SUMI_ERROR_NUMBER,
                                "step %lld (time %g): the state has a value that is not finite",
                                (long long)run->place, time);
        }
        if (watcher && !watcher(watcher_user, run->place - start, steps, time, run->x, run->clean))
            return context_fail(run->context, SUMI_STOPPED, "stopped after step %lld of %lld",
                                (long long)(run->place - start + 1), (long long)steps);
    }
    return SUMI_OK;
}

sumi_status sumi_solver_run(sumi_solver *solver, sumi_denoiser denoiser, void *user, int rank,
                            const int64_t *shape, float *x, sumi_solver_watcher watcher,
                            void *watcher_user)
{
    sumi_context *context = solver->context;
    struct solver_run run = {
        .context = context,
        .options = &solver->options,
        .path = &solver->path,
        .random = &solver->random,
        .threads = context->threads,
        .x = x,
        .denoiser = denoiser,
        .denoiser_user = user,
        .read = solver->type->read,
        .correction = solver->correction,
        .correction_user = solver->correction_user,
        .shift = solver->shift,
        .shift_user = solver->shift_user,
    };
    TRY(solver_prepare(solver));
    TRY(solver_shape(solver, rank, shape, &run.shape));
    run.total = run.shape.items * run.shape.item_size;
    run.times = solver->grid.times;
    run.sigmas = solver->grid.sigmas;
    run.time_count = solver->grid.count;
    run.scale = grid_scale(&solver->options, &solver->path, solver->type->scale);
    if (!denoiser || !x)
        return context_fail(context, SUMI_ERROR_ARGUMENT, "a solver needs a denoiser and a state");
    if (!rows_are_finite(run.threads, run.total, x)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the state to start from has a value that is not finite");
    }
    solver_seed(solver, !solver->started && solver->options.first_item == 0);
    solver->started = false;
    run.memory = context_allocate_zeroed(context, (size_t)lay_out(solver, &run), sizeof(float));
    if (!run.memory) return SUMI_ERROR_MEMORY;
    lay_out(solver, &run);
    sumi_status status = walk(&run, solver->type, watcher, watcher_user);
    solver->evaluations = run.evaluations;
    context_release(context, run.memory);
    return status;
}
