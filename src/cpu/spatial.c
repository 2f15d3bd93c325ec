/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest upsampling and its transpose, on [n, h, w, c]; and dropout masks. */
#include <string.h>

#include "base/philox.h"
#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"
#include "ops/ops.h"

/* These functions are shared among a team. */
static void upsample(const struct call *call)
{
    const struct node *node = call->problem->node;
    const struct shape *x = call->problem->inputs[0];
    int64_t down = node->attributes.upsample.factor[0],
            across = node->attributes.upsample.factor[1];
    int64_t width = x->size[2], c = x->size[3], rows = x->size[0] * node->shape.size[1];
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        /* rows of the batch follow each other, and h is a multiple, so row / down is right */
        const float *source = call->inputs[0] + row / down * width * c;
        float *target = call->output + row * width * across * c;
        for (int64_t i = 0; i < width * across; i++) {
            memcpy(target + i * c, source + i / across * c, (size_t)c * sizeof *target);
        }
    }
}

static sumi_status run_upsample(const struct call *call)
{
    int64_t work = shape_count(&call->problem->node->shape);
    BY_TEAM(worthwhile_threads(call->problem->threads, work), upsample(call));
    return SUMI_OK;
}

const struct kernel kernel_upsample = {.run = run_upsample};

static void block_sum(const struct call *call)
{
    const struct node *node = call->problem->node;
    const struct loops *loops = loops_select();
    int64_t down = node->attributes.upsample.factor[0],
            across = node->attributes.upsample.factor[1];
    int64_t width = node->shape.size[2], c = node->shape.size[3];
    int64_t rows = node->shape.size[0] * node->shape.size[1];
#pragma omp for schedule(static)
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
}

static sumi_status run_block_sum(const struct call *call)
{
    int64_t work = shape_count(call->problem->inputs[0]);
    BY_TEAM(worthwhile_threads(call->problem->threads, work), block_sum(call));
    return SUMI_OK;
}

const struct kernel kernel_block_sum = {.run = run_block_sum};

enum { DRAWS = 4096 }; /* numbers a thread draws at a time */

static void draw_mask(const struct call *call)
{
    const struct node *node = call->problem->node;
    const philox_stream stream = {call->key.seed, PURPOSE_DROPOUT, call->key.step};
    const float drop = (float)node->attributes.dropout_mask.probability;
    const float keep = (float)(1 / (1 - node->attributes.dropout_mask.probability));
    const uint64_t first = dropout_mask_first(node, &call->key);
    const struct loops *loops = loops_select();
    int64_t count = shape_count(&node->shape);
#pragma omp for schedule(static)
    for (int64_t at = 0; at < count; at += DRAWS) {
        int64_t size = count - at < DRAWS ? count - at : DRAWS;
        float *mask = call->output + at;
        loops->uniform(size, &stream, first + (uint64_t)at, mask);
        for (int64_t i = 0; i < size; i++) mask[i] = mask[i] < drop ? 0 : keep;
    }
}

static sumi_status run_dropout_mask(const struct call *call)
{
    int64_t work = 16 * shape_count(&call->problem->node->shape);
    BY_TEAM(worthwhile_threads(call->problem->threads, work), draw_mask(call));
    return SUMI_OK;
}

const struct kernel kernel_dropout_mask = {.run = run_dropout_mask};
