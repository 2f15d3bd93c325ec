/* SPDX-License-Identifier: Apache-2.0 */
/* Epilogues applied to pixels; see epilogue.h. */
#include "cpu/epilogue.h"

#include "base/team.h"
#include "cpu/cpu.h"
#include "cpu/loops/loops.h"
#include "ops/epilogue.h"

struct epilogue epilogue_of(const struct call *call, int64_t channels)
{
    const struct node *node = call->problem->node;
    const struct shape *y = &node->shape;
    const float *parts[3];
    for (int i = 0; i < 3; i++) {
        int input = epilogue_input(node, 1u << i);
        parts[i] = input < 0 ? NULL : call->inputs[input];
    }
    return (struct epilogue){.pixels = shape_count(y) / y->size[0] / channels,
                             .channels = channels,
                             .bias = parts[0],
                             .item = parts[1],
                             .residual = parts[2],
                             .scale = (float)node->attributes.epilogue.scale,
                             .bf16 = call->problem->output_element == SUMI_BFLOAT16};
}

bool epilogue_is_empty(const struct epilogue *e)
{
    return !e->bias && !e->item && !e->residual && e->scale == 1;
}

void epilogue_apply(const struct epilogue *e, int64_t first, int64_t count, void *y)
{
    const struct loops *loops = loops_select();
    const int64_t pixel = e->channels * (int64_t)(e->bf16 ? sizeof(bfloat16) : sizeof(float));
    const char *residual = e->residual ? (const char *)e->residual + first * pixel : NULL;
    char *result = y;
    while (count > 0) {
        int64_t item = first / e->pixels, left = (item + 1) * e->pixels - first;
        int64_t rows = count < left ? count : left;
        loops->epilogue(e->bf16, rows, e->channels, e->bias,
                        e->item ? e->item + item * e->channels : NULL, residual, e->scale, result);
        result += rows * pixel;
        if (residual) residual += rows * pixel;
        first += rows;
        count -= rows;
    }
}

/* Shared among a team. */
static void apply_parts(const struct epilogue *e, int parts, int64_t pixels, void *y)
{
    const int64_t pixel = e->channels * (int64_t)(e->bf16 ? sizeof(bfloat16) : sizeof(float));
#pragma omp for schedule(static)
    for (int part = 0; part < parts; part++) {
        int64_t first = pixels * part / parts, end = pixels * (part + 1) / parts;
        epilogue_apply(e, first, end - first, (char *)y + first * pixel);
    }
}

void epilogue_apply_all(const struct epilogue *e, int threads, int64_t pixels, void *y)
{
    if (epilogue_is_empty(e)) return;
    int parts = worthwhile_threads(threads, pixels * e->channels);
    BY_TEAM(parts, apply_parts(e, parts, pixels, y));
}
