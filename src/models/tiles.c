/* SPDX-License-Identifier: Apache-2.0 */
/* Large pictures in tiles, as in diffusers: tiles begin every three quarters of their side, a
   quarter of the output's side is blended linearly with the tile above and then with the one on the
   left, and the kept parts are placed edge to edge. Group norms are computed in each tile, so the
   result is not exactly that of the whole picture. */
#include <string.h>

#include "models/auto_encoder.h"

/* Sides of tiles, in lines of a half's input and output. */
struct tiling {
    int64_t tile, step;    /* of the input: side, and from one to the next */
    int64_t blend, length; /* of the output: lines that are blended, and that are kept */
};

static struct tiling tiling_of(const struct auto_encoder *net, int64_t side, enum half half)
{
    int64_t latent = side / net->factor;
    int64_t from = half == HALF_ENCODER ? side : latent, to = half == HALF_ENCODER ? latent : side;
    return (struct tiling){from, from * 3 / 4, to / 4, to - to / 4};
}

bool tiles_wanted(const sumi_auto_encoder *runner, enum half half, const struct shape *shape)
{
    if (!runner->tile) return false;
    struct tiling tiling = tiling_of(runner->part->net, runner->tile, half);
    return shape->size[1] > tiling.tile || shape->size[2] > tiling.tile;
}

/* The steps of both halves must fit: a tile's kept output is as long as its step of the input. */
sumi_status tiles_check(sumi_context *context, const struct auto_encoder *net, int64_t side)
{
    int64_t unit = 4 * net->factor;
    if (side % unit == 0 && side >= unit) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "tiles of this auto-encoder should have a multiple of %lld pixels to a "
                        "side, not %lld",
                        (long long)unit, (long long)side);
}

/* ---- Pieces of pictures ---- */

