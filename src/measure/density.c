/* SPDX-License-Identifier: Apache-2.0 */
/* The exact log-density of data under a model: the instantaneous change of variables along the
   probability-flow ODE (Chen et al. 2018, theorem 1; Song et al. 2021, eq. 39). For x = a x0 + s e

       dx/dt = a' x0hat + s' ehat         the probability flow by the path's own time

   and in y = x / a by u = log(s / a) the same flow is dy/du = (s / a) ehat, which has no large
   coefficients. Flows, whose s / a ends at infinity, are integrated over their own time, the others
   over u. The divergence is integrated along with the state: log p(y_0) = log p(y_1) + integral of
   div dy/du. Limits on the estimate of clean data are not applied, because they are not smooth. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "base/profile.h"
#include "measure/likelihood.h"
#include "noise/path.h"

/* Methods and probes are in the order of their enums. */
const struct option density_options[] = {
    {CHOICE_OPTION("method", "rk45", "euler|midpoint|heun|rk4|rk45",
                   "method that integrates the flow"),
     MEASURE_AT(method)},
    {WHOLE_OPTION("steps", "100", 1, 1e9, "number of steps of equal length"), MEASURE_AT(steps),
     "method=euler|midpoint|heun|rk4"},
    {NUMBER_OPTION("tolerance", "1e-05", 1e-14, 1,
                   "tolerance of a step's error, relative and absolute"),
     MEASURE_AT(tolerance), "method=rk45"},
    {CHOICE_OPTION("probe", "auto", "auto|exact|rademacher|gaussian",
                   "how the trace is computed; auto: exactly for items of few numbers"),
     MEASURE_AT(probe)},
    {WHOLE_OPTION("probes", "1", 1, 1 << 20, "number of random vectors for each item"),
     MEASURE_AT(probes), "probe=auto|rademacher|gaussian"},
    {FLAG_OPTION("dequantise", "false", "spread the levels of a byte evenly over their width"),
     MEASURE_AT(dequantise)},
    {.name = NULL},
};

static const double bits_in_a_nat = 1.44269504088896340736;
static const double log_two_pi = 1.83787706640934548356;

enum { EXACT_LIMIT = 16 }; /* largest item whose trace "auto" computes exactly */

/* The state of a measurement on a few items. The state of the ODE is y[items, size], then the
   integral of the divergence for each item. */
struct density {
    sumi_context *context;
    const struct likelihood_options *settings;
    const struct noise_path *path;
    enum prediction_type prediction;
    bool own_time; /* integrates over the path's own time, else over u */
    double from, to;
    enum probe probe;
    const struct denoising *denoising;
    int64_t size, output_size, channels;
    int64_t items, probes;   /* of the current batch; each item takes `probes` rows of a call */
    float *x, *products;     /* [rows, size] */
    float *vectors, *output; /* [rows, output_size] */
    float *times;            /* [rows] */
    const sumi_condition *condition; /* of all items, or NULL; the denoiser's own */
    sumi_condition *of_rows;         /* of the rows of a call, if `condition` is set */
    int64_t *row_items;              /* [rows] */
    double *state;                   /* [items, size + 1] */
    int64_t evaluations;
};

/* ---- The flow ---- */

/* dy = from_state y + from_prediction p, where p is the prediction for input y. */
struct flow {
    double time;
    double input, from_state, from_prediction;
};

static struct flow flow_at(const struct density *d, double place)
{
    struct noise_level level;
    double time;
    if (d->own_time) {
        time = path_time_of(d->path, place);
        level = path_level(d->path, time);
    } else {
        time = path_time(d->path, exp(place));
        level = path_level_at(d->path, exp(place));
    }
    struct prediction_map map = path_map(d->path, d->prediction, &level);
    double clean = level.signal_slope, noise = level.noise_slope, unit = 1;
    if (!d->own_time) {
        clean = 0;
        noise = exp(place);
        unit = level.signal; /* factor of x in y */
    }
    return (struct flow){.time = time,
                         .input = unit * path_input_scale(d->path, &level),
                         .from_state = (clean * map.clean_state + noise * map.noise_state) * unit,
                         .from_prediction =
                             clean * map.clean_prediction + noise * map.noise_prediction};
}

