/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels that only move elements: permute, slice, pad, concat, patches. */
#include <string.h>

#include "base/team.h"
#include "cpu/cpu.h"
#include "ops/patches.h"

/* Shared among a team. */
static void permute(const struct call *call)
{
    const struct node *node = call->problem->node;
    const struct shape *x = call->problem->inputs[0];
    int rank = x->rank;
    int64_t source_steps[SUMI_MAX_RANK], steps[SUMI_MAX_RANK], step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        source_steps[i] = step;
        step *= x->size[i];
    }
    for (int i = 0; i < rank; i++) steps[i] = source_steps[node->attributes.permute.order[i]];
    int64_t row_size = rank ? node->shape.size[rank - 1] : 1, rows = step / row_size;
    int64_t inner = rank ? steps[rank - 1] : 1;
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        int64_t rest = row, at = 0;
        for (int i = rank - 2; i >= 0; i--) {
            at += rest % node->shape.size[i] * steps[i];
            rest /= node->shape.size[i];
        }
        const float *source = call->inputs[0] + at;
        float *target = call->output + row * row_size;
        if (inner == 1) memcpy(target, source, (size_t)row_size * sizeof *target);
        else
            for (int64_t i = 0; i < row_size; i++) target[i] = source[i * inner];
    }
}

static sumi_status run_permute(const struct call *call)
{
    int64_t work = shape_count(&call->problem->node->shape);
    BY_TEAM(worthwhile_threads(call->problem->threads, work), permute(call));
    return SUMI_OK;
}

const struct kernel kernel_permute = {.run = run_permute};

/* Shared among a team. */
static void share_blocks(int64_t count, int64_t size, const float *from, int64_t from_step,
                         float *to, int64_t to_step)
{
#pragma omp for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        memcpy(to + i * to_step, from + i * from_step, (size_t)size * sizeof *to);
    }
}

/* Copies blocks of `size` elements: `count` of them, `from_step` apart, to places `to_step`
   apart. */
static void copy_blocks(const struct call *call, int64_t count, int64_t size, const float *from,
                        int64_t from_step, float *to, int64_t to_step)
{
    BY_TEAM(worthwhile_threads(call->problem->threads, count * size),
            share_blocks(count, size, from, from_step, to, to_step));
}

static sumi_status run_slice(const struct call *call)
{
    const struct node *node = call->problem->node;
    const struct shape *x = call->problem->inputs[0];
    int axis = node->attributes.slice.axis;
    int64_t inner = shape_span(x, axis + 1, x->rank);
    copy_blocks(call, shape_span(x, 0, axis), node->shape.size[axis] * inner,
                call->inputs[0] + node->attributes.slice.first * inner, x->size[axis] * inner,
                call->output, node->shape.size[axis] * inner);
    return SUMI_OK;
}

const struct kernel kernel_slice = {.run = run_slice};

static sumi_status run_pad(const struct call *call)
{
    const struct node *node = call->problem->node;
    const struct shape *x = call->problem->inputs[0];
    int axis = node->attributes.pad.axis;
    int64_t inner = shape_span(x, axis + 1, x->rank);
    memset(call->output, 0, (size_t)shape_count(&node->shape) * sizeof *call->output);
    copy_blocks(call, shape_span(x, 0, axis), x->size[axis] * inner, call->inputs[0],
                x->size[axis] * inner, call->output + node->attributes.pad.before * inner,
                node->shape.size[axis] * inner);
    return SUMI_OK;
}

const struct kernel kernel_pad = {.run = run_pad};

static sumi_status run_concat(const struct call *call)
{
    const struct node *node = call->problem->node;
    int axis = node->attributes.concat.axis;
    int64_t inner = shape_span(&node->shape, axis + 1, node->shape.rank);
    int64_t outer = shape_span(&node->shape, 0, axis), row = node->shape.size[axis] * inner;
    int64_t first = call->problem->inputs[0]->size[axis] * inner;
    copy_blocks(call, outer, first, call->inputs[0], first, call->output, row);
    copy_blocks(call, outer, row - first, call->inputs[1], row - first, call->output + first, row);
    return SUMI_OK;
}

const struct kernel kernel_concat = {.run = run_concat};

/* Shared among a team. */
static void move_runs(const struct call *call, const struct patch_runs *runs, int64_t count,
                      bool inverse)
{
#pragma omp for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        int64_t other = patch_run_place(runs, i);
        memcpy(call->output + (inverse ? i : other) * runs->run,
               call->inputs[0] + (inverse ? other : i) * runs->run,
               (size_t)runs->run * sizeof *call->output);
    }
}

static sumi_status run_patches(const struct call *call)
{
    const struct node *node = call->problem->node;
    bool inverse = node->op == &op_unpatchify;
    const struct shape *picture = inverse ? &node->shape : call->problem->inputs[0];
    struct patch_runs runs = patch_runs_of(&node->attributes, picture->size[3]);
    int64_t work = shape_count(picture);
    BY_TEAM(worthwhile_threads(call->problem->threads, work),
            move_runs(call, &runs, work / runs.run, inverse));
    return SUMI_OK;
}

const struct kernel kernel_patches = {.run = run_patches};
