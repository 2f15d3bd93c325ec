/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and times single ops at the shapes of U-Nets (problems.c), as oneDNN's benchdnn does: each
   is compared with the op's reference kernel in double precision, then timed and compared with the
   machine's peak performance, which is measured in the same run.

   ops [--check] [--threads N] [--json FILE] [NAME ...]

   --check skips the timing. NAMEs choose the problems whose name contains one of them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "cpu/cpu.h"
#include "learn/optimizer.h"
#include "problems.h"
#include "results.h"
#include "timing.h"

enum { CHECKED_ITEMS = 2, RESULTS_MOST = 64 };

struct session {
    sumi_context *context;
    const sumi_machine *machine; /* NULL with --check */
    int count;
    struct result results[RESULTS_MOST];
};

/* ---- Numbers ---- */

/* Fills with normal numbers from stream `number`. */
static void fill(float *values, int64_t count, int number)
{
    philox_stream stream = {11, PURPOSE_DATA, (uint64_t)number};
    philox_normal(&stream, 0, count, values);
}

/* The largest difference, relative to the largest element of `wanted`. */
static double relative_error(int64_t count, const float *values, const double *wanted)
{
    double largest = 0, difference = 0;
    for (int64_t i = 0; i < count; i++) {
        double apart = fabs(values[i] - wanted[i]);
        if (!(apart <= difference)) difference = apart; /* true for NaN */
        largest = fmax(largest, fabs(wanted[i]));
    }
    return difference / largest;
}

static sumi_status finish(struct session *session, struct result *result)
{
    if (session->machine) sumi_profile_stop(session->context);
    results_print(result, session->machine);
    if (session->count < RESULTS_MOST) session->results[session->count++] = *result;
    return SUMI_OK;
}

/* ---- Ops ---- */

/* A problem for a few items, in double, and for the whole batch, on the backend. */
struct trial {
    sumi_graph *few, *all;
    sumi_plan *plan;
    struct parts few_parts, all_parts;
    double **values; /* of the few's nodes */
    bool *owned;
};

/* Fills the plan's inputs, with zeros for items that are not checked unless `whole`. */
static void fill_plan(const struct trial *t, bool whole)
{
    for (int i = 0; i < t->all_parts.input_count; i++) {
        sumi_node few = t->few_parts.inputs[i], all = t->all_parts.inputs[i];
        int64_t count = shape_count(graph_shape(t->all, all));
        int64_t checked = shape_count(graph_shape(t->few, few));
        float *data = sumi_plan_data(t->plan, all);
        fill(data, count, i);
        for (int64_t k = checked; k < count && !whole; k++) data[k] = 0;
    }
}