/* The index of number i of a prediction in a network's output, which may also contain variances. */
static int64_t output_place(const struct density *d, int64_t i)
{
    return d->output_size == d->size ? i : i / d->channels * 2 * d->channels + i % d->channels;
}

static void fill_call(const struct density *d, const struct flow *flow, const double *y)
{
    for (int64_t row = 0; row < d->items * d->probes; row++) {
        const double *item = y + row / d->probes * d->size;
        d->times[row] = (float)flow->time;
        for (int64_t i = 0; i < d->size; i++)
            d->x[row * d->size + i] = (float)(flow->input * item[i]);
    }
}

/* The trace of dp/d(input) from the products of an item's rows. */
static double trace_of(const struct density *d, int64_t item)
{
    double sum = 0;
    for (int64_t k = 0; k < d->probes; k++) {
        int64_t row = item * d->probes + k;
        const float *products = d->products + row * d->size;
        const float *vector = d->vectors + row * d->output_size;
        if (d->probe == PROBE_EXACT) {
            sum += products[k];
            continue;
        }
        for (int64_t i = 0; i < d->size; i++)
            sum += (double)products[i] * vector[output_place(d, i)] / (double)d->probes;
    }
    return sum;
}

static sumi_status slope(void *user, double place, const double *y, double *slopes)
{
    struct density *d = user;
    struct flow flow = flow_at(d, place);
    int64_t rows = d->items * d->probes, total = d->items * d->size;
    fill_call(d, &flow, y);
    d->evaluations += rows;
    TRY(d->denoising->product(d->denoising->user, rows, d->size, d->output_size, d->x, d->times,
                              d->vectors, d->output, d->products));
    for (int64_t item = 0; item < d->items; item++) {
        const float *output = d->output + item * d->probes * d->output_size;
        for (int64_t i = item * d->size; i < (item + 1) * d->size; i++) {
            double p = output[output_place(d, i - item * d->size)];
            slopes[i] = flow.from_state * y[i] + flow.from_prediction * p;
        }
        slopes[total + item] = flow.from_state * (double)d->size
                               + flow.from_prediction * flow.input * trace_of(d, item);
    }
    return SUMI_OK;
}

/* ---- Probes ---- */

/* Draws the vectors of the items from `first` on, which stay the same during the integration. */
static void draw_probes(const struct density *d, int64_t first)
{
    memset(d->vectors, 0, (size_t)(d->items * d->probes * d->output_size) * sizeof *d->vectors);
    for (int64_t row = 0; row < d->items * d->probes; row++) {
        float *vector = d->vectors + row * d->output_size;
        if (d->probe == PROBE_EXACT) {
            vector[output_place(d, row % d->probes)] = 1;
            continue;
        }
        const philox_stream stream = {d->settings->seed, PURPOSE_MEASURE,
                                      (uint64_t)(row % d->probes)};
        uint64_t begin = (uint64_t)(first + row / d->probes) * (uint64_t)((d->size + 3) / 4 * 4);
        for (int64_t i = 0; i < d->size; i++) {
            float *value = &vector[output_place(d, i)];
            philox_normal(&stream, begin + (uint64_t)i, 1, value);
            if (d->probe == PROBE_RADEMACHER) *value = *value < 0 ? -1 : 1;
        }
    }
}

/* ---- Items ---- */

/* Dequantises the items if asked to, and computes y from x. */
static void begin_items(const struct density *d, int64_t first, const float *x)
{
    const philox_stream stream = {d->settings->seed, PURPOSE_MEASURE, UINT32_MAX};
    double unit = d->own_time ? 1 : 1 / path_level_at(d->path, exp(d->from)).signal;
    for (int64_t i = 0; i < d->items * d->size; i++) {
        double value = x[i];
        if (d->settings->dequantise) {
            uint64_t number = (uint64_t)(first * d->size + i);
            value += (philox_uniform(&stream, number) - 0.5) * 2 / 255;
        }
        d->state[i] = value * unit;
    }
    memset(d->state + d->items * d->size, 0, (size_t)d->items * sizeof *d->state);
}

