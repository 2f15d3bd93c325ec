/* SPDX-License-Identifier: Apache-2.0 */
/* Mirroring and shifting of pictures; see augment.h. */
#include "data/augment.h"

#include <string.h>

#include "base/philox.h"

const struct option augment_keys[] = {
    {FLAG_OPTION("data.flip", "no", "mirror half of the pictures left to right while training")},
    {FLAG_OPTION("data.flip_vertical", "no",
                 "mirror half of the pictures top to bottom while training")},
    {WHOLE_OPTION("data.shift", "0", 0, 4096,
                  "largest random shift of a picture, in pixels, while training")},
    {.name = NULL},
};

sumi_status augment_read(sumi_context *context, const sumi_recipe *recipe, const char *name,
                         int rank, struct augment *augment)
{
    *augment = (struct augment){.flip = recipe_flag(recipe, "data.flip"),
                                .flip_vertical = recipe_flag(recipe, "data.flip_vertical"),
                                .shift = recipe_int(recipe, "data.shift")};
    bool any = augment->flip || augment->flip_vertical || augment->shift;
    if (!any || rank == 3) return SUMI_OK;
    const char *key = augment->flip ? "flip" : augment->flip_vertical ? "flip_vertical" : "shift";
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "%s: data.%s needs pictures, but these items are not pictures", name, key);
}

/* Exchanges two runs of `count` numbers. */
static void exchange(int64_t count, float *left, float *right)
{
    for (int64_t i = 0; i < count; i++) {
        float kept = left[i];
        left[i] = right[i];
        right[i] = kept;
    }
}

void augment_mirror(const int64_t *shape, float *item)
{
    int64_t width = shape[1], channels = shape[2];
    for (int64_t y = 0; y < shape[0]; y++) {
        float *row = item + y * width * channels;
        for (int64_t x = 0; x < width / 2; x++) {
            exchange(channels, row + x * channels, row + (width - 1 - x) * channels);
        }
    }
}

static void mirror_columns(const int64_t *shape, float *item)
{
    int64_t height = shape[0], size = shape[1] * shape[2];
    for (int64_t y = 0; y < height / 2; y++) {
        exchange(size, item + y * size, item + (height - 1 - y) * size);
    }
}

/* Shifts `count` cells of `size` numbers by `by` cells, in place; uncovered cells repeat the one at
   the edge. |by| < count. */
static void move_cells(int64_t count, int64_t size, int64_t by, float *cells)
{
    int64_t kept = count - (by < 0 ? -by : by);
    float *from = cells + (by < 0 ? -by * size : 0), *to = cells + (by > 0 ? by * size : 0);
    size_t bytes = (size_t)size * sizeof *cells;
    memmove(to, from, (size_t)kept * bytes);
    for (int64_t i = 0; i < by; i++) memcpy(cells + i * size, to, bytes);
    for (int64_t i = kept; i < count && by < 0; i++) {
        memcpy(cells + i * size, cells + (kept - 1) * size, bytes);
    }
}

static void shift_item(int64_t down, int64_t across, const int64_t *shape, float *item)
{
    int64_t size = shape[1] * shape[2];
    if (down) move_cells(shape[0], size, down, item);
    for (int64_t y = 0; y < shape[0] && across; y++) {
        move_cells(shape[1], shape[2], across, item + y * size);
    }
}

/* A whole number from -largest to largest, but smaller than the side it moves along. */
static int64_t draw_shift(const philox_stream *stream, uint64_t index, int64_t largest,
                          int64_t side)
{
    if (largest > side - 1) largest = side - 1;
    return (int64_t)philox_below(stream, index, (uint64_t)(2 * largest + 1)) - largest;
}

void augment_item(const struct augment *augment, uint64_t seed, int64_t position,
                  const int64_t *shape, float *item)
{
    const philox_stream stream = {seed, PURPOSE_AUGMENT, 0};
    const uint64_t first = (uint64_t)position * 4; /* four draws for each item */
    if (augment->flip && philox_uniform(&stream, first) < 0.5f) augment_mirror(shape, item);
    if (augment->flip_vertical && philox_uniform(&stream, first + 1) < 0.5f) {
        mirror_columns(shape, item);
    }
    if (!augment->shift) return;
    int64_t down = draw_shift(&stream, first + 2, augment->shift, shape[0]);
    int64_t across = draw_shift(&stream, first + 3, augment->shift, shape[1]);
    shift_item(down, across, shape, item);
}
