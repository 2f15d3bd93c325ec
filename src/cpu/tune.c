/* Chooses how to compute a convolution; see tune.h. */
#define _POSIX_C_SOURCE 200809L
#include "cpu/tune.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cpu/onednn.h"
#include "cpu/winograd.h"
#include "ops/epilogue.h"

#define LIBRARY(NAME, VARIANT) \
    {NAME, VARIANT, onednn_suits, onednn_prepare, onednn_run, onednn_release}
#define OWN_WINOGRAD(NAME, TILES) \
    {NAME, TILES, winograd_suits, winograd_prepare, winograd_run, winograd_release}

static const struct convolution_way ways[] = {
    LIBRARY("direct", ONEDNN_DIRECT),
    LIBRARY("direct-blocked", ONEDNN_BLOCKED),
    LIBRARY("library-winograd", ONEDNN_WINOGRAD),
    OWN_WINOGRAD("winograd-16", 16),
    OWN_WINOGRAD("winograd-32", 32),
    OWN_WINOGRAD("winograd-64", 64),
    OWN_WINOGRAD("winograd-128", 128),
};
enum { WAY_COUNT = sizeof ways / sizeof *ways, DIRECT = 0 };

const struct convolution_way *tune_way(int number)
{
    return number >= 0 && number < WAY_COUNT ? &ways[number] : NULL;
}

static const struct convolution_way *way_of_name(const char *name)
{
    for (int i = 0; i < WAY_COUNT; i++) {
        if (strcmp(ways[i].name, name) == 0) return &ways[i];
    }
    return NULL;
}

/* The way without timing: Winograd's where there are enough tiles and channels to make up for the
   transforms, with blocks that stay in a usual second-level cache. */
static const struct convolution_way *guess(const struct convolution_problem *p)
{
    int64_t tiles = p->batch * ((p->out_height + 3) / 4) * ((p->out_width + 3) / 4);
    int64_t channels = p->in < p->out ? p->in : p->out;
    if (channels < 32 || tiles < 64) return &ways[DIRECT];
    const struct convolution_way *way =
        way_of_name(p->in + p->out > 256 ? "winograd-32" : "winograd-64");
    return way->suits(p, way->variant) ? way : &ways[DIRECT];
}

/* ---- timing ---- */

/* A way that is ready to run. */
struct ready {
    const struct convolution_way *way;
    void *state;
    size_t scratch;
};

