/* SPDX-License-Identifier: Apache-2.0 */
/* 1-D Winograd, F(4, 3) (Lavin & Gray 2016): convolutions of height 1 and width 3, as in networks
   for signals; forward, by data and by weight. It needs half of the direct algorithm's
   multiplications. Tiles of four pixels are taken in blocks whose transformed values stay in a
   core's cache: transform, multiply 6 pairs of matrices, transform back, and apply the epilogue.
   The gradient by data is the same with the kernels reversed; the gradient by weight is the
   transpose of the algorithm with respect to the kernels. */
#include "cpu/winograd_1d.h"

#include "base/team.h"
#include "cpu/loops/winograd_1d.h"
#include "cpu/loops/product.h"
#include "cpu/sizes.h"

enum { TILE = WINOGRAD_1D_TILE, SPAN = WINOGRAD_1D_SPAN };

struct winograd_1d {
    sumi_context *context;
    struct convolution_problem problem;
    bool turned;                  /* the weights: computing a gradient by data */
    int64_t lines, across, tiles; /* rows of pixels, tiles of a row, and of all rows */
    int64_t from_width, from_channels, to_width, to_channels;
    int64_t left;          /* pixels by which the span of the first tile begins before its row */
    int64_t block, blocks; /* tiles in a block; blocks */
    int64_t size_from, size_to, size_weight; /* floats of one of the 6 matrices */
    int threads;
};

bool winograd_1d_suits(const struct convolution_problem *p, int variant)
{
    bool thin = p->kernel[0] == 1 && p->kernel[1] == 3 && p->before[0] == 0 && p->after[0] == 0;
    bool dense = p->stride[0] == 1 && p->stride[1] == 1 && p->before[1] <= 2 && p->after[1] <= 2;
    int64_t tiles = p->batch * p->height * ((p->out_width + TILE - 1) / TILE);
    return thin && dense && p->in >= 8 && p->out >= 8 && variant < 2 * tiles;
}

sumi_status winograd_1d_prepare(sumi_context *context, void *shared, int variant,
                                const struct convolution_problem *p, void **state,
                                struct convolution_memory *memory)
{
    (void)shared;
    struct winograd_1d *w = context_allocate_zeroed(context, 1, sizeof *w);
    if (!w) return SUMI_ERROR_MEMORY;
    w->context = context;
    w->problem = *p;
    w->turned = p->direction == CONVOLUTION_DATA_GRADIENT;
    w->from_width = w->turned ? p->out_width : p->width;
    w->from_channels = w->turned ? p->out : p->in;
    w->to_width = w->turned ? p->width : p->out_width;
    w->to_channels = w->turned ? p->in : p->out;
    w->left = w->turned ? 2 - p->before[1] : p->before[1];
    w->lines = p->batch * p->height;
    w->across = (w->to_width + TILE - 1) / TILE;
    w->tiles = w->lines * w->across;
    w->blocks = (w->tiles + variant - 1) / variant;
    w->block = (w->tiles + w->blocks - 1) / w->blocks;
    w->threads = p->threads <= w->blocks ? p->threads : 1;
    w->size_from = lined_floats(w->block * w->from_channels);
    w->size_to = lined_floats(w->block * w->to_channels);
    w->size_weight = lined_floats(p->in * p->out);
    int64_t copies = p->direction == CONVOLUTION_WEIGHT_GRADIENT ? w->threads : 1;
    int64_t floats = w->threads * (w->size_from + w->size_to) + copies * w->size_weight;
    memory->scratch = (size_t)(SPAN * floats) * sizeof(float);
    *state = w;
    return SUMI_OK;
}

void winograd_1d_release(void *state)
{
    struct winograd_1d *w = state;
    if (w) context_release(w->context, w);
}

/* A thread's part of the scratch memory: from[6][tiles][channels], to[6][tiles][channels]. */
struct workspace {
    float *from, *to;
};

