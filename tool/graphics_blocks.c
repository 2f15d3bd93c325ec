/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of half-block characters; see graphics.h. */
#include "graphics.h"

static void put_colour(FILE *stream, int layer, uint32_t colour)
{
    fprintf(stream, "\033[%d;2;%u;%u;%um", layer, colour >> 16, colour >> 8 & 0xff, colour & 0xff);
}

/* Writes one line: the upper pixel is the foreground colour, the lower the background. Writes a
   colour only when it changes. */
static void put_line(FILE *stream, const uint32_t *upper, const uint32_t *lower, int width)
{
    enum { LETTER = 38, GROUND = 48 };
    uint32_t letter = RASTER_NOTHING, ground = RASTER_NOTHING;
    for (int x = 0; x < width; x++) {
        uint32_t top = upper[x], bottom = lower ? lower[x] : RASTER_NOTHING;
        uint32_t wanted_letter = top != RASTER_NOTHING ? top : bottom;
        uint32_t wanted_ground = top != RASTER_NOTHING ? bottom : RASTER_NOTHING;
        if (wanted_ground != ground) {
            if (wanted_ground == RASTER_NOTHING) fputs("\033[49m", stream);
            else put_colour(stream, GROUND, wanted_ground);
            ground = wanted_ground;
        }
        if (wanted_letter == RASTER_NOTHING) {
            fputc(' ', stream);
            continue;
        }
        if (wanted_letter != letter) put_colour(stream, LETTER, wanted_letter);
        letter = wanted_letter;
        fputs(top != RASTER_NOTHING ? "\u2580" : "\u2584", stream);
    }
    fputs("\033[0m", stream);
}

static unsigned luminance(uint32_t colour)
{
    return ((colour >> 16) * 3 + (colour >> 8 & 0xff) * 6 + (colour & 0xff)) / 10;
}

static void put_shades(FILE *stream, const uint32_t *upper, const uint32_t *lower, int width)
{
    static const char *const SHADES[] = {" ", "\u2591", "\u2592", "\u2593", "\u2588"};
    for (int x = 0; x < width; x++) {
        unsigned sum = upper[x] == RASTER_NOTHING ? 0 : luminance(upper[x]);
        if (lower && lower[x] != RASTER_NOTHING) sum += luminance(lower[x]);
        fputs(SHADES[sum * 5 / 511], stream);
    }
}

void graphics_put_blocks(FILE *stream, const struct raster *raster, bool colour)
{
    for (int y = 0; y < raster->height; y += 2) {
        const uint32_t *upper = raster->pixels + y * raster->width;
        const uint32_t *lower = y + 1 < raster->height ? upper + raster->width : NULL;
        if (colour) put_line(stream, upper, lower, raster->width);
        else put_shades(stream, upper, lower, raster->width);
        fputs("\033[K\n", stream);
    }
}