static sumi_status open_trial(sumi_context *context, const struct problem_type *type,
                              struct trial *t)
{
    TRY(sumi_graph_create(context, NULL, true, &t->few));
    TRY(sumi_graph_create(context, NULL, true, &t->all));
    type->build(type, CHECKED_ITEMS, t->few, &t->few_parts);
    type->build(type, type->batch, t->all, &t->all_parts);
    TRY(sumi_graph_status(t->few));
    TRY(sumi_plan_create(t->all, t->all_parts.output_count, t->all_parts.outputs, &t->plan));
    t->values = context_allocate_zeroed(context, (size_t)t->few->count, sizeof *t->values);
    t->owned = context_allocate_zeroed(context, (size_t)t->few->count, sizeof *t->owned);
    return t->values && t->owned ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static void close_trial(sumi_context *context, struct trial *t)
{
    if (t->owned) interpret_release(t->few, t->values, t->owned);
    for (int i = 0; t->values && i < t->few_parts.input_count; i++)
        context_release(context, t->values[t->few_parts.inputs[i]]);
    context_release(context, t->values);
    context_release(context, t->owned);
    sumi_plan_free(t->plan);
    sumi_graph_free(t->few);
    sumi_graph_free(t->all);
}

/* Copies the first items of the plan's inputs to those of the small problem. */
static sumi_status copy_inputs(sumi_context *context, const struct trial *t)
{
    for (int i = 0; i < t->few_parts.input_count; i++) {
        sumi_node n = t->few_parts.inputs[i];
        int64_t count = shape_count(graph_shape(t->few, n));
        const float *data = sumi_plan_data(t->plan, t->all_parts.inputs[i]);
        t->values[n] = context_allocate(context, (size_t)count, sizeof(double));
        if (!t->values[n]) return SUMI_ERROR_MEMORY;
        for (int64_t k = 0; k < count; k++) t->values[n][k] = data[k];
    }
    return SUMI_OK;
}

/* An output without a row for each item is a sum over the items, to which items with zero upstream
   or zero input add nothing, so that it can be compared too. */
static sumi_status check(sumi_context *context, struct trial *t, double *error)
{
    const struct run_key key = {.seed = 1, .step = 1};
    fill_plan(t, false);
    TRY(copy_inputs(context, t));
    TRY(interpret(t->few, t->few_parts.output_count, t->few_parts.outputs, t->values, t->owned,
                  &key));
    TRY(sumi_plan_run(t->plan, key.seed, key.step));
    *error = 0;
    for (int i = 0; i < t->few_parts.output_count; i++) {
        sumi_node few = t->few_parts.outputs[i], all = t->all_parts.outputs[i];
        double one = relative_error(shape_count(graph_shape(t->few, few)),
                                    sumi_plan_data(t->plan, all), t->values[few]);
        if (!(one <= *error)) *error = one;
    }
    return SUMI_OK;
}

static sumi_status run_plan(void *user)
{
    return sumi_plan_run(user, 1, 1);
}

/* Computes the cost of a run from its profile. */
static sumi_status count_cost(sumi_context *context, sumi_plan *plan, struct cost *cost)
{
    sumi_profile_row row = {.size = sizeof row};
    TRY(sumi_profile_start(context));
    TRY(sumi_plan_run(plan, 1, 1));
    sumi_profile_stop(context);
    *cost = (struct cost){0, 0};
    for (int64_t i = 0; sumi_profile_get(context, i, &row); i++) {
        cost->operations += row.operations;
        cost->bytes += row.bytes;
    }
    return SUMI_OK;
}

static sumi_status measure_op(struct session *session, const struct problem_type *type,
                              struct result *result)
{
    sumi_context *context = session->context;
    struct trial t = {.values = NULL};
    sumi_status status = open_trial(context, type, &t);
    if (status == SUMI_OK) status = check(context, &t, &result->error);
    if (status == SUMI_OK && session->machine) {
        fill_plan(&t, true);
        result->seconds = time_runs(run_plan, t.plan, 0);
        status = count_cost(context, t.plan, &result->cost);
    }
    close_trial(context, &t);
    return status;
}

static sumi_status bench_op(struct session *session, const struct problem_type *type)
{
    struct result result = {.tolerance = type->tolerance};
    snprintf(result.name, sizeof result.name, "%s", type->name);
    snprintf(result.shape, sizeof result.shape, "%lld x %lldx%lld x %lld", (long long)type->batch,
             (long long)type->size, (long long)type->size, (long long)type->channels);
    TRY(measure_op(session, type, &result));
    return finish(session, &result);
}

/* ---- The optimizer ---- */

enum { WEIGHTS = 1 << 23, STEPS_CHECKED = 2 };

struct descent {
    struct optimizer optimizer;
    const float *gradient;
    int64_t step;
};

static sumi_status run_optimizer(void *user)
{
    struct descent *d = user;
    double norm = 0;
    return optimizer_apply(&d->optimizer, d->step++, &d->gradient, &norm);
}

/* AdamW (Loshchilov & Hutter 2019, algorithm 2) of one weight, in double. */
static double adamw(const struct optimizer_settings *s, double weight, double gradient, int steps)
{
    double first = 0, second = 0;
    for (int step = 1; step <= steps; step++) {
        first = s->beta1 * first + (1 - s->beta1) * gradient;
        second = s->beta2 * second + (1 - s->beta2) * gradient * gradient;
        double direction = first / (1 - pow(s->beta1, step));
        double size = sqrt(second / (1 - pow(s->beta2, step))) + s->epsilon;
        weight -= s->learning_rate * (direction / size + s->weight_decay * weight);
    }
    return weight;
}

/* Checks two steps from the current weights, with the gradient clipped to norm 1. */
static sumi_status check_optimizer(struct descent *d, double *error)
{
    const struct optimizer_settings *s = &d->optimizer.settings;
    float *weights = d->optimizer.weights->items[0].data;
    sumi_context *context = d->optimizer.context;
    double *wanted = context_allocate(context, WEIGHTS, sizeof *wanted), square = 0;
    if (!wanted) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < WEIGHTS; i++) square += (double)d->gradient[i] * d->gradient[i];
    for (int64_t i = 0; i < WEIGHTS; i++)
        wanted[i] = adamw(s, weights[i], d->gradient[i] * s->clip / sqrt(square), STEPS_CHECKED);
    sumi_status status = SUMI_OK;
    for (int i = 0; i < STEPS_CHECKED && status == SUMI_OK; i++) status = run_optimizer(d);
    *error = relative_error(WEIGHTS, weights, wanted);
    context_release(context, wanted);
    return status;
}