/* The deviation of the noise that solvers start from, on the path's own scale. */
static double prior_deviation(const struct noise_path *path)
{
    bool exploding = path->kind == PATH_VE || path->kind == PATH_EDM;
    return exploding ? path_most(path) : 1;
}

/* log p of an item from its state at the end of the integration. */
static double log_density(const struct density *d, int64_t item)
{
    double first = 1, last = 1, deviation = prior_deviation(d->path), squares = 0;
    if (!d->own_time) {
        first = path_level_at(d->path, exp(d->from)).signal;
        last = path_level_at(d->path, exp(d->to)).signal;
    }
    for (int64_t i = item * d->size; i < (item + 1) * d->size; i++) {
        double x = d->state[i] * last / deviation;
        squares += x * x;
    }
    double prior = -0.5 * squares - (double)d->size * (0.5 * log_two_pi + log(deviation));
    double width = d->settings->dequantise ? log(2.0 / 255) : 0; /* of a level */
    return prior + d->state[d->items * d->size + item]
           + (double)d->size * (log(last) - log(first) + width);
}

/* Sets the condition of each row of the following calls to that of its item. */
static sumi_status choose_condition(const struct density *d, int64_t first)
{
    int64_t rows = d->items * d->probes;
    if (!d->condition) return SUMI_OK;
    for (int64_t row = 0; row < rows; row++) d->row_items[row] = first + row / d->probes;
    TRY(condition_gather(d->of_rows, d->condition, rows, d->row_items));
    return d->denoising->set_condition(d->denoising->user, d->of_rows);
}

static sumi_status measure_batch(struct density *d, int64_t first, const float *x)
{
    const struct ode_options options = {.method = (enum ode_method)d->settings->method,
                                        .steps = d->settings->steps,
                                        .relative = d->settings->tolerance,
                                        .absolute = d->settings->tolerance};
    draw_probes(d, first);
    begin_items(d, first, x);
    TRY(choose_condition(d, first));
    return ode_integrate(d->context, &options, slope, d, d->items * (d->size + 1), d->state,
                         d->from, d->to, NULL);
}

/* Measures in batches of `most` items, and writes the mean and its error to the likelihood's
   terms. */
static sumi_status measure(struct density *d, sumi_likelihood *likelihood, int64_t count,
                           int64_t most, const float *x, double *bits,
                           sumi_progress_function progress, void *user)
{
    double start = profile_clock(), mean = 0, squares = 0;
    for (int64_t first = 0; first < count; first += most) {
        d->items = count - first < most ? count - first : most;
        TRY(measure_batch(d, first, x + first * d->size));
        for (int64_t item = 0; item < d->items; item++) {
            double value = -bits_in_a_nat * log_density(d, item);
            double difference = value - mean;
            mean += difference / (double)(first + item + 1);
            squares += difference * (value - mean);
            if (bits) bits[first + item] = value;
        }
        double done = (double)(first + d->items), elapsed = profile_clock() - start;
        sumi_progress report = {.size = sizeof report,
                                .task = "likelihood",
                                .step = first + d->items,
                                .steps = count,
                                .rate = done / fmax(elapsed, 1e-9),
                                .rate_unit = "items/s",
                                .seconds_left = elapsed * ((double)count - done) / done};
        if (progress && !progress(user, &report)) {
            return context_fail(d->context, SUMI_STOPPED, "stopped after item %lld of %lld",
                                (long long)(first + d->items), (long long)count);
        }
    }
    TRY(likelihood_reserve(likelihood, 1));
    double error = count > 1 ? sqrt(squares / (double)(count - 1) / (double)count) : INFINITY;
    likelihood->terms[0] = (sumi_likelihood_term){
        .name = "total", .time = -1, .bits = mean, .error = error, .draws = d->evaluations};
    return SUMI_OK;
}

/* ---- Preparing ---- */

static bool is_velocity(enum prediction_type type)
{
    return type == PREDICTION_FLOW || type == PREDICTION_VELOCITY;
}

/* A flow whose network predicts a velocity is integrated from end to end; from other predictions
   the velocity is undefined at one of the ends. */
