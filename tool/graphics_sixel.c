/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures by DEC's sixels: bands of six rows, each drawn once for each of its colours, with a
   fixed palette of 32 greys or a 6 x 6 x 6 cube. See graphics.h. */
#include "graphics.h"

enum { COLOURS_MAX = 216, GREYS = 32, BAND = 6 };

static bool is_grey(const struct raster *raster)
{
    for (int i = 0; i < raster->width * raster->height; i++) {
        uint32_t colour = raster->pixels[i];
        if (colour != RASTER_NOTHING && colour != (colour & 0xff) * 0x010101) return false;
    }
    return true;
}

/* The nearest of `levels` evenly spaced levels to a byte. */
static int level_of(uint32_t byte, int levels)
{
    return ((int)byte * (levels - 1) + 127) / 255;
}

static int number_of(uint32_t colour, bool grey)
{
    if (colour == RASTER_NOTHING) return -1;
    if (grey) return level_of(colour & 0xff, GREYS);
    return level_of(colour >> 16, 6) * 36 + level_of(colour >> 8 & 0xff, 6) * 6
           + level_of(colour & 0xff, 6);
}

static void put_palette(FILE *stream, bool grey)
{
    for (int i = 0; i < (grey ? GREYS : COLOURS_MAX); i++) {
        int r = i * 100 / (GREYS - 1), g = r, b = r; /* in percent */
        if (!grey) {
            r = i / 36 * 20;
            g = i / 6 % 6 * 20;
            b = i % 6 * 20;
        }
        fprintf(stream, "#%d;2;%d;%d;%d", i, r, g, b);
    }
}

static void put_run(FILE *stream, char sixel, int length)
{
    if (length > 3) fprintf(stream, "!%d%c", length, sixel);
    else
        while (length-- > 0) fputc(sixel, stream);
}

/* One colour of the band that begins at row `top`. */
static void put_colour(FILE *stream, const struct raster *raster, int top, bool grey, int number)
{
    char run_of = 0;
    int run = 0;
    fprintf(stream, "#%d", number);
    for (int x = 0; x < raster->width; x++) {
        char sixel = '?';
        for (int y = top; y < top + BAND && y < raster->height; y++) {
            if (number_of(raster->pixels[y * raster->width + x], grey) != number) continue;
            sixel = (char)(sixel + (1 << (y - top)));
        }
        if (sixel != run_of) put_run(stream, run_of, run);
        run = sixel == run_of ? run + 1 : 1;
        run_of = sixel;
    }
    if (run_of != '?') put_run(stream, run_of, run);
    fputc('$', stream);
}

void graphics_put_sixel(FILE *stream, const struct raster *raster)
{
    bool grey = is_grey(raster);
    /* P2 = 1: pixels that no colour sets keep what was there. */
    fprintf(stream, "\033P0;1;0q\"1;1;%d;%d", raster->width, raster->height);
    put_palette(stream, grey);
    for (int top = 0; top < raster->height; top += BAND) {
        bool used[COLOURS_MAX] = {false};
        for (int y = top; y < top + BAND && y < raster->height; y++) {
            for (int x = 0; x < raster->width; x++) {
                int number = number_of(raster->pixels[y * raster->width + x], grey);
                if (number >= 0) used[number] = true;
            }
        }
        for (int i = 0; i < COLOURS_MAX; i++) {
            if (used[i]) put_colour(stream, raster, top, grey, i);
        }
        fputc('-', stream);
    }
    fputs("\033\\", stream);
}