/* Operands and scratch memory to time with. */
struct trial {
    sumi_context *context;
    const struct convolution_problem *problem;
    struct convolution_operands operands;
    float *blocks[6]; /* x, weight, y, bias, item, residual */
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void trial_release(struct trial *trial)
{
    for (int i = 0; i < 6; i++) context_release(trial->context, trial->blocks[i]);
}

static sumi_status trial_create(sumi_context *context, const struct convolution_problem *p,
                                struct trial *trial)
{
    *trial = (struct trial){.context = context, .problem = p};
    bool forward = p->direction == CONVOLUTION_FORWARD;
    int64_t x = p->batch * p->height * p->width * p->in;
    int64_t y = p->batch * p->out_height * p->out_width * p->out;
    int64_t channels = forward ? p->out : p->in, result = forward ? y : x;
    const int64_t sizes[6] = {x,
                              p->out * p->in * p->kernel[0] * p->kernel[1],
                              y,
                              p->epilogue & EPILOGUE_BIAS ? channels : 0,
                              p->epilogue & EPILOGUE_ITEM ? p->batch * channels : 0,
                              p->epilogue & EPILOGUE_RESIDUAL ? result : 0};
    for (int i = 0; i < 6; i++) {
        trial->blocks[i] = context_allocate(context, (size_t)sizes[i], sizeof(float));
        if (!trial->blocks[i]) {
            trial_release(trial);
            return SUMI_ERROR_MEMORY;
        }
        memset(trial->blocks[i], 0, (size_t)sizes[i] * sizeof(float)); /* own pages, no denormals */
    }
    float **b = trial->blocks;
    trial->operands = (struct convolution_operands){
        .x = b[0],
        .weight = b[1],
        .y = b[2],
        .epilogue = {.pixels = result / p->batch / channels,
                     .channels = channels,
                     .bias = sizes[3] ? b[3] : NULL,
                     .item = sizes[4] ? b[4] : NULL,
                     .residual = sizes[5] ? b[5] : NULL,
                     .scale = 1}};
    return SUMI_OK;
}

/* Seconds of the fastest of a few runs; no more than one run after the first if that is hopeless
   beside `best`. */
static sumi_status time_way(const struct trial *trial, const struct ready *ready, double best,
                            double *seconds)
{
    enum { RUNS = 4 };
    void *scratch = context_allocate(trial->context, ready->scratch, 1);
    if (!scratch) return SUMI_ERROR_MEMORY;
    sumi_status status = ready->way->run(ready->state, &trial->operands, scratch);
    *seconds = 1e30;
    for (int run = 0; run < RUNS && status == SUMI_OK; run++) {
        double start = now();
        status = ready->way->run(ready->state, &trial->operands, scratch);
        double taken = now() - start;
        if (taken < *seconds) *seconds = taken;
        if (*seconds > 1.5 * best) break;
    }
    context_release(trial->context, scratch);
    return status;
}

/* Times all ways that suit. One that cannot be prepared is not a candidate; the plain direct way
   always can. */
static sumi_status time_all(const struct trial *trial, void *library, struct ready *fastest)
{
    const struct convolution_problem *p = trial->problem;
    double best = 1e30;
    sumi_status status = SUMI_OK;
    for (int i = 0; i < WAY_COUNT && status == SUMI_OK; i++) {
        struct ready ready = {.way = &ways[i]};
        if (!ready.way->suits(p, ready.way->variant)) continue;
        sumi_status prepared = ready.way->prepare(trial->context, library, ready.way->variant, p,
                                                  &ready.state, &ready.scratch);
        if (prepared == SUMI_ERROR_BACKEND && i != DIRECT) continue;
        if (prepared != SUMI_OK) return prepared;
        double seconds = 0;
        status = time_way(trial, &ready, best, &seconds);
        bool faster = status == SUMI_OK && seconds < best;
        struct ready loser = faster ? *fastest : ready;
        if (faster) {
            best = seconds;
            *fastest = ready;
        }
        if (loser.way) loser.way->release(loser.state);
    }
    return status;
}

static void write_key(const struct convolution_problem *p, char key[TUNE_KEY])
{
    static const char *const directions[] = {"forward", "data", "weight"};
    snprintf(key, TUNE_KEY,
             "%s n%lld x%lldx%lldx%lld y%lldx%lldx%lld k%lldx%lld s%lldx%lld p%lld,%lld e%u t%d",
             directions[p->direction], (long long)p->batch, (long long)p->height,
             (long long)p->width, (long long)p->in, (long long)p->out_height,
             (long long)p->out_width, (long long)p->out, (long long)p->kernel[0],
             (long long)p->kernel[1], (long long)p->stride[0], (long long)p->stride[1],
             (long long)p->before[0], (long long)p->before[1], p->epilogue, p->threads);
}

static sumi_status choose_by_timing(sumi_context *context, const struct cpu_shared *shared,
                                    const struct convolution_problem *problem, const char *key,
                                    struct ready *chosen)
{
    struct trial trial;
    TRY(trial_create(context, problem, &trial));
    sumi_status status = time_all(&trial, shared->library, chosen);
    trial_release(&trial);
    if (status == SUMI_OK) status = tune_memory_add(shared->memory, key, chosen->way->name);
    if (status != SUMI_OK && chosen->way) chosen->way->release(chosen->state);
    return status;
}

sumi_status tune_choose(sumi_context *context, void *shared,
                        const struct convolution_problem *problem,
                        const struct convolution_way **way, void **state, size_t *scratch)
{
    const struct cpu_shared *given = shared;
    struct ready chosen = {.way = guess(problem)};
    if (given->memory) {
        char key[TUNE_KEY];
        write_key(problem, key);
        const char *name = tune_memory_find(given->memory, key);
        chosen.way = name ? way_of_name(name) : NULL;
        if (chosen.way && !chosen.way->suits(problem, chosen.way->variant)) chosen.way = NULL;
        if (!chosen.way) TRY(choose_by_timing(context, given, problem, key, &chosen));
    }
    if (!chosen.state) {
        TRY(chosen.way->prepare(context, given->library, chosen.way->variant, problem,
                                &chosen.state, &chosen.scratch));
    }
    *way = chosen.way;
    *state = chosen.state;
    *scratch = chosen.scratch;
    return SUMI_OK;
}
