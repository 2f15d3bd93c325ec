/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to draw a raster or curves on a terminal, each in its own file (graphics_NAME.c). They write
   to `stream` from the cursor's position and do not move it back. */
#ifndef TOOL_GRAPHICS_H
#define TOOL_GRAPHICS_H

#include <stdio.h>

#include "raster.h"
#include "terminal.h"

/* Half blocks: two pixels per character in 24-bit colour; one line of text, with a newline, for two
   rows of pixels. Without colour, shades of the two pixels' mean. */
void graphics_put_blocks(FILE *stream, const struct raster *raster, bool colour);

/* Sixels: a picture of raster->width x raster->height pixels; gaps are not drawn. */
void graphics_put_sixel(FILE *stream, const struct raster *raster);

/* Kitty: a picture scaled to `lines` lines of text; the cursor stays where it is. The picture
   replaces the one drawn before it by the same process. */
void graphics_put_kitty(FILE *stream, const struct raster *raster, int lines);

/* Braille patterns, 2 x 4 dots per character: signals[n,length,c] as curves with a common range, or
   points[n,d] with up to 4 coordinates by their first two (one coordinate: a histogram), in at most
   columns x lines characters. Returns the number of lines, 0 for an array of another shape. */
int graphics_put_braille(FILE *stream, const sumi_array *items, int across, int columns, int lines);

#endif
