/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses how to compute a convolution; see tune.h. */
#define _POSIX_C_SOURCE 200809L
#include "cpu/tune.h"

#include <stdio.h>
#include <string.h>

#include "base/profile.h"
#include "cpu/winograd_1d.h"
#include "cpu/onednn.h"
#include "cpu/pointwise.h"
#include "cpu/taps.h"
#include "cpu/winograd.h"
#include "ops/epilogue.h"

#define LIBRARY(NAME, VARIANT)                                                                     \
    {                                                                                              \
        NAME, VARIANT, onednn_suits, onednn_prepare, onednn_run, onednn_release,                   \
            (VARIANT) == ONEDNN_BF16                                                               \
    }
#define WINOGRAD(NAME, TILES)                                                                      \
    {                                                                                              \
        NAME, TILES, winograd_suits, winograd_prepare, winograd_run, winograd_release, true        \
    }
#define PANELS(NAME, CHANNELS)                                                                     \
    {                                                                                              \
        NAME, CHANNELS, winograd_panels_suit, winograd_panels_prepare, winograd_panels_run,        \
            winograd_panels_release, true                                                          \
    }
#define BY_WINOGRAD_1D(NAME, TILES)                                                                \
    {                                                                                              \
        NAME, TILES, winograd_1d_suits, winograd_1d_prepare, winograd_1d_run, winograd_1d_release, \
            false                                                                                  \
    }
#define BY_PRODUCTS(NAME, PIXELS)                                                                  \
    {                                                                                              \
        NAME, PIXELS, pointwise_suits, pointwise_prepare, pointwise_run, pointwise_release, false  \
    }

enum way {
    DIRECT,
    DIRECT_BF16,
    DIRECT_BLOCKED,
    LIBRARY_WINOGRAD,
    WINOGRAD_16,
    WINOGRAD_32,
    WINOGRAD_64,
    WINOGRAD_128,
    WINOGRAD_PANELS_32,
    WINOGRAD_PANELS_64,
    WINOGRAD_1D_12,
    WINOGRAD_1D_24,
    WINOGRAD_1D_120,
    POINTWISE_240,
    BY_TAPS,
    WAY_COUNT
};

static const struct convolution_way ways[WAY_COUNT] = {
    [DIRECT] = LIBRARY("direct", ONEDNN_DIRECT),
    [DIRECT_BF16] = LIBRARY("direct-bf16", ONEDNN_BF16),
    [DIRECT_BLOCKED] = LIBRARY("direct-blocked", ONEDNN_BLOCKED),
    [LIBRARY_WINOGRAD] = LIBRARY("library-winograd", ONEDNN_WINOGRAD),
    [WINOGRAD_16] = WINOGRAD("winograd-16", 16),
    [WINOGRAD_32] = WINOGRAD("winograd-32", 32),
    [WINOGRAD_64] = WINOGRAD("winograd-64", 64),
    [WINOGRAD_128] = WINOGRAD("winograd-128", 128),
    [WINOGRAD_PANELS_32] = PANELS("winograd-panels-32", 32),
    [WINOGRAD_PANELS_64] = PANELS("winograd-panels-64", 64),
    [WINOGRAD_1D_12] = BY_WINOGRAD_1D("winograd-1d-12", 12),
    [WINOGRAD_1D_24] = BY_WINOGRAD_1D("winograd-1d-24", 24),
    [WINOGRAD_1D_120] = BY_WINOGRAD_1D("winograd-1d-120", 120),
    [POINTWISE_240] = BY_PRODUCTS("pointwise-240", 240),
    [BY_TAPS] = {"taps", 0, taps_suit, taps_prepare, taps_run, taps_release, false},
};

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

/* Whether a convolution takes so long that Winograd's algorithm is worth its rounding error, which
   is about ten times that of direct sums. */
static bool is_worth_rounding(const struct convolution_problem *p)
{
    const double enough = 1 << 26; /* multiplications: about a millisecond */
    return (double)p->batch * (double)(p->out_height * p->out_width) * (double)(p->in * p->out)
               * (double)(p->kernel[0] * p->kernel[1])
           >= enough;
}

