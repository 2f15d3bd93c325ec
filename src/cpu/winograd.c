/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd's algorithm F(4x4, 3x3) (Lavin & Gray 2016) in channels-last layout: forward, by data
   and by weight. Tiles of the image are taken in blocks whose transformed values stay in a core's
   cache: transform the block's input, multiply 36 pairs of matrices, transform back, and apply the
   epilogue. It needs a quarter of the direct algorithm's multiplications. The gradient by data is
   the same with the kernels rotated by 180 degrees; the gradient by weight is the transpose of the
   algorithm with respect to the kernels. */
#include "cpu/winograd.h"

#include <omp.h>

#include "cpu/product.h"
#include "base/team.h"
#include "cpu/sizes.h"
#include "cpu/winograd_tiles.h"

enum { POSITIONS = WINOGRAD_POSITIONS };

struct winograd {
    sumi_context *context;
    struct convolution_problem problem;
    struct tiling tiling;
    int64_t block, blocks;                         /* tiles in a block; blocks */
    int64_t stride_from, stride_to, stride_weight; /* floats from position to position */
    int64_t panel; /* floats of a panel of the transformed weights, or of their sums */
    int threads;
    uint64_t version; /* of the weights from which the kept ones were computed */
};

bool winograd_suits(const struct convolution_problem *p, int variant)
{
    int64_t wide = p->in > p->out ? p->in : p->out, tiles = tiling_count(p);
    bool fits = variant < 2 * tiles && (variant > 16 || tiles < 64 || wide < 128);
    return tiling_suits(p) && fits;
}

/* Divides the tiles into blocks of at most `most`, the same number for each thread. */
static void cut(struct winograd *w, int64_t most)
{
    const int64_t tiles = w->tiling.count, threads = w->problem.threads;
    w->blocks = ((tiles + most - 1) / most + threads - 1) / threads * threads;
    if (w->blocks > tiles) w->blocks = tiles;
    w->block = (tiles + w->blocks - 1) / w->blocks;
    w->blocks = (tiles + w->block - 1) / w->block;
    w->threads = (int)(threads < w->blocks ? threads : w->blocks);
}

/* Panels of channels that are multiplied together. */
static int64_t panels_of(int64_t channels)
{
    return (channels + PRODUCT_PANEL - 1) / PRODUCT_PANEL;
}

sumi_status winograd_prepare(sumi_context *context, void *shared, int variant,
                             const struct convolution_problem *problem, void **state,
                             struct convolution_memory *memory)
{
    (void)shared;
    struct winograd *w = context_allocate_zeroed(context, 1, sizeof *w);
    if (!w) return SUMI_ERROR_MEMORY;
    w->context = context;
    w->problem = *problem;
    w->tiling = tiling_of(problem);
    cut(w, variant);
    w->stride_from = tiling_stride(w->block * w->tiling.from.channels);
    w->stride_to = tiling_stride(w->block * w->tiling.to.channels);
    bool gradient = problem->direction == CONVOLUTION_WEIGHT_GRADIENT;
    w->panel = PRODUCT_PANEL * (gradient ? problem->out : w->tiling.from.channels);
    w->stride_weight =
        tiling_stride(panels_of(gradient ? problem->in : w->tiling.to.channels) * w->panel);
    int64_t of_threads = w->threads * (w->stride_from + w->stride_to);
    int64_t of_weights = (gradient ? w->threads : 1) * w->stride_weight;
    if (problem->constant_weights) {
        memory->kept = (size_t)(POSITIONS * of_weights) * sizeof(float);
        of_weights = 0;
    }
    memory->scratch = (size_t)(POSITIONS * (of_threads + of_weights)) * sizeof(float);
    *state = w;
    return SUMI_OK;
}

void winograd_release(void *state)
{
    struct winograd *w = state;
    if (w) context_release(w->context, w);
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

/* One thread's share of the transformed weights, in panels of channels that are written, as the
   products read them: u[36][panel][channels read][PRODUCT_PANEL]. */
static void transform_weights(const struct winograd *w, const void *weight, float *u)
{
    const int64_t read = w->tiling.from.channels, written = w->tiling.to.channels;
    const int64_t groups = (read + WINOGRAD_WEIGHT_ROWS - 1) / WINOGRAD_WEIGHT_ROWS;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < panels_of(written) * groups; i++) {
        int64_t panel = i / groups, first = panel * PRODUCT_PANEL;
        int64_t row = i % groups * WINOGRAD_WEIGHT_ROWS;
        tiling_transform_weights(&w->tiling, weight, row, least(read - row, WINOGRAD_WEIGHT_ROWS),
                                 first, least(written - first, PRODUCT_PANEL),
                                 u + panel * w->panel + row * PRODUCT_PANEL, PRODUCT_PANEL,
                                 w->stride_weight);
    }
}

