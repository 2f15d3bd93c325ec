/* Nearest upsampling and its transpose, on [n, h, w, c]; and dropout masks. */
#include <string.h>

#include "base/philox.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"
#include "ops/ops.h"

static sumi_status run_upsample(const struct call *call)
{
    const struct node *node = call->problem->node;
    const struct shape *x = call->problem->inputs[0];
    int64_t down = node->attributes.factor[0], across = node->attributes.factor[1];
    int64_t width = x->size[2], c = x->size[3], rows = x->size[0] * node->shape.size[1];
    int threads = worthwhile_threads(call->problem->threads, shape_count(&node->shape));
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        /* rows of the batch follow each other, and h is a multiple, so row / down is right */
        const float *source = call->inputs[0] + row / down * width * c;
        float *target = call->output + row * width * across * c;
        for (int64_t i = 0; i < width * across; i++) {
            memcpy(target + i * c, source + i / across * c, (size_t)c * sizeof *target);
        }
    }
    return SUMI_OK;
}

const struct kernel kernel_upsample = {.run = run_upsample};

static sumi_status run_block_sum(const struct call *call)
{
    const struct node *node = call->problem->node;
    const struct loops *loops = loops_select();
    int64_t down = node->attributes.factor[0], across = node->attributes.factor[1];
    int64_t width = node->shape.size[2], c = node->shape.size[3];
    int64_t rows = node->shape.size[0] * node->shape.size[1];
    int threads = worthwhile_threads(call->problem->threads,
                                     shape_count(call->problem->inputs[0]));
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        float *target = call->output + row * width * c;
        memset(target, 0, (size_t)(width * c) * sizeof *target);
        for (int64_t line = 0; line < down; line++) {
            const float *source = call->inputs[0] + (row * down + line) * width * across * c;
            for (int64_t i = 0; i < width; i++) {
                loops->sum_rows(across, c, source + i * across * c, target + i * c);
            }
        }
    }
    return SUMI_OK;
}

const struct kernel kernel_block_sum = {.run = run_block_sum};

static sumi_status run_keep_mask(const struct call *call)
{
    const struct node *node = call->problem->node;
    const philox_stream stream = {call->key.seed, PURPOSE_DROPOUT, call->key.step};
    const float drop = (float)node->attributes.scale;
    const float keep = (float)(1 / (1 - node->attributes.scale));
    const uint64_t first = keep_mask_first(node, &call->key);
    int64_t count = shape_count(&node->shape);
    int threads = worthwhile_threads(call->problem->threads, 16 * count);
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (int64_t i = 0; i < count; i++) {
        call->output[i] = philox_uniform(&stream, first + (uint64_t)i) < drop ? 0 : keep;
    }
    return SUMI_OK;
}

const struct kernel kernel_keep_mask = {.run = run_keep_mask};