/* A rectangle of pixels of one item. */
struct piece {
    int64_t height, width, channels;
    float *pixels; /* [height, width, channels] */
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static float *line_of(const struct piece *piece, int64_t line)
{
    return piece->pixels + line * piece->width * piece->channels;
}

/* Mixes the first lines of `below` with the last of `above`: line i has i/extent of its own. */
static void blend_down(const struct piece *above, const struct piece *below, int64_t extent)
{
    extent = smaller(extent, smaller(above->height, below->height));
    for (int64_t i = 0; i < extent; i++) {
        const float *other = line_of(above, above->height - extent + i);
        float *own = line_of(below, i), share = (float)i / (float)extent;
        for (int64_t k = 0; k < below->width * below->channels; k++)
            own[k] = other[k] * (1 - share) + own[k] * share;
    }
}

/* The same with the first columns of `right` and the last of `left`. */
static void blend_across(const struct piece *left, const struct piece *right, int64_t extent)
{
    int64_t channels = right->channels;
    extent = smaller(extent, smaller(left->width, right->width));
    for (int64_t line = 0; line < right->height; line++) {
        const float *other = line_of(left, line) + (left->width - extent) * channels;
        float *own = line_of(right, line);
        for (int64_t i = 0; i < extent * channels; i++) {
            float share = (float)(i / channels) / (float)extent;
            own[i] = other[i] * (1 - share) + own[i] * share;
        }
    }
}

/* Copies a rectangle of lines x columns between places (top, left) of two pieces. */
static void copy(const struct piece *from, int64_t top, int64_t left, const struct piece *to,
                 int64_t to_top, int64_t to_left, int64_t lines, int64_t columns)
{
    for (int64_t i = 0; i < lines; i++) {
        memcpy(line_of(to, to_top + i) + to_left * to->channels,
               line_of(from, top + i) + left * from->channels,
               (size_t)(columns * from->channels) * sizeof(float));
    }
}

/* ---- Running ---- */

/* One item on its way: the row of tiles above and the one that is made. */
struct work {
    sumi_auto_encoder *runner;
    enum half half;
    struct tiling tiling;
    int64_t columns;
    struct piece whole, result; /* of the item */
    struct piece cut;           /* memory for a tile of the input */
    struct piece *above, *row;  /* [columns], each with memory for a tile of the output */
};

static sumi_status allocate(struct work *work)
{
    sumi_context *context = work->runner->context;
    int64_t side = work->tiling.blend + work->tiling.length, tile = work->tiling.tile;
    size_t output = (size_t)(side * side * work->result.channels);
    work->cut.pixels =
        context_allocate(context, (size_t)(tile * tile * work->whole.channels), sizeof(float));
    work->above = context_allocate_zeroed(context, 2 * (size_t)work->columns, sizeof(struct piece));
    if (!work->cut.pixels || !work->above) return SUMI_ERROR_MEMORY;
    work->row = work->above + work->columns;
    for (int64_t i = 0; i < 2 * work->columns; i++) {
        work->above[i].pixels = context_allocate(context, output, sizeof(float));
        if (!work->above[i].pixels) return SUMI_ERROR_MEMORY;
    }
    return SUMI_OK;
}

static void release(struct work *work)
{
    sumi_context *context = work->runner->context;
    for (int64_t i = 0; work->above && i < 2 * work->columns; i++)
        context_release(context, work->above[i].pixels);
    context_release(context, work->above);
    context_release(context, work->cut.pixels);
}

/* The tile at (top, left) of the input to `piece`. */
static sumi_status run_tile(struct work *work, int64_t top, int64_t left, struct piece *piece)
{
    struct piece *cut = &work->cut;
    cut->channels = work->whole.channels;
    cut->height = smaller(work->tiling.tile, work->whole.height - top);
    cut->width = smaller(work->tiling.tile, work->whole.width - left);
    copy(&work->whole, top, left, cut, 0, 0, cut->height, cut->width);
    struct shape shape = {4, {1, cut->height, cut->width, cut->channels}};
    struct shape output = half_output(work->runner, work->half, &shape);
    piece->height = output.size[1];
    piece->width = output.size[2];
    piece->channels = output.size[3];
    return half_run(work->runner, work->half, &shape, cut->pixels, piece->pixels);
}

/* Number `row` of the rows of tiles; each blends with neighbours that have blended already. */
static sumi_status run_row(struct work *work, int64_t row)
{
    int64_t length = work->tiling.length;
    for (int64_t i = 0; i < work->columns; i++) {
        struct piece *tile = &work->row[i];
        TRY(run_tile(work, row * work->tiling.step, i * work->tiling.step, tile));
        if (row) blend_down(&work->above[i], tile, work->tiling.blend);
        if (i) blend_across(&work->row[i - 1], tile, work->tiling.blend);
        copy(tile, 0, 0, &work->result, row * length, i * length, smaller(tile->height, length),
             smaller(tile->width, length));
    }
    struct piece *above = work->above;
    work->above = work->row;
    work->row = above;
    return SUMI_OK;
}

static sumi_status run_item(struct work *work)
{
    int64_t rows = (work->whole.height + work->tiling.step - 1) / work->tiling.step;
    for (int64_t row = 0; row < rows; row++) TRY(run_row(work, row));
    return SUMI_OK;
}

sumi_status tiles_run(sumi_auto_encoder *runner, enum half half, const struct shape *shape,
                      const float *x, float *y)
{
    struct shape output = half_output(runner, half, shape);
    struct work work = {.runner = runner,
                        .half = half,
                        .tiling = tiling_of(runner->part->net, runner->tile, half),
                        .whole = {shape->size[1], shape->size[2], shape->size[3], NULL},
                        .result = {output.size[1], output.size[2], output.size[3], NULL}};
    work.columns = (work.whole.width + work.tiling.step - 1) / work.tiling.step;
    sumi_status status = allocate(&work);
    struct piece *memory = work.above;
    for (int64_t i = 0; i < shape->size[0] && status == SUMI_OK; i++) {
        work.whole.pixels = (float *)x + i * shape_span(shape, 1, 4); /* only read */
        work.result.pixels = y + i * shape_span(&output, 1, 4);
        status = run_item(&work);
    }
    work.above = memory;
    release(&work);
    return status;
}
