/* SPDX-License-Identifier: Apache-2.0 */
/* Arranging images in pixels; see raster.h. */
#include "raster.h"

#include <math.h>
#include <stdlib.h>

enum { GAP = 1, ACROSS_MAX = 8, ROOM_MAX = 4096 };

typedef struct layout {
    int across, down;
    int cell_width, cell_height;
} layout;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static layout choose_layout(int64_t count, int64_t width, int64_t height, int columns,
                            int64_t room_width, int64_t room_height, int factor)
{
    layout chosen;
    /* Digits of 28 pixels are legible down to two thirds of their size. */
    int64_t recognisable = (2 * least(width, ROOM_MAX) + 2) / 3;
    int64_t fitting = least((room_width + GAP) / (recognisable + GAP), ACROSS_MAX);
    int64_t across = columns > 0 ? columns : most(1, fitting);
    across = least(least(across, count), (room_width + GAP) / (1 + GAP));
    int64_t cell_width = most(1, (room_width - (across - 1) * GAP) / across);
    double scale = fmin((double)cell_width / (double)width, (double)room_height / (double)height);
    if (scale >= 1) scale = fmin(floor(scale), factor);
    chosen.across = (int)across;
    chosen.cell_width = (int)most(1, (int64_t)(scale * (double)width + 0.5));
    chosen.cell_height = (int)most(1, (int64_t)(scale * (double)height + 0.5));
    int64_t rows = (count - 1) / across + 1;
    chosen.down = (int)most(1, least(rows, (room_height + GAP) / (chosen.cell_height + GAP)));
    return chosen;
}

static uint32_t byte_of(float value)
{
    if (value <= -1) return 0;
    if (value >= 1) return 255;
    return (uint32_t)lrintf((value + 1) * 127.5f);
}

/* The first of `length` source positions that position `at` of `cells` covers. */
static int64_t source_of(int at, int cells, int64_t length)
{
    return (int64_t)at * length / cells;
}

/* The mean colour of the pixels x0..x1-1, y0..y1-1 of image[h,w,c]. */
static uint32_t mean_colour(const float *image, int64_t width, int64_t channels, int64_t x0,
                            int64_t x1, int64_t y0, int64_t y1)
{
    const uint32_t red = 0xc23d2b;
    uint32_t bytes[3] = {0};
    for (int64_t c = 0; c < channels; c++) {
        float sum = 0;
        for (int64_t y = y0; y < y1; y++) {
            for (int64_t x = x0; x < x1; x++) {
                float value = image[(y * width + x) * channels + c];
                sum += value < -1 ? -1 : value > 1 ? 1 : value;
            }
        }
        if (isnan(sum)) return red;
        bytes[c] = byte_of(sum / (float)((x1 - x0) * (y1 - y0)));
    }
    if (channels == 1) return bytes[0] * 0x010101;
    return bytes[0] << 16 | bytes[1] << 8 | bytes[2];
}

static void draw_image(const struct raster *to, const layout *cells, int left, int top,
                       const float *image, const int64_t shape[3])
{
    int64_t height = shape[0], width = shape[1], channels = shape[2];
    for (int y = 0; y < cells->cell_height; y++) {
        int64_t y0 = source_of(y, cells->cell_height, height);
        int64_t y1 = most(y0 + 1, source_of(y + 1, cells->cell_height, height));
        for (int x = 0; x < cells->cell_width; x++) {
            int64_t x0 = source_of(x, cells->cell_width, width);
            int64_t x1 = most(x0 + 1, source_of(x + 1, cells->cell_width, width));
            to->pixels[(top + y) * to->width + left + x] =
                mean_colour(image, width, channels, x0, x1, y0, y1);
        }
    }
}

/* Copies channels that are not colours side by side in grey with white between them: images[n, h,
   w, c] to grey[n, h, c (w + 1) - 1, 1], for at most as many images as a terminal shows. */
static bool spread_channels(const sumi_array *images, sumi_array *grey)
{
    int64_t height = images->shape[1], width = images->shape[2], channels = images->shape[3];
    int64_t count = least(images->shape[0], ROOM_MAX), row = channels * (width + 1) - 1;
    *grey = (sumi_array){4, {count, height, row, 1}, NULL};
    grey->data = malloc((size_t)(count * height * row) * sizeof *grey->data);
    if (!grey->data) return false;
    for (int64_t y = 0; y < count * height; y++) {
        const float *from = images->data + y * width * channels;
        for (int64_t x = 0; x < row; x++) {
            int64_t channel = x / (width + 1), column = x % (width + 1);
            grey->data[y * row + x] = column < width ? from[column * channels + channel] : 1;
        }
    }
    return true;
}

static bool compose(const sumi_array *images, int columns, int room_width, int room_height,
                    int factor, struct raster *raster)
{
    const int64_t *shape = images->shape;
    room_width = (int)most(1, least(room_width, ROOM_MAX));
    room_height = (int)most(1, least(room_height, ROOM_MAX));
    layout cells =
        choose_layout(shape[0], shape[2], shape[1], columns, room_width, room_height, factor);
    raster->width = cells.across * (cells.cell_width + GAP) - GAP;
    raster->height = cells.down * (cells.cell_height + GAP) - GAP;
    size_t count = (size_t)raster->width * (size_t)raster->height;
    raster->pixels = malloc(count * sizeof *raster->pixels);
    if (!raster->pixels) return false;
    for (size_t i = 0; i < count; i++) raster->pixels[i] = RASTER_NOTHING;
    for (int64_t i = 0; i < least(shape[0], (int64_t)cells.across * cells.down); i++) {
        draw_image(raster, &cells, (int)(i % cells.across) * (cells.cell_width + GAP),
                   (int)(i / cells.across) * (cells.cell_height + GAP),
                   images->data + i * shape[1] * shape[2] * shape[3], shape + 1);
    }
    return true;
}

bool raster_compose(const sumi_array *images, int columns, int room_width, int room_height,
                    int factor, struct raster *raster)
{
    if (!images->data || images->rank != 4) return false;
    for (int i = 0; i < 4; i++) {
        if (images->shape[i] < 1) return false;
    }
    if (images->shape[3] == 1 || images->shape[3] == 3)
        return compose(images, columns, room_width, room_height, factor, raster);
    sumi_array grey;
    if (!spread_channels(images, &grey)) return false;
    bool composed = compose(&grey, columns, room_width, room_height, factor, raster);
    free(grey.data);
    return composed;
}