static sumi_status measure_optimizer(struct session *session, sumi_weights *weights,
                                     float *gradient, struct result *result)
{
    const struct optimizer_settings settings = {.learning_rate = 1e-2,
                                                .beta1 = 0.9,
                                                .beta2 = 0.999,
                                                .epsilon = 1e-8,
                                                .clip = 1,
                                                .weight_decay = 1e-2,
                                                .ema = 0.999,
                                                .steps = 1000};
    struct descent d = {.gradient = gradient};
    fill(gradient, WEIGHTS, 1);
    TRY(optimizer_create(weights, &settings, &d.optimizer));
    sumi_status status = check_optimizer(&d, &result->error);
    if (status == SUMI_OK && session->machine) {
        result->seconds = time_runs(run_optimizer, &d, 0);
        result->cost = optimizer_cost(&d.optimizer, &d.gradient);
    }
    optimizer_release(&d.optimizer);
    return status;
}

static sumi_status bench_optimizer(struct session *session)
{
    struct result result = {.name = "clipping, AdamW, average", .tolerance = 1e-6};
    snprintf(result.shape, sizeof result.shape, "%d weights", WEIGHTS);
    const struct shape shape = {1, {WEIGHTS}};
    sumi_weights *weights = NULL;
    int64_t number = 0;
    TRY(sumi_weights_create(session->context, 1, &weights));
    const struct weight_start start = {SUMI_START_NORMAL, 1, NULL};
    sumi_status status = weights_add(weights, "w", &shape, &start, &number);
    float *gradient = context_allocate(session->context, WEIGHTS, sizeof *gradient);
    if (!gradient) status = SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = measure_optimizer(session, weights, gradient, &result);
    context_release(session->context, gradient);
    sumi_weights_free(weights);
    return status == SUMI_OK ? finish(session, &result) : status;
}

/* ---- Noise ---- */

enum { NOISE = 16 * 32 * 32 * 3 };

static sumi_status run_noise(void *user)
{
    fill(user, NOISE, 2);
    return SUMI_OK;
}

/* The uniform numbers are float32, rounding included. */
static float unit(uint32_t word)
{
    return ((float)(word >> 8) + 0.5f) * 0x1p-24f;
}

