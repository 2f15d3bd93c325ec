/* Winograd's algorithm F(4x4, 3x3) (Lavin & Gray 2016) in channels-last layout: forward, by data
   and by weight. Tiles of the image are taken in blocks whose transformed values stay in a core's
   cache: transform the block's input, multiply 36 pairs of matrices, transform back and add what is
   to be added on the way out. It needs a quarter of the direct algorithm's multiplications.

   The gradient by data is the same with the kernels turned; the gradient by weight is the transpose
   of the algorithm with respect to the kernels. */
#include "cpu/winograd.h"

#include <omp.h>

#include "cpu/loops/product.h"
#include "cpu/loops/winograd.h"
#include "cpu/onednn.h"
#include "cpu/team.h"

enum { TILE = WINOGRAD_TILE, SPAN = WINOGRAD_SPAN, POSITIONS = WINOGRAD_POSITIONS };

/* An image that is read or written by tiles. Its pixel (0, 0) is pixel (-top, -left) of tile 0. */
struct image {
    int64_t height, width, channels, top, left;
};

struct winograd {
    sumi_context *context;
    struct convolution_problem problem;
    bool turned;                      /* the weights: computing a gradient by data */
    struct image from, to;            /* what is read by spans of 6x6, and the 4x4 pixels */
    int64_t down, across, tiles;      /* tiles of one item, and of all */
    int64_t block, blocks;            /* tiles in a block; blocks */
    int64_t stride_from, stride_to, stride_weight; /* floats from position to position */
    bool own;                         /* products, instead of the library's */
    int threads;
    float *kept;      /* the transformed weights, where they last; else they are scratch memory */
    uint64_t version; /* of the weights that `kept` was made from */
};

bool winograd_suits(const struct convolution_problem *p, int variant)
{
    bool square = p->kernel[0] == 3 && p->kernel[1] == 3;
    bool dense = p->stride[0] == 1 && p->stride[1] == 1;
    for (int i = 0; i < 2; i++) {
        if (p->before[i] > 2) return false; /* then the turned kernel would start inside */
    }
    int64_t tiles = p->batch * ((p->out_height + 3) / 4) * ((p->out_width + 3) / 4);
    int64_t block = variant & ~WINOGRAD_OWN, wide = p->in > p->out ? p->in : p->out;
    bool products = variant & WINOGRAD_OWN ? wide <= 192 : wide >= 64; /* where each is good at it */
    bool fits = block < 2 * tiles && (block > 16 || tiles < 64 || wide < 128);
    return square && dense && products && fits && p->in >= 16 && p->out >= 16;
}

/* Distance between positions for `size` values: whole cache lines, an odd number of them, so that
   the 36 places that a tile writes to do not fall on the same lines of the cache. */
static int64_t spread(int64_t size)
{
    return ((size + 15) / 16 | 1) * 16;
}

