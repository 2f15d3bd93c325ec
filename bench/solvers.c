/* SPDX-License-Identifier: Apache-2.0 */
/* The cost of solvers relative to the network: runs each on 64 pictures of MNIST's size with a
   denoiser that does nothing, and compares its time per evaluation with that of one evaluation of
   the ddpm-mnist recipe's U-Net for the same pictures.

   solvers [--check] [--threads N] [--json FILE] [NAME ...]

   With --check every solver runs once without timing. The memory is the peak of a run beyond its
   state, in states of the same size. Solvers that do not support this model, such as that of bits,
   are skipped. Exits with 1 if a solver takes more than its limit, and with 2 if something
   fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timing.h"

enum { RANK = 4, ITEMS = 64, ITEM_SIZE = 28 * 28, RESULTS_MOST = 64 };
static const int64_t SHAPE[RANK] = {ITEMS, 28, 28, 1};
static const double MOST_SHARE = 0.02;

/* An allocator that counts. Each block is preceded by its size, in a whole alignment. */
struct counter {
    size_t held, most;
};

struct bench {
    sumi_context *context;
    struct counter counter;
    sumi_recipe *recipe;
    sumi_data *data;
    sumi_model *model;
    sumi_session *session;
    sumi_solver *solver; /* the current one */
    bool check;          /* runs all solvers, without timing */
    double network;      /* seconds of one evaluation */
    float times[ITEMS], x[ITEMS * ITEM_SIZE], output[ITEMS * ITEM_SIZE];
};

struct result {
    char name[32];
    int64_t evaluations;
    double seconds, share, states; /* per evaluation; relative to the network; memory in states */
};

/* ---- Memory ---- */

static void *counted_allocate(void *user, size_t size, size_t alignment)
{
    struct counter *counter = user;
    size_t header = alignment > 2 * sizeof(size_t) ? alignment : 2 * sizeof(size_t);
    size_t whole = (size + 2 * header - 1) / header * header;
    char *memory = whole > size ? aligned_alloc(header, whole) : NULL;
    if (!memory) return NULL;
    memory += header;
    ((size_t *)memory)[-1] = size;
    ((size_t *)memory)[-2] = header;
    counter->held += size;
    if (counter->held > counter->most) counter->most = counter->held;
    return memory;
}

static void counted_release(void *user, void *memory)
{
    struct counter *counter = user;
    counter->held -= ((size_t *)memory)[-1];
    free((char *)memory - ((size_t *)memory)[-2]);
}

/* ---- Timing ---- */

/* Does not write the output, which a run fills with zeros at its start. */
static sumi_status predict_nothing(void *user, int64_t count, int64_t item_size,
                                   int64_t output_size, const float *x, const float *times,
                                   float *output)
{
    (void)user, (void)count, (void)item_size, (void)output_size;
    (void)x, (void)times, (void)output;
    return SUMI_OK;
}

static sumi_status open_model(struct bench *b)
{
    static const char *const noise[] = {"data.kind=noise", "data.count=64", "data.shape=28,28,1"};
    sumi_status status = sumi_recipe_open(b->context, "ddpm-mnist", &b->recipe);
    for (int i = 0; i < 3 && status == SUMI_OK; i++) status = sumi_recipe_set(b->recipe, noise[i]);
    if (status == SUMI_OK) status = sumi_data_open(b->context, b->recipe, &b->data);
    if (status == SUMI_OK)
        status = sumi_model_create_from_recipe(b->context, b->recipe, b->data, &b->model);
    return status == SUMI_OK ? sumi_session_create(b->context, b->model, &b->session) : status;
}

static sumi_status evaluate(void *user)
{
    struct bench *b = user;
    return sumi_session_denoiser(b->session, ITEMS, ITEM_SIZE, ITEM_SIZE, b->x, b->times,
                                 b->output);
}

static sumi_status solve(void *user)
{
    struct bench *b = user;
    sumi_status status = sumi_solver_start(b->solver, RANK, SHAPE, b->x);
    return status == SUMI_OK
               ? sumi_solver_run(b->solver, predict_nothing, NULL, RANK, SHAPE, b->x, NULL, NULL)
               : status;
}

/* Creates the solver as `sumi sample` would for this model, with few steps. */
static sumi_status open_solver(struct bench *b, const char *name)
{
    static const char *const options[][3] = {{"langevin", "step_size", "0.001"},
                                             {"annealed-langevin", "steps_per_level", "5"},
                                             {"rk45", "steps", "1"}};
    sumi_status status = sumi_model_solver(b->model, name, &b->solver);
    if (status == SUMI_OK) status = sumi_solver_set(b->solver, "steps", "20");
    for (int i = 0; i < 3 && status == SUMI_OK; i++)
        if (strcmp(name, options[i][0]) == 0)
            status = sumi_solver_set(b->solver, options[i][1], options[i][2]);
    return status;
}

