/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd's algorithm F(4x4, 3x3) (Lavin & Gray 2016) in channels-last layout: forward, by data
   and by weight. Tiles of the image are taken in blocks whose transformed values stay in a core's
   cache: transform the block's input, multiply 36 pairs of matrices, transform back and add what is
   to be added on the way out. It needs a quarter of the direct algorithm's multiplications.

   The gradient by data is the same with the kernels turned; the gradient by weight is the transpose
   of the algorithm with respect to the kernels. */
#include "cpu/winograd.h"

#include <omp.h>

#include "cpu/product.h"
#include "base/team.h"
#include "cpu/winograd_tiles.h"

enum { POSITIONS = WINOGRAD_POSITIONS };

struct winograd {
    sumi_context *context;
    struct convolution_problem problem;
    struct tiling tiling;
    int64_t block, blocks;                         /* tiles in a block; blocks */
    int64_t stride_from, stride_to, stride_weight; /* floats from position to position */
    bool own;                                      /* products, instead of the library's */
    int threads;
    float *kept;      /* the transformed weights, where they last; else they are scratch memory */
    uint64_t version; /* of the weights that `kept` was made from */
};

bool winograd_suits(const struct convolution_problem *p, int variant)
{
    int64_t block = variant & ~WINOGRAD_OWN, wide = p->in > p->out ? p->in : p->out;
    int64_t tiles = tiling_count(p);
    bool products = variant & WINOGRAD_OWN ? wide <= 192 : wide >= 128; /* where each is good */
    bool fits = block < 2 * tiles && (block > 16 || tiles < 64 || wide < 128);
    return tiling_suits(p) && products && fits;
}

/* Cuts the tiles into blocks of `most` at most, as many for each thread. */
static void cut(struct winograd *w, int64_t most)
{
    const int64_t tiles = w->tiling.count, threads = w->problem.threads;
    w->blocks = ((tiles + most - 1) / most + threads - 1) / threads * threads;
    if (w->blocks > tiles) w->blocks = tiles;
    w->block = (tiles + w->blocks - 1) / w->blocks;
    w->blocks = (tiles + w->block - 1) / w->block;
    w->threads = (int)(threads < w->blocks ? threads : w->blocks);
}

sumi_status winograd_prepare(sumi_context *context, void *shared, int variant,
                             const struct convolution_problem *problem, void **state,
                             size_t *scratch)
{
    (void)shared;
    struct winograd *w = context_allocate_zeroed(context, 1, sizeof *w);
    if (!w) return SUMI_ERROR_MEMORY;
    w->context = context;
    w->problem = *problem;
    w->tiling = tiling_of(problem);
    w->own = variant & WINOGRAD_OWN;
    cut(w, variant & ~WINOGRAD_OWN);
    w->stride_from = tiling_stride(w->block * w->tiling.from.channels);
    w->stride_to = tiling_stride(w->block * w->tiling.to.channels);
    w->stride_weight = tiling_stride(problem->in * problem->out);
    bool gradient = problem->direction == CONVOLUTION_WEIGHT_GRADIENT;
    int64_t of_threads = w->threads * (w->stride_from + w->stride_to);
    int64_t of_weights = (gradient ? w->threads : 1) * w->stride_weight;
    if (problem->constant_weights) {
        w->kept = context_allocate(context, (size_t)(POSITIONS * of_weights), sizeof *w->kept);
        if (!w->kept) {
            winograd_release(w);
            return SUMI_ERROR_MEMORY;
        }
        of_weights = 0;
    }
    *scratch = (size_t)(POSITIONS * (of_threads + of_weights)) * sizeof(float);
    *state = w;
    return SUMI_OK;
}

void winograd_release(void *state)
{
    struct winograd *w = state;
    if (!w) return;
    context_release(w->context, w->kept);
    context_release(w->context, w);
}

/* A thread's part of the scratch memory. */
struct workspace {
    float *from, *to;
};

static struct workspace workspace_of(const struct winograd *w, float *scratch, int thread)
{
    float *from = scratch + thread * POSITIONS * (w->stride_from + w->stride_to);
    return (struct workspace){from, from + POSITIONS * w->stride_from};
}

/* The transformed weights, or the first thread's sums of their gradient. */
static float *weights_of(const struct winograd *w, float *scratch)
{
    return workspace_of(w, scratch, w->threads).from;
}

static struct tiles tiles_of(const struct winograd *w, int64_t block)
{
    int64_t end = (block + 1) * w->block;
    return (struct tiles){block * w->block, end < w->tiling.count ? end : w->tiling.count};
}

/* One thread's share of the transformed weights: u[36][channels read][channels written]. A share is
   a few channels that are read, so that both the weights and u are gone through in runs. */
static void transform_weights(const struct winograd *w, const float *weight, float *u)
{
    const int64_t read = w->tiling.from.channels, written = w->tiling.to.channels;
#pragma omp for schedule(static)
    for (int64_t first = 0; first < read; first += WINOGRAD_WEIGHT_ROWS) {
        int64_t left = read - first;
        tiling_transform_weights(&w->tiling, weight, first,
                                 left < WINOGRAD_WEIGHT_ROWS ? left : WINOGRAD_WEIGHT_ROWS, 0,
                                 written, u + first * written, w->stride_weight);
    }
}