sumi_status winograd_prepare(sumi_context *context, void *shared, int variant,
                             const struct convolution_problem *problem, void **state,
                             size_t *scratch)
{
    (void)shared;
    struct winograd *w = context_allocate_zeroed(context, 1, sizeof *w);
    if (!w) return SUMI_ERROR_MEMORY;
    const struct convolution_problem *p = problem;
    struct image x = {p->height, p->width, p->in, p->before[0], p->before[1]};
    struct image y = {p->out_height, p->out_width, p->out, 0, 0};
    w->context = context;
    w->problem = *problem;
    w->turned = p->direction == CONVOLUTION_DATA_GRADIENT;
    w->from = w->turned ? y : x;
    w->to = w->turned ? x : y;
    if (w->turned) {
        w->from.top = 2 - p->before[0];
        w->from.left = 2 - p->before[1];
        w->to.top = w->to.left = 0;
    }
    w->down = (w->to.height + TILE - 1) / TILE;
    w->across = (w->to.width + TILE - 1) / TILE;
    w->tiles = p->batch * w->down * w->across;
    const int block = variant & ~WINOGRAD_OWN;
    w->own = variant & WINOGRAD_OWN;
    w->blocks = (w->tiles + block - 1) / block;
    w->blocks = (w->blocks + p->threads - 1) / p->threads * p->threads; /* as many for each */
    if (w->blocks > w->tiles) w->blocks = w->tiles;
    w->block = (w->tiles + w->blocks - 1) / w->blocks;
    w->blocks = (w->tiles + w->block - 1) / w->block;
    w->stride_from = spread(w->block * w->from.channels);
    w->stride_to = spread(w->block * w->to.channels);
    w->stride_weight = spread(p->in * p->out);
    w->threads = p->threads < w->blocks ? p->threads : (int)w->blocks;
    bool gradient = p->direction == CONVOLUTION_WEIGHT_GRADIENT;
    int64_t of_threads = w->threads * (w->stride_from + w->stride_to);
    int64_t of_weights = (gradient ? w->threads : 1) * w->stride_weight;
    if (p->lasting) {
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

static int clamp(int64_t value, int64_t low, int64_t high)
{
    return (int)(value < low ? low : value > high ? high : value);
}

/* Tile number `tile` of an image: which of its size x size pixels exist. The offset of its first
   one in the batch, which may lie outside, is returned. */
static int64_t locate(const struct winograd *w, const struct image *image, int64_t tile, int size,
                      struct winograd_pixels *pixels)
{
    int64_t across = tile % w->across, down = tile / w->across % w->down;
    int64_t item = tile / w->across / w->down;
    int64_t row = down * TILE - image->top, column = across * TILE - image->left;
    pixels->row_step = image->width * image->channels;
    pixels->pixel_step = image->channels;
    pixels->first_row = clamp(-row, 0, size);
    pixels->end_row = clamp(image->height - row, 0, size);
    pixels->first_column = clamp(-column, 0, size);
    pixels->end_column = clamp(image->width - column, 0, size);
    return ((item * image->height + row) * image->width + column) * image->channels;
}

/* A thread's part of the scratch memory. */
struct room {
    float *from, *to;
};

static struct room room_of(const struct winograd *w, float *scratch, int thread)
{
    float *from = scratch + thread * POSITIONS * (w->stride_from + w->stride_to);
    return (struct room){from, from + POSITIONS * w->stride_from};
}

/* The transformed weights, or the first thread's sums of their gradient. */
static float *weights_of(const struct winograd *w, float *scratch)
{
    return room_of(w, scratch, w->threads).from;
}

static int64_t end_of(const struct winograd *w, int64_t block)
{
    int64_t end = (block + 1) * w->block;
    return end < w->tiles ? end : w->tiles;
}

static void read_spans(const struct winograd *w, const struct winograd_loops *loops, int64_t block,
                       const float *from, float *out)
{
    struct winograd_pixels pixels;
    for (int64_t tile = block * w->block; tile < end_of(w, block); tile++) {
        int64_t at = locate(w, &w->from, tile, SPAN, &pixels);
        loops->input(w->from.channels, from + at, &pixels, out, w->stride_from);
        out += w->from.channels;
    }
}

static void read_tiles(const struct winograd *w, const struct winograd_loops *loops, int64_t block,
                       const float *to, float *out)
{
    struct winograd_pixels pixels;
    for (int64_t tile = block * w->block; tile < end_of(w, block); tile++) {
        int64_t at = locate(w, &w->to, tile, TILE, &pixels);
        loops->gradient(w->to.channels, to + at, &pixels, out, w->stride_to);
        out += w->to.channels;
    }
}

static void write_tiles(const struct winograd *w, const struct winograd_loops *loops,
                        int64_t block, const struct epilogue *given, const float *in, float *to)
{
    struct winograd_pixels pixels;
    for (int64_t tile = block * w->block; tile < end_of(w, block); tile++) {
        int64_t at = locate(w, &w->to, tile, TILE, &pixels);
        int64_t item = tile / w->across / w->down;
        struct winograd_epilogue epilogue = {
            .bias = given->bias,
            .item = given->item ? given->item + item * w->to.channels : NULL,
            .residual = given->residual ? given->residual + at : NULL,
            .scale = given->scale};
        loops->output(w->to.channels, in, w->stride_to, &epilogue, to + at, &pixels);
        in += w->to.channels;
    }
}

/* One thread's share of the transformed weights: u[36][channels read][channels written]. A share is
   a few channels that are read, so that both the weights and u are gone through in runs. */
static void transform_weights(const struct winograd *w, const struct winograd_loops *loops,
                              const float *weight, float *u)
{
    enum { SHARE = WINOGRAD_WEIGHT_ROWS, KERNEL = 9 };
    const int64_t row = w->problem.in * KERNEL; /* from one output channel to the next */
    const int64_t step = w->turned ? KERNEL : row, step_read = w->turned ? row : KERNEL;
    const int64_t read = w->from.channels, written = w->to.channels;
#pragma omp for schedule(static)
    for (int64_t first = 0; first < read; first += SHARE) {
        int64_t count = read - first < SHARE ? read - first : SHARE;
        loops->weight(count, written, weight + first * step_read, step_read, step, w->turned,
                      u + first * written, w->stride_weight);
    }
}

/* c[m,n] = a[m,k] b[k,n], rows of a as far apart as it is wide. */
static sumi_status multiply(const struct winograd *w, int64_t m, int64_t n, int64_t k,
                            const float *a, const float *b, float *c)
{
    if (!w->own) return onednn_product(false, false, m, n, k, a, k, b, n, c, n);
    const struct product product = {.m = m, .n = n, .k = k, .a = a, .a_row = k, .a_column = 1,
                                    .b = b, .b_row = n, .b_column = 1, .c = c, .c_row = n};
    product_loops_select()->product(&product);
    return SUMI_OK;
}

/* c[m,n] = a[k,m]^T b[k,n], or added to what is there. */
static sumi_status multiply_transposed(const struct winograd *w, int64_t m, int64_t n, int64_t k,
                                       const float *a, const float *b, bool add, float *c)
{
    if (!w->own) {
        return (add ? onednn_add_product : onednn_product)(true, false, m, n, k, a, m, b, n, c, n);
    }
    const struct product product = {.m = m, .n = n, .k = k, .a = a, .a_row = 1, .a_column = m,
                                    .b = b, .b_row = n, .b_column = 1, .c = c, .c_row = n,
                                    .add = add};
    product_loops_select()->product(&product);
    return SUMI_OK;
}

static sumi_status multiply_block(const struct winograd *w, int64_t block, const float *u,
                                  const struct room *room)
{
    const int64_t from = w->from.channels, to = w->to.channels;
    int64_t tiles = end_of(w, block) - block * w->block;
    for (int p = 0; p < POSITIONS; p++) {
        TRY(multiply(w, tiles, to, from, room->from + p * w->stride_from, u + p * w->stride_weight,
                     room->to + p * w->stride_to));
    }
    return SUMI_OK;
}

/* One run, as the threads share it. */
struct run {
    const struct winograd *w;
    const struct winograd_loops *loops;
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
    const struct convolution_operands *operands = run->operands;
    const float *from = w->turned ? operands->y : operands->x;
    float *to = w->turned ? operands->x : operands->y;
    float *u = w->kept ? w->kept : weights_of(w, run->scratch);
    bool ready = w->kept && w->version == operands->version;
    struct room room = room_of(w, run->scratch, omp_get_thread_num());
    if (!ready) transform_weights(w, run->loops, operands->weight, u);
#pragma omp for schedule(static)
    for (int64_t block = 0; block < w->blocks; block++) {
        read_spans(w, run->loops, block, from, room.from);
        note(run, multiply_block(w, block, u, &room));
        write_tiles(w, run->loops, block, &operands->epilogue, room.to, to);
    }
}

/* Adds a block's products into sums[36][out][in]. */
static sumi_status accumulate_block(const struct winograd *w, int64_t block,
                                    const struct room *room, bool first, float *sums)
{
    const int64_t in = w->from.channels, out = w->to.channels;
    int64_t tiles = end_of(w, block) - block * w->block;
    for (int p = 0; p < POSITIONS; p++) {
        TRY(multiply_transposed(w, out, in, tiles, room->to + p * w->stride_to,
                                room->from + p * w->stride_from, !first,
                                sums + p * w->stride_weight));
    }
    return SUMI_OK;
}

/* A thread's share of adding up the threads' sums, and of transforming them back. */
static void fold_sums(const struct winograd *w, const struct winograd_loops *loops, float *sums,
                      float *weight)
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
        loops->weight_gradient(in, first, w->stride_weight, weight + out * in * 9, 9);
    }
}

