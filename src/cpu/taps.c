/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of any kernel, stride and padding: for each tap of the kernel the product of a
   shifted row of pixels with the weights of that tap, and likewise for the gradients. It is used
   where oneDNN has only implementations that are unsafe; see onednn_convolution.c. Weights are put
   in order by taps in the type that they are stored in, and widened by the products. */
#include "cpu/taps.h"

#include <string.h>

#include "base/team.h"
#include "cpu/product.h"

/* Channels of a result that a thread takes at a time in the gradient by weight. */
enum { SHARE = 32 };

struct taps {
    sumi_context *context;
    struct convolution_problem problem;
    int64_t count, size; /* taps; weights of a tap */
};

bool taps_suit(const struct convolution_problem *problem, int variant)
{
    (void)problem, (void)variant;
    return true;
}

sumi_status taps_prepare(sumi_context *context, void *shared, int variant,
                         const struct convolution_problem *problem, void **state,
                         struct convolution_memory *memory)
{
    (void)shared, (void)variant;
    struct taps *t = context_allocate_zeroed(context, 1, sizeof *t);
    if (!t) return SUMI_ERROR_MEMORY;
    t->context = context;
    t->problem = *problem;
    t->count = problem->kernel[0] * problem->kernel[1];
    t->size = problem->in * problem->out;
    memory->scratch = (size_t)(t->count * t->size) * element_size(problem->weights);
    *state = t;
    return SUMI_OK;
}

void taps_release(void *state)
{
    struct taps *t = state;
    if (t) context_release(t->context, t);
}

/* Columns `first` up to before `end` of y that a tap in column `kx` of the kernel joins with
   columns of x: column c of y with column c * stride - before + kx of x. */
struct columns {
    int64_t first, end, x; /* x: the column of x that goes with `first` */
};

static struct columns columns_of(const struct convolution_problem *p, int64_t kx)
{
    const int64_t stride = p->stride[1], shift = kx - p->before[1];
    int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    int64_t end = p->width - shift > 0 ? (p->width - shift + stride - 1) / stride : 0;
    if (end > p->out_width) end = p->out_width;
    return (struct columns){first, end < first ? first : end, first * stride + shift};
}

/* A thread's share of the reordered weights, turned[tap][in][out], or [tap][out][in] for the
   gradient by data; each weight has `bytes` bytes. */
static inline __attribute__((always_inline)) void turn_numbers(const struct taps *t, size_t bytes,
                                                               const char *weight, char *turned)
{
    const struct convolution_problem *p = &t->problem;
    const bool forward = p->direction == CONVOLUTION_FORWARD;
#pragma omp for schedule(static)
    for (int64_t out = 0; out < p->out; out++) {
        for (int64_t in = 0; in < p->in; in++) {
            const char *kernel = weight + (out * p->in + in) * t->count * (int64_t)bytes;
            char *to = turned + (forward ? in * p->out + out : out * p->in + in) * (int64_t)bytes;
            for (int64_t tap = 0; tap < t->count; tap++) {
                memcpy(to + tap * t->size * (int64_t)bytes, kernel + tap * (int64_t)bytes, bytes);
            }
        }
    }
}

static void turn_weights(const struct taps *t, const void *weight, void *turned)
{
    if (t->problem.weights == SUMI_FLOAT32) turn_numbers(t, sizeof(float), weight, turned);
    else turn_numbers(t, sizeof(bfloat16), weight, turned);
}

/* The images that are read and written: x and y forward, y and x in the gradient by data. */
struct image {
    int64_t height, width, channels;
};

static struct image image_read(const struct convolution_problem *p)
{
    if (p->direction == CONVOLUTION_FORWARD) return (struct image){p->height, p->width, p->in};
    return (struct image){p->out_height, p->out_width, p->out};
}

static struct image image_written(const struct convolution_problem *p)
{
    if (p->direction == CONVOLUTION_FORWARD)
        return (struct image){p->out_height, p->out_width, p->out};
    return (struct image){p->height, p->width, p->in};
}

/* The row of the input image that contributes to row `row` of the output through row `ky` of the
   kernel; -1 if there is none. */
static int64_t row_read(const struct convolution_problem *p, int64_t row, int64_t ky)
{
    if (p->direction == CONVOLUTION_FORWARD) {
        int64_t from = row * p->stride[0] - p->before[0] + ky;
        return from >= 0 && from < p->height ? from : -1;
    }
    int64_t from = row + p->before[0] - ky;
    if (from < 0 || from % p->stride[0] || from / p->stride[0] >= p->out_height) return -1;
    return from / p->stride[0];
}