static sumi_status time_solver(struct bench *b, struct result *result)
{
    size_t held = b->counter.held;
    b->counter.most = held;
    sumi_status status = solve(b);
    if (status != SUMI_OK) return status;
    result->states = (double)(b->counter.most - held) / (ITEMS * ITEM_SIZE * sizeof(float));
    result->evaluations = sumi_solver_evaluations(b->solver);
    if (b->check) return SUMI_OK;
    result->seconds = time_runs(solve, b, 0) / (double)result->evaluations;
    result->share = result->seconds / b->network;
    return SUMI_OK;
}

/* ---- The program ---- */

static bool is_chosen(const char *name, int count, char *const *names)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return true;
    return count == 0;
}

static void print(const struct bench *b, const struct result *r)
{
    if (b->check) {
        printf("%-20s%12lld%14.1f  passed\n", r->name, (long long)r->evaluations, r->states);
        return;
    }
    printf("%-20s%12lld%12.1f%11.2f %%%14.1f  %s\n", r->name, (long long)r->evaluations,
           1e6 * r->seconds, 100 * r->share, r->states, r->share <= MOST_SHARE ? "met" : "MISSED");
    fflush(stdout);
}

static bool write_json(const char *path, const struct bench *b, int count,
                       const struct result *results)
{
    FILE *stream = fopen(path, "w");
    if (!stream) return false;
    fprintf(stream, "{\"threads\": %d, \"network\": %.9g, \"solvers\": [\n",
            sumi_context_threads(b->context), b->network);
    for (int i = 0; i < count; i++) {
        const struct result *r = &results[i];
        fprintf(stream,
                "  {\"name\": \"%s\", \"evaluations\": %lld, \"seconds\": %.6g, \"share\": "
                "%.6g, \"states\": %.6g}%s\n",
                r->name, (long long)r->evaluations, r->seconds, r->share, r->states,
                i + 1 < count ? "," : "");
    }
    fputs("]}\n", stream);
    return fclose(stream) == 0;
}

/* Measures the chosen solvers; returns their number, or -1 after a failure. */
static int measure_all(struct bench *b, int count, char *const *names, struct result *results)
{
    sumi_solver_info info = {.size = sizeof info};
    int made = 0;
    if (b->check) {
        printf("%-20s%12s%14s\n", "solver", "evaluations", "states kept");
    } else {
        printf("one evaluation of the ddpm-mnist U-Net for %d items: %.2f ms by %d threads\n\n",
               ITEMS, 1e3 * b->network, sumi_context_threads(b->context));
        printf("%-20s%12s%12s%13s%14s\n", "solver", "evaluations", "us for each", "of network",
               "states kept");
    }
    for (int i = 0; sumi_solver_describe(i, &info) && made < RESULTS_MOST; i++) {
        if (!is_chosen(info.name, count, names)) continue;
        sumi_status status = open_solver(b, info.name);
        bool refused = status == SUMI_ERROR_ARGUMENT;
        snprintf(results[made].name, sizeof results[made].name, "%s", info.name);
        if (status == SUMI_OK) status = time_solver(b, &results[made]);
        sumi_solver_free(b->solver);
        b->solver = NULL;
        if (refused) continue;
        if (status != SUMI_OK) return -1;
        print(b, &results[made++]);
    }
    return made;
}

static int measure(struct bench *b, const char *json, int count, char *const *names)
{
    static struct result results[RESULTS_MOST];
    int made = -1, code = 0;
    for (int i = 0; i < ITEMS; i++) b->times[i] = 500;
    if (open_model(b) == SUMI_OK) {
        if (!b->check) b->network = time_runs(evaluate, b, 0);
        if (b->check || b->network > 0) made = measure_all(b, count, names, results);
    }
    if (made < 0) {
        fprintf(stderr, "solvers: %s\n", sumi_context_message(b->context));
        return 2;
    }
    for (int i = 0; i < made; i++)
        if (!(results[i].share <= MOST_SHARE)) code = 1;
    if (!json || write_json(json, b, made, results)) return code;
    fprintf(stderr, "solvers: cannot write %s\n", json);
    return 2;
}

int main(int argc, char **argv)
{
    static struct bench b;
    const char *json = NULL;
    int threads = 0, i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--check") == 0) b.check = true;
        else if (i + 1 < argc && strcmp(argv[i], "--threads") == 0) threads = atoi(argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--json") == 0) json = argv[++i];
        else {
            fputs("usage: solvers [--check] [--threads N] [--json FILE] [NAME ...]\n", stderr);
            return 2;
        }
    }
    const sumi_allocator allocator = {&b.counter, counted_allocate, counted_release};
    if (sumi_context_create(&allocator, &b.context) != SUMI_OK) return 2;
    if (threads > 0) sumi_context_set_threads(b.context, threads);
    sumi_context_set_tuning(b.context, true); /* as the command does */
    int code = measure(&b, json, argc - i, argv + i);
    sumi_session_free(b.session);
    sumi_model_free(b.model);
    sumi_data_free(b.data);
    sumi_recipe_free(b.recipe);
    sumi_context_free(b.context);
    return code;
}