/* The way without timing: Winograd's algorithm if there are enough tiles and channels to make up
   for the transforms, with blocks that fit into a usual second-level cache (1-D Winograd:
   first-level; long blocks for the gradient by weight); and products for pointwise convolutions. */
static const struct convolution_way *guess(const struct convolution_problem *p)
{
    int64_t tiles = p->batch * ((p->out_height + 3) / 4) * ((p->out_width + 3) / 4);
    int64_t channels = p->in < p->out ? p->in : p->out;
    if (channels < 32 || tiles < 64 || !is_worth_rounding(p)) return &ways[DIRECT];
    const enum way likely[] = {p->direction == CONVOLUTION_WEIGHT_GRADIENT ? WINOGRAD_1D_120
                                                                           : WINOGRAD_1D_24,
                               POINTWISE_240, p->in + p->out > 192 ? WINOGRAD_64 : WINOGRAD_32};
    for (size_t i = 0; i < sizeof likely / sizeof *likely; i++) {
        const struct convolution_way *way = &ways[likely[i]];
        if (way->suits(p, way->variant)) return way;
    }
    return &ways[DIRECT];
}

/* ---- timing ---- */

/* A way that is ready to run. */
struct candidate {
    struct convolution_ready ready;
    double seconds; /* of its fastest run */
};

/* Operands to time with. */
struct trial {
    sumi_context *context;
    const struct convolution_problem *problem;
    struct convolution_operands operands;
    float *blocks[6]; /* x, weight, y, bias, item, residual */
    char *other;      /* [threads, OTHER_BYTES] that displaces the operands from caches */
};
enum { OTHER_BYTES = 4 << 20 };

/* What a way keeps from its trial is not of the weights that it will run with. */
static const uint64_t TRIAL_VERSION = UINT64_MAX;

/* The problem to time in the place of one whose images are much larger than all caches: fewer
   items, and fewer lines of them. The same way is the fastest for both. */
static struct convolution_problem in_small(const struct convolution_problem *p)
{
    const int64_t enough = (int64_t)1 << 24; /* numbers of both images */
    struct convolution_problem small = *p;
    int64_t item = p->height * p->width * p->in + p->out_height * p->out_width * p->out;
    int64_t items = enough / item, parts = (item + enough - 1) / enough;
    if (items < 1) items = 1;
    if (small.batch > items) small.batch = items;
    if (parts == 1) return small;
    int64_t lines = (p->out_height + parts - 1) / parts;
    int64_t read = (lines - 1) * p->stride[0] + p->kernel[0] - p->before[0] - p->after[0];
    if (read < 1) return small;
    small.out_height = lines;
    small.height = read;
    return small;
}

static void trial_release(struct trial *trial)
{
    for (int i = 0; i < 6; i++) context_release(trial->context, trial->blocks[i]);
    context_release(trial->context, trial->other);
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
    trial->other = context_allocate(context, (size_t)p->threads, OTHER_BYTES);
    if (!trial->other) {
        trial_release(trial);
        return SUMI_ERROR_MEMORY;
    }
    float **b = trial->blocks;
    trial->operands =
        (struct convolution_operands){.x = b[0],
                                      .weight = b[1],
                                      .y = b[2],
                                      .epilogue = {.pixels = result / p->batch / channels,
                                                   .channels = channels,
                                                   .bias = sizes[3] ? b[3] : NULL,
                                                   .item = sizes[4] ? b[4] : NULL,
                                                   .residual = sizes[5] ? b[5] : NULL,
                                                   .scale = 1,
                                                   .bf16 = p->bf16},
                                      .version = TRIAL_VERSION};
    return SUMI_OK;
}

/* Prepares all ways that support the problem. A way that cannot be prepared is not a candidate; the
   one by taps always can, and is a candidate if the library has no direct way. */
