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
    int64_t items = y->rank > 1 ? y->size[0] : 1;
    return (struct epilogue){.pixels = shape_count(y) / items / channels,
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

static int64_t bytes_of_pixel(const struct epilogue *e, bool bf16)
{
    return e->channels * (int64_t)(bf16 ? sizeof(bfloat16) : sizeof(float));
}

/* y = epilogue(x) for pixels of either type; x may be y. */
static void apply(const struct epilogue *e, int64_t first, int64_t count, bool x_bf16,
                  const void *x, void *y)
{
    const struct loops *loops = loops_select();
    const int64_t pixel = bytes_of_pixel(e, e->bf16), pixel_of_x = bytes_of_pixel(e, x_bf16);
    const char *residual = e->residual ? (const char *)e->residual + first * pixel : NULL;
    const char *from = x;
    char *to = y;
    while (count > 0) {
        int64_t item = first / e->pixels, left = (item + 1) * e->pixels - first;
        int64_t rows = count < left ? count : left;
        loops->epilogue(x_bf16, e->bf16, rows, e->channels, from, e->bias,
                        e->item ? e->item + item * e->channels : NULL, residual, e->scale, to);
        from += rows * pixel_of_x;
        to += rows * pixel;
        if (residual) residual += rows * pixel;
        first += rows;
        count -= rows;
    }
}

void epilogue_apply(const struct epilogue *e, int64_t first, int64_t count, void *y)
{
    apply(e, first, count, e->bf16, y, y);
}

void epilogue_channels(const struct epilogue *e, int64_t first, int64_t count,
                       struct channels channels, const float *x, int64_t x_row, void *y)
{
    const sumi_element element = e->bf16 ? SUMI_BFLOAT16 : SUMI_FLOAT32;
    if (channels.count == e->channels && x_row == e->channels) {
        apply(e, first, count, false, x, y);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        const int64_t item = (first + i) / e->pixels * e->channels + channels.first;
        const int64_t at = i * e->channels + channels.first;
        const void *residual = e->residual;
        if (residual) residual = element_address(residual, element, first * e->channels + at);
        loops_select()->epilogue(false, e->bf16, 1, channels.count, x + i * x_row,
                                 e->bias ? e->bias + channels.first : NULL,
                                 e->item ? e->item + item : NULL, residual, e->scale,
                                 (char *)y + at * (int64_t)element_size(element));
    }
}

/* Shared among a team. */
static void apply_parts(const struct epilogue *e, int parts, int64_t pixels, void *y)
{
    const int64_t pixel = bytes_of_pixel(e, e->bf16);
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
