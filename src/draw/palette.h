/* SPDX-License-Identifier: Apache-2.0 */
/* A picture's colours counted, so that a figure of few colours takes a byte a pixel and little of a
   page. */
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

/* Writes for each of pixels[count] (0x..RRGGBB) the index of its colour. False where there are too
   many colours: then, if `exact`, nothing is of use; else colours that share their leading bits
   become one, the most frequent of them, with as many bits as fit. */
bool palette_index(const uint32_t *pixels, size_t count, bool exact, struct palette *palette,
                   uint8_t *indices);

#endif