/* By our own loops or the library's, as the variant says. */
static sumi_status multiply(const struct winograd *w, const struct product *product)
{
    if (!w->own) return product_by_library(product);
    product_loops_select()->product(product);
    return SUMI_OK;
}

static sumi_status multiply_block(const struct winograd *w, struct tiles tiles, const float *u,
                                  const struct workspace *workspace)
{
    const int64_t from = w->tiling.from.channels, to = w->tiling.to.channels;
    for (int p = 0; p < POSITIONS; p++) {
        struct product product = product_of(
            false, false, tiles.end - tiles.first, to, from, workspace->from + p * w->stride_from,
            from, u + p * w->stride_weight, to, workspace->to + p * w->stride_to, to);
        TRY(multiply(w, &product));
    }
    return SUMI_OK;
}

/* One run, as the threads share it. */
struct run {
    const struct winograd *w;
    const struct convolution_operands *operands;
    float *scratch;
    sumi_status status; /* the first failure of a product */
};

static void note(struct run *run, sumi_status status)
{
    if (status == SUMI_OK) return;
#pragma omp atomic write
    run->status = status;
}

/* A thread's share of a run forward, or of a gradient by data. */
static void share_of_tiles(struct run *run)
{
    const struct winograd *w = run->w;
    const struct tiling *t = &w->tiling;
    const struct convolution_operands *operands = run->operands;
    const float *from = t->turned ? operands->y : operands->x;
    float *to = t->turned ? operands->x : operands->y;
    float *u = w->kept ? w->kept : weights_of(w, run->scratch);
    bool ready = w->kept && w->version == operands->version;
    struct workspace workspace = workspace_of(w, run->scratch, omp_get_thread_num());
    if (!ready) transform_weights(w, operands->weight, u);
#pragma omp for schedule(static)
    for (int64_t block = 0; block < w->blocks; block++) {
        struct tiles tiles = tiles_of(w, block);
        tiling_read_spans(t, tiles, from, workspace.from, w->stride_from);
        note(run, multiply_block(w, tiles, u, &workspace));
        tiling_write_tiles(t, tiles, 0, t->to.channels, &operands->epilogue, workspace.to,
                           w->stride_to, to);
    }
}

/* Adds a block's products into sums[36][out][in]. */
static sumi_status accumulate_block(const struct winograd *w, struct tiles tiles,
                                    const struct workspace *workspace, bool first, float *sums)
{
    const int64_t in = w->tiling.from.channels, out = w->tiling.to.channels;
    for (int p = 0; p < POSITIONS; p++) {
        struct product product = product_of(
            true, false, out, in, tiles.end - tiles.first, workspace->to + p * w->stride_to, out,
            workspace->from + p * w->stride_from, in, sums + p * w->stride_weight, in);
        product.add = !first;
        TRY(multiply(w, &product));
    }
    return SUMI_OK;
}

/* A thread's share of adding up the threads' sums, and of transforming them back. */
static void fold_sums(const struct winograd *w, float *sums, float *weight)
{
    const int64_t in = w->problem.in, step = POSITIONS * w->stride_weight;
#pragma omp for schedule(static)
    for (int64_t out = 0; out < w->problem.out; out++) {
        float *first = sums + out * in;
        for (int thread = 1; thread < w->threads; thread++) {
            for (int p = 0; p < POSITIONS; p++) {
                float *total = first + p * w->stride_weight;
                const float *part = total + thread * step;
                for (int64_t i = 0; i < in; i++) total[i] += part[i];
            }
        }
        winograd_loops_select()->weight_gradient(in, first, w->stride_weight, weight + out * in * 9,
                                                 9);
    }
}

/* A thread's share of a gradient by weight. */
static void share_of_weight_gradient(struct run *run)
{
    const struct winograd *w = run->w;
    int thread = omp_get_thread_num();
    struct workspace workspace = workspace_of(w, run->scratch, thread);
    float *all_sums = weights_of(w, run->scratch);
    float *sums = all_sums + thread * POSITIONS * w->stride_weight;
    int64_t first = w->blocks * thread / w->threads, end = w->blocks * (thread + 1) / w->threads;
    for (int64_t block = first; block < end; block++) {
        struct tiles tiles = tiles_of(w, block);
        tiling_read_spans(&w->tiling, tiles, run->operands->x, workspace.from, w->stride_from);
        tiling_read_tiles(&w->tiling, tiles, run->operands->y, workspace.to, w->stride_to);
        note(run, accumulate_block(w, tiles, &workspace, block == first, sums));
    }
#pragma omp barrier
    fold_sums(w, all_sums, run->operands->weight);
}

sumi_status winograd_run(void *state, const struct convolution_operands *operands, void *scratch)
{
    struct winograd *w = state;
    struct run run = {.w = w, .operands = operands, .scratch = scratch};
    if (w->problem.direction == CONVOLUTION_WEIGHT_GRADIENT) {
        BY_TEAM(w->threads, share_of_weight_gradient(&run));
    } else {
        BY_TEAM(w->threads, share_of_tiles(&run));
    }
    w->version = run.status == SUMI_OK ? operands->version : 0;
    return product_explain(w->context, run.status);
}
