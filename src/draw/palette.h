/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the colours of a picture, so that a figure of few colours is stored with one byte per
   pixel. */
#ifndef SUMI_DRAW_PALETTE_H
#define SUMI_DRAW_PALETTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PALETTE_COLOURS = 256 };

struct palette {
    int count;
    uint8_t colours[PALETTE_COLOURS][3]; /* red, green, blue */
};

/* Writes for each of pixels[count] (0x..RRGGBB) the index of its colour. Where there are too many
   colours: if `exact`, returns false and the output is undefined; else merges colours that share
   their leading bits into the most frequent of them, with as many bits as fit. */
bool palette_index(const uint32_t *pixels, size_t count, bool exact, struct palette *palette,
                   uint8_t *indices);

#endif