static struct workspace workspace_of(const struct winograd_1d *w, float *scratch, int thread)
{
    float *from = scratch + thread * SPAN * (w->size_from + w->size_to);
    return (struct workspace){from, from + SPAN * w->size_from};
}

/* The transformed weights [6][from][to], or the first thread's sums of their gradient
   [6][out][in]. */
static float *weights_of(const struct winograd_1d *w, float *scratch)
{
    return workspace_of(w, scratch, w->threads).from;
}

/* Tiles from `first` up to before `end`. */
struct range {
    int64_t first, end;
};

static struct range tiles_of(const struct winograd_1d *w, int64_t block)
{
    int64_t first = block * w->block, end = first + w->block;
    return (struct range){first, end < w->tiles ? end : w->tiles};
}

static int clamp(int64_t value, int64_t high)
{
    return (int)(value < 0 ? 0 : value > high ? high : value);
}

static void read_spans(const struct winograd_1d *w, struct range range, const float *from,
                       float *out)
{
    const struct winograd_1d_loops *loops = winograd_1d_loops_select();
    for (int64_t tile = range.first; tile < range.end; tile++, out += w->from_channels) {
        int64_t line = tile / w->across, column = tile % w->across * TILE - w->left;
        loops->input(w->from_channels, from + (line * w->from_width + column) * w->from_channels,
                     clamp(-column, SPAN), clamp(w->from_width - column, SPAN), out, w->size_from);
    }
}

static void read_tiles(const struct winograd_1d *w, struct range range, const float *to, float *out)
{
    const struct winograd_1d_loops *loops = winograd_1d_loops_select();
    for (int64_t tile = range.first; tile < range.end; tile++, out += w->to_channels) {
        int64_t line = tile / w->across, column = tile % w->across * TILE;
        loops->gradient(w->to_channels, to + (line * w->to_width + column) * w->to_channels,
                        clamp(w->to_width - column, TILE), out, w->size_to);
    }
}

static void write_tiles(const struct winograd_1d *w, struct range range,
                        const struct epilogue *given, const float *in, float *to)
{
    const float *residual = given->residual;
    const struct winograd_1d_loops *loops = winograd_1d_loops_select();
    for (int64_t tile = range.first; tile < range.end; tile++, in += w->to_channels) {
        int64_t line = tile / w->across, column = tile % w->across * TILE;
        int64_t at = (line * w->to_width + column) * w->to_channels;
        int64_t item = line / w->problem.height * w->to_channels;
        struct winograd_1d_epilogue epilogue = {.bias = given->bias,
                                                .item = given->item ? given->item + item : NULL,
                                                .residual = residual ? residual + at : NULL,
                                                .scale = given->scale};
        loops->output(w->to_channels, in, w->size_to, &epilogue, to + at,
                      clamp(w->to_width - column, TILE));
    }
}

/* One thread's share of u[6][from][to]. */
static void transform_weights(const struct winograd_1d *w, const void *weight, float *u)
{
    const struct winograd_1d_loops *loops = winograd_1d_loops_select();
    const int64_t row =
        w->problem.in * WINOGRAD_1D_KERNEL; /* from one output channel to the next */
    const int64_t step = w->turned ? WINOGRAD_1D_KERNEL : row,
                  step_from = w->turned ? row : WINOGRAD_1D_KERNEL;
#pragma omp for schedule(static)
    for (int64_t from = 0; from < w->from_channels; from++) {
        loops->weight(w->to_channels, element_address(weight, w->problem.weights, from * step_from),
                      w->problem.weights, step, w->turned, u + from * w->to_channels,
                      w->size_weight);
    }
}

