/* The loop of every solver: memory for a run, evaluations of the denoiser, the walk over the time
   list. Nothing is allocated between the first step and the last. */
#include <math.h>
#include <string.h>

#include "noise/rows.h"
#include "solvers/limit.h"
#include "solvers/solver.h"

/* Hands out `count` floats of the run's memory, in whole cache lines; only counts them while there
   is no memory yet. */
static float *carve(const struct solver_run *run, int64_t *used, int64_t count)
{
    float *part = run->memory ? run->memory + *used : NULL;
    *used += (count + 15) / 16 * 16;
    return part;
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
    run->input = run->scale == SCALE_EXPLODING || run->scale == SCALE_PRECONDITIONED
                   ? carve(run, &used, total) : NULL;
    run->call_times = carve(run, &used, run->shape.items);
    if (run->options->thresholding || random_needs_scratch(run->random, &run->shape))
        run->scratch = carve(run, &used, total);
    return used;
}

/* Parts a network's doubled channels: output[positions, 2 channels] to two rows. */
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
    sumi_status status = run->denoiser(run->denoiser_user, run->shape.items, item_size,
                                       output_size, input, run->call_times, run->output);
    if (status != SUMI_OK) {
        if (context->message[0]) return status; /* the denoiser has said why */
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

static void read_clean(struct solver_run *run)
{
    prediction_clean(&run->map, run->threads, run->total, run->x, run->prediction, run->clean);
    limit_clean(run->options, run->threads, run->shape.items, run->shape.item_size, run->scratch,
                run->clean);
}

/* Asks the denoiser, and fills clean, prediction and variance by run->map. */
static sumi_status ask(struct solver_run *run, const float *input, double time)
{
    TRY(call_denoiser(run, input, time));
    if (run->variance) split_output(run);
    read_clean(run);
    return SUMI_OK;
}

sumi_status run_evaluate(struct solver_run *run, double time)
{
    return run_evaluate_level(run, time, schedule_signal(run->schedule, (int64_t)time),
                              schedule_noise(run->schedule, (int64_t)time));
}

sumi_status run_evaluate_level(struct solver_run *run, double time, double signal, double noise)
{
    enum prediction_type type = (enum prediction_type)run->options->prediction_type;
    if (signal == 0 && (type == PREDICTION_EPSILON || type == PREDICTION_SCORE)) {
        return context_fail(run->context, SUMI_ERROR_ARGUMENT,
                            "no signal is left at time %g, so that a prediction of noise tells"
                            " nothing about the data; prediction_type must be \"v_prediction\" or"
                            " \"sample\" there", time);
    }
    run->map = prediction_map(type, &(struct noise_level){.signal = signal, .noise = noise});
    return ask(run, run->x, time);
}

/* Where the state of the exploding path goes into a network that knows the preserving one, the
   network sees x / sqrt(1 + sigma^2). */
static double map_exploding(struct solver_run *run, double sigma)
{
    enum prediction_type type = (enum prediction_type)run->options->prediction_type;
    struct level level = level_at(SCALE_PRESERVING, sigma);
    run->map = prediction_map(
        type, &(struct noise_level){.signal = level.signal, .noise = level.noise});
    run->map.clean_state *= level.signal;
    run->map.noise_state *= level.signal;
    return level.signal;
}

/* Karras et al. 2022, table 1: the network sees c_in x, and x0hat = c_skip x + c_out F. diffusers'
   "v_prediction" turns the sign of c_out. */
static double map_preconditioned(struct solver_run *run, double sigma)
{
    double data = run->options->sigma_data, square = sigma * sigma + data * data;
    bool turned = run->options->prediction_type == PREDICTION_V;
    double skip = data * data / square, out = (turned ? -1 : 1) * sigma * data / sqrt(square);
    run->map = (struct prediction_map){skip, out, (1 - skip) / sigma, -out / sigma};
    return 1 / sqrt(square);
}

/* Fills run->map for a noise level; returns the factor that the network's input takes. */
static double map_at(struct solver_run *run, double sigma)
{
    if (run->scale == SCALE_EXPLODING) return map_exploding(run, sigma);
    if (run->scale == SCALE_PRECONDITIONED) return map_preconditioned(run, sigma);
    struct level level = level_at(run->scale, sigma);
    run->map = prediction_map((enum prediction_type)run->options->prediction_type,
                              &(struct noise_level){.signal = level.signal, .noise = level.noise});
    return 1;
}

sumi_status run_evaluate_here(struct solver_run *run)
{
    double scale = map_at(run, run->sigmas[run->place]);
    const float *input = run->x;
    if (run->input) {
        rows_combine(run->threads, run->total, run->input, 1, &(struct row_term){scale, run->x});
        input = run->input;
    }
    return ask(run, input, run->times[run->place]);
}

void run_read_again(struct solver_run *run, double sigma)
{
    map_at(run, sigma);
    read_clean(run);
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
    return level_at(run->scale, run->sigmas[place]);
}

void run_draw(struct solver_run *run, float *row)
{
    random_normal(run->random, run->threads, PURPOSE_SOLVER, (uint64_t)run->place, &run->shape,
                  run->scratch, row);
}

double run_next_time(const struct solver_run *run)
{
    return run->place + 1 < run->time_count ? run->times[run->place + 1] : -1;
}

float run_product(const struct solver_run *run, double time, float beyond)
{
    return time < 0 ? beyond : run->schedule->alphas_cumprod[(int64_t)time];
}

static sumi_status walk(struct solver_run *run, const struct solver_type *type,
                        sumi_solver_watcher watcher, void *watcher_user)
{
    int64_t start = run->options->start_index, steps = run->time_count - start;
    for (run->place = start; run->place < run->time_count; run->place++) {
        TRY(type->step(run));
        double time = run->times[run->place];
        if (!rows_are_finite(run->threads, run->total, run->x)) {
            return context_fail(run->context, SUMI_ERROR_NUMBER,
                                "step %lld (time %g): the state has left the finite numbers",
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
        .schedule = &solver->schedule,
        .random = &solver->random,
        .threads = context->threads,
        .x = x,
        .denoiser = denoiser,
        .denoiser_user = user,
    };
    TRY(solver_prepare(solver));
    TRY(solver_shape(solver, rank, shape, &run.shape));
    run.total = run.shape.items * run.shape.item_size;
    run.times = solver->grid.times;
    run.sigmas = solver->grid.sigmas;
    run.time_count = solver->grid.count;
    run.scale = grid_scale(&solver->options, solver->type->scale);
    if (!denoiser || !x)
        return context_fail(context, SUMI_ERROR_ARGUMENT, "a solver needs a denoiser and a state");
    if (!rows_are_finite(run.threads, run.total, x)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the state to start from holds a value that is not finite");
    }
    solver_seed(solver, !solver->started && solver->options.first_item == 0);
    solver->started = false;
    run.memory = context_allocate_zeroed(context, (size_t)lay_out(solver, &run), sizeof(float));
    if (!run.memory) return SUMI_ERROR_MEMORY;
    lay_out(solver, &run);
    sumi_status status = walk(&run, solver->type, watcher, watcher_user);
    context_release(context, run.memory);
    return status;
}
