/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions and their gradients for tests of all ways, and the exact result: the sum over taps
   in double, with the epilogue. */
#ifndef TESTS_CPU_CONVOLUTION_CASE_H
#define TESTS_CPU_CONVOLUTION_CASE_H

#include "base/philox.h"
#include "check.h"
#include "cpu/float16_of.h"
#include "cpu/onednn.h"
#include "cpu/tune.h"
#include "ops/epilogue.h"

struct sizes {
    int64_t n, height, width, in, out, kernel, stride, before, after;
    bool line; /* a kernel of one row, and no padding or stride across rows */
};

struct fixture {
    sumi_context *context;
    void *library;
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (!f || sumi_context_create(NULL, &f->context) != SUMI_OK) return -1;
    return onednn_open(f->context, &f->library) == SUMI_OK ? 0 : -1;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    onednn_close(f->context, f->library);
    sumi_context_free(f->context);
    free(f);
    return 0;
}

static inline float *draw(int64_t count, uint64_t seed)
{
    float *values = malloc((size_t)count * sizeof *values);
    philox_stream stream = {seed, PURPOSE_DATA, 0};
    philox_normal(&stream, 0, count, values);
    return values;
}

static inline struct convolution_problem pose(const struct sizes *s, int direction, int threads,
                                              bool epilogue)
{
    struct convolution_problem p = {.direction = (enum convolution_direction)direction,
                                    .batch = s->n,
                                    .height = s->height,
                                    .width = s->width,
                                    .in = s->in,
                                    .out = s->out,
                                    .threads = threads};
    p.out_height = (s->height + s->before + s->after - s->kernel) / s->stride + 1;
    p.out_width = (s->width + s->before + s->after - s->kernel) / s->stride + 1;
    const int64_t sizes[2] = {s->height, s->width}, results[2] = {p.out_height, p.out_width};
    for (int i = 0; i < 2; i++) {
        p.kernel[i] = s->kernel;
        p.stride[i] = s->stride;
        p.before[i] = s->before;
        p.after[i] = (results[i] - 1) * s->stride + s->kernel - sizes[i] - s->before;
    }
    if (s->line) {
        p.out_height = s->height;
        p.kernel[0] = p.stride[0] = 1;
        p.before[0] = p.after[0] = 0;
    }
    if (epilogue && direction != CONVOLUTION_WEIGHT_GRADIENT) {
        p.epilogue = EPILOGUE_BIAS | EPILOGUE_ITEM | EPILOGUE_RESIDUAL;
    }
    return p;
}

/* Numbers that a bfloat16 can hold, so that only results are rounded. */
static inline float *draw_for(const struct convolution_problem *p, int64_t count, uint64_t seed)
{
    float *values = draw(count, seed);
    for (int64_t i = 0; i < count && p->bf16; i++) {
        values[i] = bfloat16_to_float(bfloat16_from_float(values[i]));
    }
    return values;
}

/* The same for weights, which may be of a type of their own. */
static inline float *draw_weights(const struct convolution_problem *p, int64_t count, uint64_t seed)
{
    float *values = draw_for(p, count, seed);
    for (int64_t i = 0; i < count; i++) {
        if (p->weights == SUMI_BFLOAT16)
            values[i] = bfloat16_to_float(bfloat16_from_float(values[i]));
        else if (p->weights == SUMI_FLOAT16) values[i] = float16_to_float(float16_of(values[i]));
    }
    return values;
}

/* The three operands, the addends, and the exact result. */
struct case_data {
    float *x, *weight, *y, *bias, *item, *residual, *result;
    double *expected;
    int64_t count, channels;
};

/* Calls for every tap that falls on the image: elements of x, weight and y that meet there. */
static inline void sum_taps(const struct convolution_problem *p, struct case_data *d)
{
    for (int64_t n = 0; n < p->batch; n++)
        for (int64_t oy = 0; oy < p->out_height; oy++)
            for (int64_t ox = 0; ox < p->out_width; ox++)
                for (int64_t ky = 0; ky < p->kernel[0]; ky++)
                    for (int64_t kx = 0; kx < p->kernel[1]; kx++) {
                        int64_t row = oy * p->stride[0] - p->before[0] + ky;
                        int64_t column = ox * p->stride[1] - p->before[1] + kx;
                        if (row < 0 || row >= p->height || column < 0 || column >= p->width)
                            continue;
                        int64_t x = ((n * p->height + row) * p->width + column) * p->in;
                        int64_t y = ((n * p->out_height + oy) * p->out_width + ox) * p->out;
                        for (int64_t o = 0; o < p->out; o++) {
                            for (int64_t i = 0; i < p->in; i++) {
                                int64_t w =
                                    ((o * p->in + i) * p->kernel[0] + ky) * p->kernel[1] + kx;
                                if (p->direction == CONVOLUTION_FORWARD) {
                                    d->expected[y + o] += (double)d->x[x + i] * d->weight[w];
                                } else if (p->direction == CONVOLUTION_DATA_GRADIENT) {
                                    d->expected[x + i] += (double)d->y[y + o] * d->weight[w];
                                } else {
                                    d->expected[w] += (double)d->y[y + o] * d->x[x + i];
                                }
                            }
                        }
                    }
}

