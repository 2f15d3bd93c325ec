/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd's algorithm for few tiles and many channels, as in the inner levels of a U-Net, where
   the transformed weights are four times as large as the weights themselves, and writing them to
   memory and reading them again takes longer than the arithmetic. Here all tiles are transformed
   first; then a thread takes a panel of output channels, transforms the weights of the panel into
   its cache, multiplies all tiles by them and computes the results of the panel. The gradient by
   weight does the same steps in reverse. */
#include "cpu/winograd.h"

#include <omp.h>

#include "cpu/product.h"
#include "base/team.h"
#include "cpu/sizes.h"
#include "cpu/winograd_tiles.h"

enum { POSITIONS = WINOGRAD_POSITIONS, MOST_TILES = 160, SHARE_OF_TILES = 4 };

struct panels {
    sumi_context *context;
    struct convolution_problem problem;
    struct tiling tiling;
    int64_t width, count;               /* channels of a panel; panels */
    int64_t stride_from, stride_to;     /* floats from position to position: of all tiles */
    int64_t stride_weight, stride_part; /* and of a thread's weights and of its results */
    int threads;
};

bool winograd_panels_suit(const struct convolution_problem *p, int variant)
{
    bool data = p->direction == CONVOLUTION_DATA_GRADIENT;
    int64_t written = data ? p->in : p->out;
    return tiling_suits(p) && tiling_count(p) <= MOST_TILES && written >= 2 * variant;
}

sumi_status winograd_panels_prepare(sumi_context *context, void *shared, int variant,
                                    const struct convolution_problem *problem, void **state,
                                    struct convolution_memory *memory)
{
    (void)shared;
    struct panels *w = context_allocate_zeroed(context, 1, sizeof *w);
    if (!w) return SUMI_ERROR_MEMORY;
    w->context = context;
    w->problem = *problem;
    w->tiling = tiling_of(problem);
    w->width = variant;
    w->count = (w->tiling.to.channels + variant - 1) / variant;
    w->threads = problem->threads < w->count ? problem->threads : (int)w->count;
    const bool gradient = problem->direction == CONVOLUTION_WEIGHT_GRADIENT;
    const int64_t tiles = w->tiling.count, read = w->tiling.from.channels;
    w->stride_from = tiling_stride(tiles * read);
    w->stride_to = gradient ? tiling_stride(tiles * w->tiling.to.channels) : 0;
    w->stride_weight = tiling_stride(read * w->width);
    w->stride_part = gradient ? 0 : tiling_stride(tiles * w->width);
    int64_t of_threads = w->threads * (w->stride_weight + w->stride_part);
    memory->scratch =
        (size_t)(POSITIONS * (w->stride_from + w->stride_to + of_threads)) * sizeof(float);
    *state = w;
    return SUMI_OK;
}

void winograd_panels_release(void *state)
{
    struct panels *w = state;
    if (w) context_release(w->context, w);
}

/* The scratch memory: transformed tiles for all, weights and results for a thread. */
struct workspace {
    float *from, *to, *weight, *part;
};

static struct workspace workspace_of(const struct panels *w, float *scratch, int thread)
{
    struct workspace workspace = {.from = scratch};
    workspace.to = workspace.from + POSITIONS * w->stride_from;
    workspace.weight = workspace.to + POSITIONS * w->stride_to
                       + thread * POSITIONS * (w->stride_weight + w->stride_part);
    workspace.part = workspace.weight + POSITIONS * w->stride_weight;
    return workspace;
}

/* A thread's share of the transform of all input tiles, followed by a barrier. */
static void read_all(const struct panels *w, const float *from, const float *to,
                     const struct workspace *workspace)
{
    const struct tiling *t = &w->tiling;
#pragma omp for schedule(static)
    for (int64_t first = 0; first < t->count; first += SHARE_OF_TILES) {
        int64_t end = first + SHARE_OF_TILES;
        struct tiles tiles = {first, end < t->count ? end : t->count};
        tiling_read_spans(t, tiles, from, workspace->from + first * t->from.channels,
                          w->stride_from);
        if (!to) continue;
        tiling_read_tiles(t, tiles, to, workspace->to + first * t->to.channels, w->stride_to);
    }
}

/* A thread's share of a run forward, or of a gradient by data. */
static void share_of_panels(const struct panels *w, const struct convolution_operands *operands,
                            float *scratch)
{
    const struct tiling *t = &w->tiling;
    const struct workspace workspace = workspace_of(w, scratch, omp_get_thread_num());
    const struct tiles all = {0, t->count};
    const int64_t read = t->from.channels;
    read_all(w, t->turned ? operands->y : operands->x, NULL, &workspace);
#pragma omp for schedule(static)
    for (int64_t panel = 0; panel < w->count; panel++) {
        int64_t first = panel * w->width, count = least(t->to.channels - first, w->width);
        tiling_transform_weights(t, operands->weight, 0, read, first, count, workspace.weight,
                                 count, w->stride_weight);
        for (int p = 0; p < POSITIONS; p++) {
            const struct product product =
                product_of(false, false, t->count, count, read, workspace.from + p * w->stride_from,
                           read, workspace.weight + p * w->stride_weight, count,
                           workspace.part + p * w->stride_part, count);
            product_run(&product);
        }
        tiling_write_tiles(t, all, first, count, &operands->epilogue, workspace.part,
                           w->stride_part, t->turned ? operands->x : operands->y);
    }
}

/* A thread's share of a gradient by weight: workspace.weight has sums[36][panel][in]. */
static void share_of_weight_gradient(const struct panels *w,
                                     const struct convolution_operands *operands, float *scratch)
{
    const struct tiling *t = &w->tiling;
    const struct workspace workspace = workspace_of(w, scratch, omp_get_thread_num());
    const int64_t in = t->from.channels, out = t->to.channels;
    float *weight = operands->weight;
    read_all(w, operands->x, operands->y, &workspace);
#pragma omp for schedule(static)
    for (int64_t panel = 0; panel < w->count; panel++) {
        int64_t first = panel * w->width, count = least(out - first, w->width);
        for (int p = 0; p < POSITIONS; p++) {
            const struct product product = product_of(true, false, count, in, t->count,
                                                      workspace.to + p * w->stride_to + first, out,
                                                      workspace.from + p * w->stride_from, in,
                                                      workspace.weight + p * w->stride_weight, in);
            product_run(&product);
        }
        for (int64_t o = 0; o < count; o++) {
            winograd_loops_select()->weight_gradient(
                in, workspace.weight + o * in, w->stride_weight, weight + (first + o) * in * 9, 9);
        }
    }
}

sumi_status winograd_panels_run(void *state, const struct convolution_operands *operands,
                                void *scratch)
{
    const struct panels *w = state;
    if (w->problem.direction == CONVOLUTION_WEIGHT_GRADIENT) {
        BY_TEAM(w->threads, share_of_weight_gradient(w, operands, scratch));
    } else {
        BY_TEAM(w->threads, share_of_panels(w, operands, scratch));
    }
    return SUMI_OK;
}
