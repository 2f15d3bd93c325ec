/* SPDX-License-Identifier: Apache-2.0 */
/* Pointwise convolutions: products of [pixels, channels] with the weights, a block of pixels at a
   time, so that the results of a block are in cache for the epilogue. */
#include "cpu/pointwise.h"

#include "base/team.h"
#include "cpu/product.h"
#include "cpu/sizes.h"

struct pointwise {
    sumi_context *context;
    struct convolution_problem problem;
    int64_t pixels, block, blocks;
    int64_t size_weight; /* floats */
    int threads;
};

bool pointwise_suits(const struct convolution_problem *p, int variant)
{
    (void)variant;
    bool one = p->kernel[0] == 1 && p->kernel[1] == 1 && p->stride[0] == 1 && p->stride[1] == 1;
    bool padded = p->before[0] || p->before[1] || p->after[0] || p->after[1];
    return one && !padded;
}

/* Whether weights [out, in] are transposed before the product. Those of 16 bits are not: the
   products transpose them as they widen them, a panel at a time. */
static bool turns_weights(const struct convolution_problem *p)
{
    return p->direction == CONVOLUTION_FORWARD && p->weights == SUMI_FLOAT32;
}

sumi_status pointwise_prepare(sumi_context *context, void *shared, int variant,
                              const struct convolution_problem *p, void **state,
                              struct convolution_memory *memory)
{
    (void)shared;
    struct pointwise *pointwise = context_allocate_zeroed(context, 1, sizeof *pointwise);
    if (!pointwise) return SUMI_ERROR_MEMORY;
    pointwise->context = context;
    pointwise->problem = *p;
    pointwise->pixels = p->batch * p->height * p->width;
    pointwise->block = variant;
    pointwise->blocks = (pointwise->pixels + variant - 1) / variant;
    pointwise->threads = p->threads <= pointwise->blocks ? p->threads : 1;
    pointwise->size_weight = lined_floats(p->in * p->out);
    int64_t copies = p->direction == CONVOLUTION_WEIGHT_GRADIENT ? pointwise->threads
                     : turns_weights(p)                          ? 1
                                                                 : 0;
    memory->scratch = (size_t)(copies * pointwise->size_weight) * sizeof(float);
    *state = pointwise;
    return SUMI_OK;
}

void pointwise_release(void *state)
{
    struct pointwise *pointwise = state;
    if (pointwise) context_release(pointwise->context, pointwise);
}

/* One thread's share of turned[in][out] = weight[out][in]. */
static void turn_weights(const struct pointwise *pointwise, const float *weight, float *turned)
{
    const int64_t in = pointwise->problem.in, out = pointwise->problem.out;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < in; i++) {
        for (int64_t o = 0; o < out; o++) turned[i * out + o] = weight[o * in + i];
    }
}

/* Pixels in block number `block`. */
static int64_t count_of(const struct pointwise *pointwise, int64_t block)
{
    return least(pointwise->pixels - block * pointwise->block, pointwise->block);
}

/* Forward, and the gradient by data: to[pixels, n] = from[pixels, k] weight[k, n]. */
static void share_of_pixels(const struct pointwise *pointwise,
                            const struct convolution_operands *operands, float *turned)
{
    const struct convolution_problem *p = &pointwise->problem;
    const bool forward = p->direction == CONVOLUTION_FORWARD, turns = turns_weights(p);
    const int64_t k = forward ? p->in : p->out, n = forward ? p->out : p->in;
    const float *from = forward ? operands->x : operands->y;
    float *to = forward ? operands->y : operands->x;
    if (turns) turn_weights(pointwise, operands->weight, turned);
    struct product all = product_of(false, forward && !turns, 0, n, k, NULL, k,
                                    turns ? turned : operands->weight, turns ? n : p->in, NULL, n);
    all.b_element = p->weights;
#pragma omp for schedule(static)
    for (int64_t block = 0; block < pointwise->blocks; block++) {
        int64_t first = block * pointwise->block, count = count_of(pointwise, block);
        struct product product = all;
        product.m = count;
        product.a = from + first * k;
        product.c = to + first * n;
        product_run(&product);
        epilogue_apply(&operands->epilogue, first, count, to + first * n);
    }
}

/* One of as many parts of the blocks as there are threads: its sum of weight[out, in]. */
static void sum_part(const struct pointwise *pointwise, const struct convolution_operands *operands,
                     int part, float *sums)
{
    const int64_t in = pointwise->problem.in, out = pointwise->problem.out;
    const float *x = operands->x, *y = operands->y;
    int64_t begin = pointwise->blocks * part / pointwise->threads;
    int64_t end = pointwise->blocks * (part + 1) / pointwise->threads;
    for (int64_t block = begin; block < end; block++) {
        int64_t first = block * pointwise->block;
        struct product product = product_of(true, false, out, in, count_of(pointwise, block),
                                            y + first * out, out, x + first * in, in, sums, in);
        product.add = block > begin;
        product_run(&product);
    }
}

/* A thread's share of weight[out, in] as the sum of the parts: one of them, or more where the team
   is smaller than asked for. */
static void share_of_weight_gradient(const struct pointwise *pointwise,
                                     const struct convolution_operands *operands, float *sums)
{
    float *weight = operands->weight;
#pragma omp for schedule(static, 1)
    for (int part = 0; part < pointwise->threads; part++) {
        sum_part(pointwise, operands, part, sums + part * pointwise->size_weight);
    }
#pragma omp for schedule(static)
    for (int64_t i = 0; i < pointwise->problem.in * pointwise->problem.out; i++) {
        float total = sums[i];
        for (int part = 1; part < pointwise->threads; part++) {
            total += sums[part * pointwise->size_weight + i];
        }
        weight[i] = total;
    }
}

sumi_status pointwise_run(void *state, const struct convolution_operands *operands, void *scratch)
{
    const struct pointwise *pointwise = state;
    bool weights = pointwise->problem.direction == CONVOLUTION_WEIGHT_GRADIENT;
    if (weights)
        BY_TEAM(pointwise->threads, share_of_weight_gradient(pointwise, operands, scratch));
    else BY_TEAM(pointwise->threads, share_of_pixels(pointwise, operands, scratch));
    return SUMI_OK;
}
