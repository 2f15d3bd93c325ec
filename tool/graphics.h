/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to put a raster or curves on a terminal, each in a file of its own (graphics_NAME.c). They
   write to `stream` from the cursor's place and know nothing of moving it back. */
#ifndef TOOL_GRAPHICS_H
#define TOOL_GRAPHICS_H

#include <stdio.h>

#include "raster.h"
#include "terminal.h"

/* Half blocks: two pixels a character, 24-bit colour; one line of text each two rows of pixels,
   each ended by a newline. Without colour, shades of the two pixels' mean. */
void graphics_put_blocks(FILE *stream, const struct raster *raster, bool colour);

/* Sixels: a picture of raster->width x raster->height pixels; gaps stay untouched. */
void graphics_put_sixel(FILE *stream, const struct raster *raster);

/* Kitty: a picture scaled to `lines` lines of text; the cursor stays where it is. The picture
   replaces the one drawn before it by the same process. */
void graphics_put_kitty(FILE *stream, const struct raster *raster, int lines);

/* Braille patterns, 2 x 4 dots a character: signals[n,length,c] as curves of a common range, or
   points[n,d] of up to 4 coordinates by their first two (of one by a histogram), in at most columns
   x lines characters. Returns the number of lines, 0 for an array of another shape. */
int graphics_put_braille(FILE *stream, const sumi_array *items, int across, int columns, int lines);

#endif