static void multiply_block(const struct winograd *w, struct tiles tiles, const float *u,
                           const struct workspace *workspace)
{
    const int64_t from = w->tiling.from.channels, to = w->tiling.to.channels;
    for (int p = 0; p < POSITIONS; p++) {
        struct product product = product_of(
            false, false, tiles.end - tiles.first, to, from, workspace->from + p * w->stride_from,
            from, u + p * w->stride_weight, PRODUCT_PANEL, workspace->to + p * w->stride_to, to);
        product.b_panel = w->panel;
        product_run(&product);
    }
}

/* One run, shared by the threads. */
struct run {
    const struct winograd *w;
    const struct convolution_operands *operands;
    float *scratch;
};

/* A thread's share of a run forward, or of a gradient by data. */
static void share_of_tiles(struct run *run)
{
    const struct winograd *w = run->w;
    const struct tiling *t = &w->tiling;
    const struct convolution_operands *operands = run->operands;
    const float *from = t->turned ? operands->y : operands->x;
    float *to = t->turned ? operands->x : operands->y;
    const bool keeps = w->problem.constant_weights;
    float *u = keeps ? operands->kept : weights_of(w, run->scratch);
    bool ready = keeps && w->version == operands->version;
    struct workspace workspace = workspace_of(w, run->scratch, omp_get_thread_num());
    if (!ready) transform_weights(w, operands->weight, u);
#pragma omp for schedule(static)
    for (int64_t block = 0; block < w->blocks; block++) {
        struct tiles tiles = tiles_of(w, block);
        tiling_read_spans(t, tiles, from, workspace.from, w->stride_from);
        multiply_block(w, tiles, u, &workspace);
        tiling_write_tiles(t, tiles, 0, t->to.channels, &operands->epilogue, workspace.to,
                           w->stride_to, to);
    }
}

/* Adds a block's products into sums[36][panel of in][out][PRODUCT_PANEL]. */
static void accumulate_block(const struct winograd *w, struct tiles tiles,
                             const struct workspace *workspace, bool first, float *sums)
{
    const int64_t in = w->tiling.from.channels, out = w->tiling.to.channels;
    for (int p = 0; p < POSITIONS; p++) {
        struct product product = product_of(
            true, false, out, in, tiles.end - tiles.first, workspace->to + p * w->stride_to, out,
            workspace->from + p * w->stride_from, in, sums + p * w->stride_weight, PRODUCT_PANEL);
        product.c_panel = w->panel;
        product.add = !first;
        product_run(&product);
    }
}

/* Adds the other threads' sums to `count` of the first one's, at each position. */
static void add_parts(const struct winograd *w, int64_t count, float *sums)
{
    const int64_t step = POSITIONS * w->stride_weight;
    for (int thread = 1; thread < w->threads; thread++) {
        for (int p = 0; p < POSITIONS; p++) {
            float *total = sums + p * w->stride_weight;
            const float *part = total + thread * step;
            for (int64_t i = 0; i < count; i++) total[i] += part[i];
        }
    }
}

/* A thread's share of adding up the threads' sums, and of transforming them back. */
static void fold_sums(const struct winograd *w, float *sums, float *weight)
{
    const int64_t in = w->problem.in;
#pragma omp for schedule(static)
    for (int64_t out = 0; out < w->problem.out; out++) {
        for (int64_t panel = 0; panel < panels_of(in); panel++) {
            int64_t first = panel * PRODUCT_PANEL;
            int64_t count = least(in - first, PRODUCT_PANEL);
            float *own = sums + panel * w->panel + out * PRODUCT_PANEL;
            add_parts(w, count, own);
            winograd_loops_select()->weight_gradient(count, own, w->stride_weight,
                                                     weight + (out * in + first) * 9, 9);
        }
    }
}

/* The sums of one part of the blocks; there is a part for each thread. */
static void sum_part(const struct run *run, int part, float *sums)
{
    const struct winograd *w = run->w;
    struct workspace workspace = workspace_of(w, run->scratch, part);
    int64_t first = w->blocks * part / w->threads, end = w->blocks * (part + 1) / w->threads;
    for (int64_t block = first; block < end; block++) {
        struct tiles tiles = tiles_of(w, block);
        tiling_read_spans(&w->tiling, tiles, run->operands->x, workspace.from, w->stride_from);
        tiling_read_tiles(&w->tiling, tiles, run->operands->y, workspace.to, w->stride_to);
        accumulate_block(w, tiles, &workspace, block == first, sums);
    }
}

/* A thread's share of a gradient by weight: one part, or more where the team is smaller than asked
   for. */
static void share_of_weight_gradient(const struct run *run)
{
    const struct winograd *w = run->w;
    float *sums = weights_of(w, run->scratch);
#pragma omp for schedule(static, 1)
    for (int part = 0; part < w->threads; part++) {
        sum_part(run, part, sums + part * POSITIONS * w->stride_weight);
    }
    fold_sums(w, sums, run->operands->weight);
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
    w->version = operands->version;
    return SUMI_OK;
}