/* Adds to a row of the output the products of a row of the input with row `ky` of the kernel. */
static void add_row(const struct taps *t, const float *from, const void *turned, int64_t ky,
                    float *to)
{
    const struct convolution_problem *p = &t->problem;
    const bool forward = p->direction == CONVOLUTION_FORWARD;
    const int64_t x_step = p->stride[1] * p->in, y_step = p->out;
    for (int64_t kx = 0; kx < p->kernel[1]; kx++) {
        struct columns c = columns_of(p, kx);
        if (c.first == c.end) continue;
        const int64_t x = c.x * p->in, y = c.first * p->out, n = forward ? p->out : p->in;
        struct product product =
            product_of(false, false, c.end - c.first, n, forward ? p->in : p->out,
                       from + (forward ? x : y), forward ? x_step : y_step,
                       element_address(turned, p->weights, (ky * p->kernel[1] + kx) * t->size), n,
                       to + (forward ? y : x), forward ? y_step : x_step);
        product.b_element = p->weights;
        product.add = true;
        product_run(&product);
    }
}

/* A thread's share of the rows of the output. */
static void share_of_rows(const struct taps *t, const struct convolution_operands *operands,
                          void *turned)
{
    const struct convolution_problem *p = &t->problem;
    const struct image read = image_read(p), written = image_written(p);
    const bool forward = p->direction == CONVOLUTION_FORWARD;
    const float *from = forward ? operands->x : operands->y;
    float *to = forward ? operands->y : operands->x;
    const int64_t row_from = read.width * read.channels, row_to = written.width * written.channels;
    turn_weights(t, operands->weight, turned);
#pragma omp for schedule(static)
    for (int64_t row = 0; row < p->batch * written.height; row++) {
        const int64_t item = row / written.height;
        float *y = to + row * row_to;
        memset(y, 0, (size_t)row_to * sizeof *y);
        for (int64_t ky = 0; ky < p->kernel[0]; ky++) {
            int64_t other = row_read(p, row % written.height, ky);
            if (other < 0) continue;
            add_row(t, from + (item * read.height + other) * row_from, turned, ky, y);
        }
        epilogue_apply(&operands->epilogue, row * written.width, written.width, y);
    }
}

/* sums[out from `first` on, `count` of them][in] of tap (ky, kx). */
static void sum_tap(const struct taps *t, const struct convolution_operands *operands, int64_t ky,
                    int64_t kx, int64_t first, int64_t count, float *sums)
{
    const struct convolution_problem *p = &t->problem;
    const struct columns c = columns_of(p, kx);
    const float *x = (const float *)operands->x + c.x * p->in;
    const float *y = (const float *)operands->y + c.first * p->out + first;
    memset(sums, 0, (size_t)(count * p->in) * sizeof *sums);
    for (int64_t row = 0; row < p->batch * p->out_height && c.first < c.end; row++) {
        int64_t from = row % p->out_height * p->stride[0] - p->before[0] + ky;
        if (from < 0 || from >= p->height) continue;
        int64_t row_of_x = row / p->out_height * p->height + from;
        struct product product =
            product_of(true, false, count, p->in, c.end - c.first, y + row * p->out_width * p->out,
                       p->out, x + row_of_x * p->width * p->in, p->stride[1] * p->in, sums, p->in);
        product.add = true;
        product_run(&product);
    }
}

static void share_of_weights(const struct taps *t, const struct convolution_operands *operands,
                             float *sums)
{
    const struct convolution_problem *p = &t->problem;
    const int64_t parts = (p->out + SHARE - 1) / SHARE;
#pragma omp for schedule(static)
    for (int64_t task = 0; task < t->count * parts; task++) {
        int64_t tap = task / parts, first = task % parts * SHARE;
        int64_t count = p->out - first < SHARE ? p->out - first : SHARE;
        float *own = sums + tap * t->size + first * p->in;
        sum_tap(t, operands, tap / p->kernel[1], tap % p->kernel[1], first, count, own);
        float *weight = (float *)operands->weight + first * p->in * t->count + tap;
        for (int64_t i = 0; i < count * p->in; i++) weight[i * t->count] = own[i];
    }
}

sumi_status taps_run(void *state, const struct convolution_operands *operands, void *scratch)
{
    const struct taps *t = state;
    switch (t->problem.direction) {
    case CONVOLUTION_FORWARD:
    case CONVOLUTION_DATA_GRADIENT:
        BY_TEAM(t->problem.threads, share_of_rows(t, operands, scratch));
        break;
    case CONVOLUTION_WEIGHT_GRADIENT:
        BY_TEAM(t->problem.threads, share_of_weights(t, operands, scratch));
        break;
    }
    return SUMI_OK;
}