/* Box and Muller (1958): sqrt(-2 ln u) cos(2 pi v) and sin, in double. */
static void box_muller(double *wanted)
{
    const philox_stream stream = {11, PURPOSE_DATA, 2};
    uint32_t words[4];
    for (int64_t i = 0; i < NOISE; i += 2) {
        if (i % 4 == 0) philox_block(&stream, (uint64_t)i / 4, words);
        const uint32_t *pair = words + i % 4;
        double u = (double)unit(pair[0]), v = (double)unit(pair[1]);
        wanted[i] = sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
        wanted[i + 1] = sqrt(-2 * log(u)) * sin(6.283185307179586 * v);
    }
}

static sumi_status bench_noise(struct session *session)
{
    struct result result = {.name = "normal noise, one thread", .tolerance = 1e-5};
    snprintf(result.shape, sizeof result.shape, "%d numbers", NOISE);
    float *noise = context_allocate(session->context, NOISE, sizeof *noise);
    double *wanted = context_allocate(session->context, NOISE, sizeof *wanted);
    if (noise && wanted) {
        box_muller(wanted);
        run_noise(noise);
        result.error = relative_error(NOISE, noise, wanted);
        if (session->machine) result.seconds = time_runs(run_noise, noise, 0);
        result.cost = (struct cost){0, NOISE * (double)sizeof *noise};
    }
    context_release(session->context, wanted);
    context_release(session->context, noise);
    return noise && wanted ? finish(session, &result) : SUMI_ERROR_MEMORY;
}

/* ---- The program ---- */

struct arguments {
    bool check_only;
    int threads, name_count;
    const char *json;
    char *const *names;
};

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--check") == 0) a->check_only = true;
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) a->threads = atoi(argv[++i]);
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) a->json = argv[++i];
        else return false;
    }
    a->names = argv + i;
    a->name_count = argc - i;
    return true;
}

static bool is_chosen(const struct arguments *a, const char *name)
{
    for (int i = 0; i < a->name_count; i++) {
        if (strstr(name, a->names[i])) return true;
    }
    return a->name_count == 0;
}

static sumi_status bench_all(struct session *session, const struct arguments *a)
{
    for (int i = 0; i < problem_count; i++) {
        if (is_chosen(a, problems[i].name)) TRY(bench_op(session, &problems[i]));
    }
    if (is_chosen(a, "optimizer")) TRY(bench_optimizer(session));
    return is_chosen(a, "noise") ? bench_noise(session) : SUMI_OK;
}

static int end(const struct session *session, const char *json)
{
    FILE *stream = json ? fopen(json, "w") : NULL;
    if (stream) results_write(stream, session->count, session->results, session->machine);
    if (json && (!stream || fclose(stream) != 0)) {
        fprintf(stderr, "ops: cannot write %s\n", json);
        return 1;
    }
    for (int i = 0; i < session->count; i++) {
        if (!(session->results[i].error <= session->results[i].tolerance)) return 1;
    }
    return 0;
}

static int run(struct session *session, const struct arguments *a)
{
    sumi_machine machine = {.size = sizeof machine};
    sumi_status status = SUMI_OK;
    if (a->threads) status = sumi_context_set_threads(session->context, a->threads);
    if (status == SUMI_OK && !a->check_only) {
        status = sumi_machine_measure(session->context, &machine);
        session->machine = &machine;
    }
    if (status == SUMI_OK) results_print_head(session->machine);
    if (status == SUMI_OK) status = bench_all(session, a);
    if (status == SUMI_OK) return end(session, a->json);
    fprintf(stderr, "ops: %s\n", sumi_context_message(session->context));
    return 1;
}

int main(int argc, char **argv)
{
    static struct session session;
    struct arguments arguments = {.threads = 0};
    if (!read_arguments(argc, argv, &arguments)) {
        fputs("usage: ops [--check] [--threads N] [--json FILE] [NAME ...]\n", stderr);
        return 2;
    }
    if (sumi_context_create(NULL, &session.context) != SUMI_OK) return 1;
    sumi_context_set_tuning(session.context, true); /* as in the command */
    int code = run(&session, &arguments);
    sumi_context_free(session.context);
    return code;
}
