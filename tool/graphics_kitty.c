/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures by Kitty's graphics protocol (https://sw.kovidgoyal.net/kitty/graphics-protocol/): raw
   RGBA in base64, in pieces of at most 4096 letters. See graphics.h. */
#include "graphics.h"

#include <unistd.h>

enum { PIECE_BYTES = 4096 / 4 * 3 };

static void put_base64(FILE *stream, const unsigned char *bytes, size_t size)
{
    static const char LETTERS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t here = size - i < 3 ? size - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16;
        if (here > 1) bits |= (uint32_t)bytes[i + 1] << 8;
        if (here > 2) bits |= bytes[i + 2];
        fputc(LETTERS[bits >> 18], stream);
        fputc(LETTERS[bits >> 12 & 63], stream);
        fputc(here > 1 ? LETTERS[bits >> 6 & 63] : '=', stream);
        fputc(here > 2 ? LETTERS[bits & 63] : '=', stream);
    }
}

void graphics_put_kitty(FILE *stream, const struct raster *raster, int lines)
{
    size_t count = (size_t)raster->width * (size_t)raster->height;
    for (size_t first = 0; first < count; first += PIECE_BYTES / 4) {
        unsigned char piece[PIECE_BYTES];
        size_t size = 0;
        for (size_t i = first; i < count && size < sizeof piece; i++) {
            uint32_t colour = raster->pixels[i];
            bool there = colour != RASTER_NOTHING;
            piece[size++] = there ? (unsigned char)(colour >> 16) : 0;
            piece[size++] = there ? (unsigned char)(colour >> 8) : 0;
            piece[size++] = there ? (unsigned char)colour : 0;
            piece[size++] = there ? 255 : 0;
        }
        fputs("\033_G", stream);
        if (first == 0) {
            /* a=T send and show, q=2 no answers, C=1 leave the cursor; the number is our own. */
            fprintf(stream, "a=T,f=32,s=%d,v=%d,i=%u,p=1,q=2,C=1,r=%d,", raster->width,
                    raster->height, (unsigned)getpid() & 0xffffff, lines);
        }
        fprintf(stream, "m=%d;", first + PIECE_BYTES / 4 < count);
        put_base64(stream, piece, size);
        fputs("\033\\", stream);
    }
}
