/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of any kernel, stride and padding: for each tap of the kernel the product of a row
   of pixels, shifted, with the weights of that tap, and so for the gradients. It is what is left
   where the library has only implementations that we cannot use; see onednn_convolution.c. */
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
                         const struct convolution_problem *problem, void **state, size_t *scratch)
{
    (void)shared, (void)variant;
    struct taps *t = context_allocate_zeroed(context, 1, sizeof *t);
    if (!t) return SUMI_ERROR_MEMORY;
    t->context = context;
    t->problem = *problem;
    t->count = problem->kernel[0] * problem->kernel[1];
    t->size = problem->in * problem->out;
    *scratch = (size_t)(t->count * t->size) * sizeof(float);
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

/* A thread's share of turned[tap][in][out], or [out][in] for the gradient by data. */
static void turn_weights(const struct taps *t, const float *weight, float *turned)
{
    const struct convolution_problem *p = &t->problem;
    const bool forward = p->direction == CONVOLUTION_FORWARD;
#pragma omp for schedule(static)
    for (int64_t out = 0; out < p->out; out++) {
        for (int64_t in = 0; in < p->in; in++) {
            const float *kernel = weight + (out * p->in + in) * t->count;
            float *to = turned + (forward ? in * p->out + out : out * p->in + in);
            for (int64_t tap = 0; tap < t->count; tap++) to[tap * t->size] = kernel[tap];
        }
    }
}

/* Adds to a row of y what a row of x gives it by way of the kernel's row `ky`. */
static void add_row(const struct taps *t, const float *x, const float *turned, int64_t ky, float *y)
{
    const struct convolution_problem *p = &t->problem;
    for (int64_t kx = 0; kx < p->kernel[1]; kx++) {
        struct columns c = columns_of(p, kx);
        if (c.first == c.end) continue;
        struct product product = product_of(
            false, false, c.end - c.first, p->out, p->in, x + c.x * p->in, p->stride[1] * p->in,
            turned + (ky * p->kernel[1] + kx) * t->size, p->out, y + c.first * p->out, p->out);
        product.add = true;
        product_run(&product);
    }
}

/* The same from y to x, in the gradient by data. */
static void add_row_back(const struct taps *t, const float *y, const float *turned, int64_t ky,
                         float *x)
{
    const struct convolution_problem *p = &t->problem;
    for (int64_t kx = 0; kx < p->kernel[1]; kx++) {
        struct columns c = columns_of(p, kx);
        if (c.first == c.end) continue;
        struct product product =
            product_of(false, false, c.end - c.first, p->in, p->out, y + c.first * p->out, p->out,
                       turned + (ky * p->kernel[1] + kx) * t->size, p->in, x + c.x * p->in,
                       p->stride[1] * p->in);
        product.add = true;
        product_run(&product);
    }
}

static void share_of_rows(const struct taps *t, const struct convolution_operands *operands,
                          float *turned)
{
    const struct convolution_problem *p = &t->problem;
    const float *x = operands->x;
    turn_weights(t, operands->weight, turned);
#pragma omp for schedule(static)
    for (int64_t row = 0; row < p->batch * p->out_height; row++) {
        const int64_t size = p->out_width * p->out, item = row / p->out_height;
        float *y = (float *)operands->y + row * size;
        memset(y, 0, (size_t)size * sizeof *y);
        for (int64_t ky = 0; ky < p->kernel[0]; ky++) {
            int64_t from = row % p->out_height * p->stride[0] - p->before[0] + ky;
            if (from < 0 || from >= p->height) continue;
            add_row(t, x + (item * p->height + from) * p->width * p->in, turned, ky, y);
        }
        epilogue_apply(&operands->epilogue, row * p->out_width, p->out_width, y);
    }
}

static void share_of_rows_back(const struct taps *t, const struct convolution_operands *operands,
                               float *turned)
{
    const struct convolution_problem *p = &t->problem;
    const float *y = operands->y;
    turn_weights(t, operands->weight, turned);
#pragma omp for schedule(static)
    for (int64_t row = 0; row < p->batch * p->height; row++) {
        const int64_t size = p->width * p->in, item = row / p->height;
        float *x = (float *)operands->x + row * size;
        memset(x, 0, (size_t)size * sizeof *x);
        for (int64_t ky = 0; ky < p->kernel[0]; ky++) {
            int64_t from = row % p->height + p->before[0] - ky;
            if (from < 0 || from % p->stride[0] || from / p->stride[0] >= p->out_height) continue;
            int64_t row_of_y = item * p->out_height + from / p->stride[0];
            add_row_back(t, y + row_of_y * p->out_width * p->out, turned, ky, x);
        }
        epilogue_apply(&operands->epilogue, row * p->width, p->width, x);
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
        float *weight = operands->weight + first * p->in * t->count + tap;
        for (int64_t i = 0; i < count * p->in; i++) weight[i * t->count] = own[i];
    }
}

sumi_status taps_run(void *state, const struct convolution_operands *operands, void *scratch)
{
    const struct taps *t = state;
    switch (t->problem.direction) {
    case CONVOLUTION_FORWARD:
        BY_TEAM(t->problem.threads, share_of_rows(t, operands, scratch));
        break;
    case CONVOLUTION_DATA_GRADIENT:
        BY_TEAM(t->problem.threads, share_of_rows_back(t, operands, scratch));
        break;
    case CONVOLUTION_WEIGHT_GRADIENT:
        BY_TEAM(t->problem.threads, share_of_weights(t, operands, scratch));
        break;
    }
    return SUMI_OK;
}
