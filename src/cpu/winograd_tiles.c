/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles of images and their transforms; see winograd_tiles.h. */
#include "cpu/winograd_tiles.h"

enum { TILE = WINOGRAD_TILE, SPAN = WINOGRAD_SPAN, KERNEL = 9 };

bool tiling_suits(const struct convolution_problem *p)
{
    for (int i = 0; i < 2; i++) {
        if (p->kernel[i] != 3 || p->stride[i] != 1) return false;
        if (p->before[i] > 2) return false; /* then the rotated kernel would start inside */
    }
    return p->in >= 16 && p->out >= 16;
}

int64_t tiling_count(const struct convolution_problem *p)
{
    return p->batch * ((p->out_height + TILE - 1) / TILE) * ((p->out_width + TILE - 1) / TILE);
}

struct tiling tiling_of(const struct convolution_problem *p)
{
    struct image x = {p->height, p->width, p->in, p->before[0], p->before[1]};
    struct image y = {p->out_height, p->out_width, p->out, 0, 0};
    struct tiling t = {.turned = p->direction == CONVOLUTION_DATA_GRADIENT,
                       .in = p->in,
                       .bf16 = p->bf16,
                       .weights = p->weights};
    t.from = t.turned ? y : x;
    t.to = t.turned ? x : y;
    if (t.turned) {
        t.from.top = 2 - p->before[0];
        t.from.left = 2 - p->before[1];
        t.to.top = t.to.left = 0;
    }
    t.down = (t.to.height + TILE - 1) / TILE;
    t.across = (t.to.width + TILE - 1) / TILE;
    t.count = p->batch * t.down * t.across;
    return t;
}

int64_t tiling_stride(int64_t size)
{
    return ((size + 15) / 16 | 1) * 16;
}

static int clamp(int64_t value, int64_t low, int64_t high)
{
    return (int)(value < low ? low : value > high ? high : value);
}

/* Tile number `tile` of an image: which of its size x size pixels exist. The offset of its first
   one in the batch, which may lie outside, is returned. */
static int64_t locate(const struct tiling *t, const struct image *image, int64_t tile, int size,
                      struct winograd_pixels *pixels)
{
    int64_t across = tile % t->across, down = tile / t->across % t->down;
    int64_t item = tile / t->across / t->down;
    int64_t row = down * TILE - image->top, column = across * TILE - image->left;
    pixels->bf16 = t->bf16;
    pixels->row_step = image->width * image->channels;
    pixels->pixel_step = image->channels;
    pixels->first_row = clamp(-row, 0, size);
    pixels->end_row = clamp(image->height - row, 0, size);
    pixels->first_column = clamp(-column, 0, size);
    pixels->end_column = clamp(image->width - column, 0, size);
    return ((item * image->height + row) * image->width + column) * image->channels;
}

static void *place(const struct tiling *t, const void *image, int64_t at)
{
    return (char *)image + at * (int64_t)(t->bf16 ? sizeof(bfloat16) : sizeof(float));
}

void tiling_read_spans(const struct tiling *t, struct tiles tiles, const void *from, float *out,
                       int64_t stride)
{
    const struct winograd_loops *loops = winograd_loops_select();
    struct winograd_pixels pixels;
    for (int64_t tile = tiles.first; tile < tiles.end; tile++) {
        int64_t at = locate(t, &t->from, tile, SPAN, &pixels);
        loops->input(t->from.channels, place(t, from, at), &pixels, out, stride);
        out += t->from.channels;
    }
}

void tiling_read_tiles(const struct tiling *t, struct tiles tiles, const void *to, float *out,
                       int64_t stride)
{
    const struct winograd_loops *loops = winograd_loops_select();
    struct winograd_pixels pixels;
    for (int64_t tile = tiles.first; tile < tiles.end; tile++) {
        int64_t at = locate(t, &t->to, tile, TILE, &pixels);
        loops->gradient(t->to.channels, place(t, to, at), &pixels, out, stride);
        out += t->to.channels;
    }
}

void tiling_write_tiles(const struct tiling *t, struct tiles tiles, int64_t first, int64_t count,
                        const struct epilogue *given, const float *in, int64_t stride, void *to)
{
    const struct winograd_loops *loops = winograd_loops_select();
    struct winograd_pixels pixels;
    for (int64_t tile = tiles.first; tile < tiles.end; tile++) {
        int64_t at = locate(t, &t->to, tile, TILE, &pixels) + first;
        int64_t item = tile / t->across / t->down;
        struct winograd_epilogue epilogue = {
            .bias = given->bias ? given->bias + first : NULL,
            .item = given->item ? given->item + item * t->to.channels + first : NULL,
            .residual = given->residual ? place(t, given->residual, at) : NULL,
            .scale = given->scale};
        loops->output(count, in, stride, &epilogue, place(t, to, at), &pixels);
        in += count;
    }
}

void tiling_transform_weights(const struct tiling *t, const void *weight, int64_t row, int64_t rows,
                              int64_t first, int64_t count, float *out, int64_t out_row,
                              int64_t stride)
{
    const struct winograd_loops *loops = winograd_loops_select();
    const int64_t line = t->in * KERNEL; /* from one output channel to the next */
    const int64_t step = t->turned ? KERNEL : line, step_read = t->turned ? line : KERNEL;
    for (int64_t done = 0; done < rows; done += WINOGRAD_WEIGHT_ROWS) {
        int64_t some = rows - done < WINOGRAD_WEIGHT_ROWS ? rows - done : WINOGRAD_WEIGHT_ROWS;
        int64_t at = (row + done) * step_read + first * step;
        loops->weight(some, count, element_address(weight, t->weights, at), t->weights, step_read,
                      step, t->turned, out + done * out_row, out_row, stride);
    }
}