static inline struct case_data make_case(const struct convolution_problem *p)
{
    struct case_data d = {0};
    int64_t x = p->batch * p->height * p->width * p->in;
    int64_t y = p->batch * p->out_height * p->out_width * p->out;
    int64_t w = p->out * p->in * p->kernel[0] * p->kernel[1];
    bool forward = p->direction == CONVOLUTION_FORWARD;
    d.x = draw_for(p, x, 1);
    d.weight = draw_weights(p, w, 2);
    d.y = draw_for(p, y, 3);
    d.result = forward ? d.y : p->direction == CONVOLUTION_DATA_GRADIENT ? d.x : d.weight;
    d.count = forward ? y : p->direction == CONVOLUTION_DATA_GRADIENT ? x : w;
    d.channels = forward ? p->out : p->in;
    d.expected = calloc((size_t)d.count, sizeof *d.expected);
    sum_taps(p, &d);
    if (!p->epilogue) return d;
    d.bias = draw(d.channels, 4);
    d.item = draw(p->batch * d.channels, 5);
    d.residual = draw_for(p, d.count, 6);
    for (int64_t i = 0; i < d.count; i++) {
        int64_t item = i / (d.count / p->batch), c = i % d.channels;
        d.expected[i] += (double)d.bias[c] + d.item[item * d.channels + c] + d.residual[i];
        d.expected[i] *= 0.5;
    }
    return d;
}

static inline void free_case(struct case_data *d)
{
    float *arrays[] = {d->x, d->weight, d->y, d->bias, d->item, d->residual};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
    free(d->expected);
}

static inline double error_of(const struct case_data *d)
{
    double error = 0, largest = 0;
    for (int64_t i = 0; i < d->count; i++) {
        error = fmax(error, fabs(d->result[i] - d->expected[i]));
        largest = fmax(largest, fabs(d->expected[i]));
    }
    return error / largest;
}

/* An image as the problem has it: the floats themselves, or new memory with them as bfloat16. */
static inline void *image_of(const struct convolution_problem *p, float *values, int64_t count)
{
    if (!p->bf16 || !values) return values;
    bfloat16 *image = malloc((size_t)count * sizeof *image);
    for (int64_t i = 0; i < count; i++) image[i] = bfloat16_from_float(values[i]);
    return image;
}

/* Writes the weights as the problem has them, unless they are the floats themselves. */
static inline void store_weights(const struct convolution_problem *p, const float *values,
                                 int64_t count, void *weights)
{
    for (int64_t i = 0; i < count && p->weights != SUMI_FLOAT32; i++) {
        ((uint16_t *)weights)[i] =
            p->weights == SUMI_BFLOAT16 ? bfloat16_from_float(values[i]) : float16_of(values[i]);
    }
}

/* Frees the image's memory, after copying its numbers to the floats. */
static inline void image_done(const struct convolution_problem *p, bfloat16 *image, float *values,
                              int64_t count)
{
    if (!p->bf16 || !values) return;
    for (int64_t i = 0; i < count; i++) values[i] = bfloat16_to_float(image[i]);
    free(image);
}

/* Teams may be smaller than requested: within another team, or by limits of the environment. */
static bool small_teams;

static inline void run_ready(sumi_context *context, const struct convolution_ready *ready,
                             const struct convolution_operands *operands, void *memory)
{
    sumi_status status = SUMI_OK;
    if (small_teams) {
#pragma omp parallel num_threads(2)
#pragma omp single
        status = convolution_run(ready, operands, memory);
    } else {
        status = convolution_run(ready, operands, memory);
    }
    CHECK_OK(context, status);
}

static inline bool is_library(const struct convolution_way *way)
{
    return way->prepare == onednn_prepare;
}

/* Runs a way several times into a result of arbitrary values; false if there is no such way. */
static inline bool run_way(struct fixture *f, const struct convolution_way *way,
                           const struct convolution_problem *p, struct case_data *d)
{
    struct convolution_ready ready;
    if (!way->suits(p, way->variant)) return false;
    sumi_status status = convolution_prepare(f->context, f->library, way, p, &ready);
    if (status == SUMI_ERROR_BACKEND && is_library(way)) return false;
    CHECK_OK(f->context, status);
    CHECK_OK(f->context, convolution_keep(&ready));
    void *memory = aligned_alloc(64, (ready.memory.scratch + 127) / 64 * 64);
    memset(memory, 0x7f, ready.memory.scratch);
    int64_t x = p->batch * p->height * p->width * p->in;
    int64_t y = p->batch * p->out_height * p->out_width * p->out;
    int64_t weights = p->out * p->in * p->kernel[0] * p->kernel[1];
    struct convolution_operands operands = {
        .x = image_of(p, d->x, x),
        .weight = p->weights == SUMI_FLOAT32
                      ? d->weight
                      : aligned_alloc(64, ((size_t)weights * 2 + 63) / 64 * 64),
        .y = image_of(p, d->y, y),
        .epilogue = {.pixels = d->count / p->batch / d->channels,
                     .channels = d->channels,
                     .bias = d->bias,
                     .item = d->item,
                     .residual = image_of(p, d->residual, d->count),
                     .scale = p->epilogue ? 0.5f : 1,
                     .bf16 = p->bf16},
        .kept = ready.kept};
    void *result = d->result == d->x ? operands.x : d->result == d->y ? operands.y : d->weight;
    size_t element = p->bf16 && result != d->weight ? sizeof(bfloat16) : sizeof(float);
    /* constant weights: first with other weights, then twice with the same */
    for (int run = p->constant_weights ? 0 : 2; run < 3; run++) {
        operands.version = run < 1 ? 1 : 2;
        if (p->constant_weights && run < 2) {
            for (int64_t i = 0; i < weights; i++) d->weight[i] = -d->weight[i];
        }
        store_weights(p, d->weight, weights, operands.weight);
        memset(result, 0x7f, (size_t)d->count * element);
        run_ready(f->context, &ready, &operands, memory);
    }
    convolution_release(&ready);
    image_done(p, (void *)operands.epilogue.residual, d->residual, d->count);
    image_done(p, operands.x, d->x, x);
    image_done(p, operands.y, d->y, y);
    if (operands.weight != d->weight) free(operands.weight);
    free(memory);
    return true;
}

#endif