static sumi_status prepare_all(const struct trial *trial, void *library,
                               struct candidate candidates[WAY_COUNT], int *count)
{
    const struct convolution_problem *p = trial->problem;
    *count = 0;
    for (int i = 0; i < WAY_COUNT; i++) {
        struct candidate *candidate = &candidates[*count];
        *candidate = (struct candidate){.seconds = 1e30};
        if (!ways[i].suits(p, ways[i].variant) || (i == BY_TAPS && *count > 0)) continue;
        sumi_status status =
            convolution_prepare(trial->context, library, &ways[i], p, &candidate->ready);
        if (status == SUMI_ERROR_BACKEND && i != BY_TAPS) continue;
        TRY(status);
        ++*count;
    }
    return SUMI_OK;
}

/* The memory of a run, which the candidates share. */
struct workspace {
    void *scratch, *kept;
};

static sumi_status make_workspace(sumi_context *context, const struct candidate *candidates,
                                  int count, struct workspace *workspace)
{
    struct convolution_memory most = {0};
    for (int i = 0; i < count; i++) {
        const struct convolution_memory *memory = &candidates[i].ready.memory;
        if (memory->scratch > most.scratch) most.scratch = memory->scratch;
        if (memory->kept > most.kept) most.kept = memory->kept;
    }
    workspace->scratch = context_allocate(context, most.scratch, 1);
    if (workspace->scratch) workspace->kept = context_allocate_zeroed(context, most.kept, 1);
    return workspace->kept ? SUMI_OK : SUMI_ERROR_MEMORY;
}

/* Fills each core's cache with other data, because in a network the weights were last used long
   ago. */
static void displace(const struct trial *trial, int value)
{
    const int threads = trial->problem->threads;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int thread = 0; thread < threads; thread++) {
        memset(trial->other + (size_t)thread * OTHER_BYTES, value, OTHER_BYTES);
    }
}

/* Runs a candidate in memory of the size that the largest candidate needs. The kept memory may have
   the values of another candidate, which are zeros like its own, because the trial's weights are
   zeros. */
static sumi_status run_candidate(const struct trial *trial, const struct candidate *candidate,
                                 const struct workspace *workspace)
{
    struct convolution_operands operands = trial->operands;
    operands.kept = workspace->kept;
    return convolution_run(&candidate->ready, &operands, workspace->scratch);
}

/* Runs every candidate a few times, alternating, so that a disturbance does not affect a single
   one; a candidate that is far slower does not run again. */
static sumi_status time_all(const struct trial *trial, struct candidate *candidates, int count,
                            const struct workspace *workspace)
{
    enum { ROUNDS = 4 };
    double best = 1e30;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < count; i++) {
            struct candidate *candidate = &candidates[i];
            if (round > 1 && candidate->seconds > 1.5 * best) continue;
            displace(trial, round);
            double start = profile_clock();
            TRY(run_candidate(trial, candidate, workspace));
            double taken = profile_clock() - start;
            if (round == 0) continue; /* touches memory for the first time */
            if (taken < candidate->seconds) candidate->seconds = taken;
            if (taken < best) best = taken;
        }
    }
    return SUMI_OK;
}

/* Keeps the fastest candidate and releases the others; after a failure, all. */
static void keep_fastest(struct candidate *candidates, int count, bool failed,
                         struct convolution_ready *chosen)
{
    int fastest = 0;
    for (int i = 1; i < count; i++) {
        if (candidates[i].seconds < candidates[fastest].seconds) fastest = i;
    }
    for (int i = 0; i < count; i++) {
        if (i == fastest && !failed) *chosen = candidates[i].ready;
        else convolution_release(&candidates[i].ready);
    }
}

static sumi_status find_fastest(const struct trial *trial, void *library,
                                struct convolution_ready *chosen)
{
    struct candidate candidates[WAY_COUNT];
    int count = 0;
    sumi_status status = prepare_all(trial, library, candidates, &count);
    struct workspace workspace = {.scratch = NULL};
    if (status == SUMI_OK) status = make_workspace(trial->context, candidates, count, &workspace);
    if (status == SUMI_OK) status = time_all(trial, candidates, count, &workspace);
    context_release(trial->context, workspace.scratch);
    context_release(trial->context, workspace.kept);
    keep_fastest(candidates, count, status != SUMI_OK, chosen);
    return status;
}