/* Forward, and the gradient by data. */
static void share_of_tiles(const struct winograd_1d *w, const struct convolution_operands *operands,
                           float *scratch)
{
    const struct product_loops *loops = product_loops_select();
    const float *from = w->turned ? operands->y : operands->x;
    float *to = w->turned ? operands->x : operands->y, *u = weights_of(w, scratch);
    struct workspace workspace = workspace_of(w, scratch, omp_get_thread_num());
    transform_weights(w, operands->weight, u);
#pragma omp for schedule(static)
    for (int64_t block = 0; block < w->blocks; block++) {
        struct range range = tiles_of(w, block);
        read_spans(w, range, from, workspace.from);
        for (int p = 0; p < SPAN; p++) {
            loops->product(&(struct product){.m = range.end - range.first,
                                             .n = w->to_channels,
                                             .k = w->from_channels,
                                             .a = workspace.from + p * w->size_from,
                                             .a_row = w->from_channels,
                                             .a_column = 1,
                                             .b = u + p * w->size_weight,
                                             .b_row = w->to_channels,
                                             .b_column = 1,
                                             .c = workspace.to + p * w->size_to,
                                             .c_row = w->to_channels});
        }
        write_tiles(w, range, &operands->epilogue, workspace.to, to);
    }
}

/* Adds a block's products into sums[6][out][in]. */
static void accumulate(const struct winograd_1d *w, int64_t tiles,
                       const struct workspace *workspace, bool first, float *sums)
{
    const struct product_loops *loops = product_loops_select();
    for (int p = 0; p < SPAN; p++) {
        loops->product(&(struct product){.m = w->to_channels,
                                         .n = w->from_channels,
                                         .k = tiles,
                                         .a = workspace->to + p * w->size_to,
                                         .a_row = 1,
                                         .a_column = w->to_channels,
                                         .b = workspace->from + p * w->size_from,
                                         .b_row = w->from_channels,
                                         .b_column = 1,
                                         .c = sums + p * w->size_weight,
                                         .c_row = w->from_channels,
                                         .add = !first});
    }
}

/* A thread's share of adding up the threads' sums, and of transforming them back. */
static void fold_sums(const struct winograd_1d *w, float *sums, float *weight)
{
    const struct winograd_1d_loops *loops = winograd_1d_loops_select();
    const int64_t in = w->problem.in;
#pragma omp for schedule(static)
    for (int64_t out = 0; out < w->problem.out; out++) {
        for (int p = 0; p < SPAN; p++) {
            float *total = sums + p * w->size_weight + out * in;
            for (int thread = 1; thread < w->threads; thread++) {
                const float *part = total + thread * SPAN * w->size_weight;
                for (int64_t i = 0; i < in; i++) total[i] += part[i];
            }
        }
        loops->weight_gradient(in, sums + out * in, w->size_weight,
                               weight + out * in * WINOGRAD_1D_KERNEL);
    }
}

/* The sums of one part of the blocks; there is a part for each thread. */
static void sum_part(const struct winograd_1d *w, const struct convolution_operands *operands,
                     float *scratch, int part)
{
    struct workspace workspace = workspace_of(w, scratch, part);
    float *sums = weights_of(w, scratch) + part * SPAN * w->size_weight;
    int64_t first = w->blocks * part / w->threads, end = w->blocks * (part + 1) / w->threads;
    for (int64_t block = first; block < end; block++) {
        struct range range = tiles_of(w, block);
        read_spans(w, range, operands->x, workspace.from);
        read_tiles(w, range, operands->y, workspace.to);
        accumulate(w, range.end - range.first, &workspace, block == first, sums);
    }
}

/* A thread's share: one part, or more where the team is smaller than asked for. */
static void share_of_weight_gradient(const struct winograd_1d *w,
                                     const struct convolution_operands *operands, float *scratch)
{
#pragma omp for schedule(static, 1)
    for (int part = 0; part < w->threads; part++) sum_part(w, operands, scratch, part);
    fold_sums(w, weights_of(w, scratch), operands->weight);
}

sumi_status winograd_1d_run(void *state, const struct convolution_operands *operands, void *scratch)
{
    const struct winograd_1d *w = state;
    bool weights = w->problem.direction == CONVOLUTION_WEIGHT_GRADIENT;
    if (weights) BY_TEAM(w->threads, share_of_weight_gradient(w, operands, scratch));
    else BY_TEAM(w->threads, share_of_tiles(w, operands, scratch));
    return SUMI_OK;
}