static void choose_way(struct density *d)
{
    const struct noise_path *path = d->path;
    d->own_time = path->kind == PATH_FLOW || path->kind == PATH_COSINE;
    if (!d->own_time) {
        d->from = log(path_least(path));
        d->to = log(path_most(path));
        return;
    }
    double margin = 1 / (double)path->count;
    bool whole = is_velocity(d->prediction) && path->kind == PATH_FLOW;
    d->from = whole ? 0 : margin;
    d->to = whole ? 1 : 1 - margin;
}

static sumi_status prepare(struct density *d, sumi_solver *solver, int rank, const int64_t *shape)
{
    struct random_shape layout;
    if (solver_is_binomial(solver)) {
        return context_fail(d->context, SUMI_ERROR_ARGUMENT,
                            "bits have no density; measure the bound instead");
    }
    TRY(solver_path(solver, &d->path));
    TRY(solver_shape(solver, rank, shape, &layout));
    d->size = layout.item_size;
    d->channels = shape[rank - 1];
    bool learned = solver_options(solver)->variance_type >= VARIANCE_LEARNED;
    d->output_size = learned ? 2 * d->size : d->size;
    d->prediction = (enum prediction_type)solver_options(solver)->prediction_type;
    d->probe = (enum probe)d->settings->probe;
    if (d->probe == PROBE_AUTO) d->probe = d->size <= EXACT_LIMIT ? PROBE_EXACT : PROBE_RADEMACHER;
    d->probes = d->probe == PROBE_EXACT ? d->size : d->settings->probes;
    choose_way(d);
    return SUMI_OK;
}

static sumi_status allocate(struct density *d, int64_t items)
{
    size_t rows = (size_t)(items * d->probes), row = (size_t)d->size, out = (size_t)d->output_size;
    d->x = context_allocate(d->context, rows * row, sizeof *d->x);
    d->products = context_allocate(d->context, rows * row, sizeof *d->products);
    d->vectors = context_allocate(d->context, rows * out, sizeof *d->vectors);
    d->output = context_allocate(d->context, rows * out, sizeof *d->output);
    d->times = context_allocate(d->context, rows, sizeof *d->times);
    d->state = context_allocate(d->context, (size_t)items * (row + 1), sizeof *d->state);
    d->row_items = context_allocate(d->context, rows, sizeof *d->row_items);
    d->condition = d->denoising->condition;
    TRY(sumi_condition_create(d->context, &d->of_rows));
    bool complete =
        d->x && d->products && d->vectors && d->output && d->times && d->state && d->row_items;
    return complete ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static void release(struct density *d)
{
    context_release(d->context, d->x);
    context_release(d->context, d->products);
    context_release(d->context, d->vectors);
    context_release(d->context, d->output);
    context_release(d->context, d->times);
    context_release(d->context, d->state);
    context_release(d->context, d->row_items);
    sumi_condition_free(d->of_rows);
}

/* Calls measure, then restores the denoiser's own condition. */
static sumi_status measure_and_restore(struct density *d, sumi_likelihood *likelihood,
                                       int64_t count, int64_t most, const float *x, double *bits,
                                       sumi_progress_function progress, void *user)
{
    sumi_status status = measure(d, likelihood, count, most, x, bits, progress, user);
    if (!d->condition) return status;
    sumi_status restored = d->denoising->set_condition(d->denoising->user, d->condition);
    return status == SUMI_OK ? restored : status;
}

sumi_status density_measure(sumi_likelihood *likelihood, const struct denoising *denoising,
                            int rank, const int64_t *shape, const float *x, double *bits,
                            sumi_progress_function progress, void *progress_user)
{
    struct density density = {
        .context = likelihood->context, .settings = &likelihood->options, .denoising = denoising};
    TRY(likelihood_check(likelihood, MEASURE_DENSITY));
    TRY(prepare(&density, likelihood->solver, rank, shape));
    int64_t most = likelihood->options.batch / density.probes;
    if (most < 1) most = 1;
    if (most > shape[0]) most = shape[0];
    sumi_status status = allocate(&density, most);
    if (status == SUMI_OK) {
        status = measure_and_restore(&density, likelihood, shape[0], most, x, bits, progress,
                                     progress_user);
    }
    release(&density);
    return status;
}