/* A thread's share of a gradient by weight. */
static void share_of_weight_gradient(struct run *run)
{
    const struct winograd *w = run->w;
    int thread = omp_get_thread_num();
    struct room room = room_of(w, run->scratch, thread);
    float *all_sums = weights_of(w, run->scratch);
    float *sums = all_sums + thread * POSITIONS * w->stride_weight;
    int64_t first = w->blocks * thread / w->threads, end = w->blocks * (thread + 1) / w->threads;
    for (int64_t block = first; block < end; block++) {
        read_spans(w, run->loops, block, run->operands->x, room.from);
        read_tiles(w, run->loops, block, run->operands->y, room.to);
        note(run, accumulate_block(w, block, &room, block == first, sums));
    }
#pragma omp barrier
    fold_sums(w, run->loops, all_sums, run->operands->weight);
}

sumi_status winograd_run(void *state, const struct convolution_operands *operands, void *scratch)
{
    struct winograd *w = state;
    struct run run = {
        .w = w, .loops = winograd_loops_select(), .operands = operands, .scratch = scratch};
    if (w->problem.direction == CONVOLUTION_WEIGHT_GRADIENT) {
        BY_TEAM(w->threads, share_of_weight_gradient(&run));
    } else {
        BY_TEAM(w->threads, share_of_tiles(&run));
    }
    w->version = run.status == SUMI_OK ? operands->version : 0;
    return onednn_explain_product(w->context, run.status);
}