static void write_key(const struct convolution_problem *p, char key[TUNE_KEY])
{
    static const char *const directions[] = {"forward", "data", "weight"};
    const char *weights = p->weights == SUMI_BFLOAT16  ? "-bf16-weights"
                          : p->weights == SUMI_FLOAT16 ? "-f16-weights"
                                                       : "";
    snprintf(
        key, TUNE_KEY,
        "%s%s%s%s n%lld x%lldx%lldx%lld y%lldx%lldx%lld k%lldx%lld s%lldx%lld p%lld,%lld e%u t%d",
        directions[p->direction], p->constant_weights ? "-constant" : "", p->bf16 ? "-bf16" : "",
        weights, (long long)p->batch, (long long)p->height, (long long)p->width, (long long)p->in,
        (long long)p->out_height, (long long)p->out_width, (long long)p->out,
        (long long)p->kernel[0], (long long)p->kernel[1], (long long)p->stride[0],
        (long long)p->stride[1], (long long)p->before[0], (long long)p->before[1], p->epilogue,
        p->threads);
}

static sumi_status choose_by_timing(sumi_context *context, const struct cpu_shared *shared,
                                    const struct convolution_problem *problem, const char *key,
                                    struct convolution_ready *chosen)
{
    const struct convolution_problem small = in_small(problem);
    struct trial trial;
    TRY(trial_create(context, &small, &trial));
    sumi_status status = find_fastest(&trial, shared->library, chosen);
    trial_release(&trial);
    TRY(status);
    if (small.batch < problem->batch || small.height < problem->height) {
        const struct convolution_way *way = chosen->way;
        convolution_release(chosen);
        *chosen = (struct convolution_ready){.way = way};
    }
    status = tune_memory_add(shared->memory, key, chosen->way->name);
    if (status != SUMI_OK && chosen->state) convolution_release(chosen);
    return status;
}

/* The stored way for a problem; NULL if there is none, or it does not support the problem. */
static const struct convolution_way *recall(const struct memory *memory, const char *key,
                                            const struct convolution_problem *problem)
{
    const char *name = tune_memory_find(memory, key);
    const struct convolution_way *way = name ? way_of_name(name) : NULL;
    return way && way->suits(problem, way->variant) ? way : NULL;
}

/* Sets chosen->way, and chosen->state if a timing has prepared it. */
static sumi_status choose_measured(sumi_context *context, const struct cpu_shared *shared,
                                   const struct convolution_problem *problem,
                                   struct convolution_ready *chosen)
{
    char key[TUNE_KEY];
    int lock = -1;
    write_key(problem, key);
    chosen->way = recall(shared->memory, key, problem);
    if (chosen->way) return SUMI_OK;
    sumi_status status = tune_memory_begin(shared->memory, &lock);
    if (status == SUMI_OK) chosen->way = recall(shared->memory, key, problem);
    if (status == SUMI_OK && !chosen->way) {
        status = choose_by_timing(context, shared, problem, key, chosen);
    }
    tune_memory_end(shared->memory, lock);
    return status;
}

sumi_status tune_choose(sumi_context *context, void *shared,
                        const struct convolution_problem *problem, struct convolution_ready *ready)
{
    const struct cpu_shared *given = shared;
    *ready = (struct convolution_ready){.way = NULL};
    if (given->memory) TRY(choose_measured(context, given, problem, ready));
    else ready->way = guess(problem);
    if (ready->state) return SUMI_OK;
    sumi_status status = convolution_prepare(context, given->library, ready->way, problem, ready);
    if (status != SUMI_ERROR_BACKEND) return status;
    return convolution_prepare(context, given->library, &ways[BY_TAPS], problem, ready);
}
