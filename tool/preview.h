/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of what a sampler has so far, redrawn in place in the terminal. Nothing is drawn where
   the stream is not a terminal. */
#ifndef TOOL_PREVIEW_H
#define TOOL_PREVIEW_H

#include "graphics.h"

struct preview {
    FILE *stream;
    enum terminal_graphics graphics;
    terminal_size size;
    int lines; /* of the last picture, which ends just above the cursor; 0 before the first */
};

/* Finds out what the stream can show. */
void preview_open(struct preview *preview, FILE *stream);

/* Draws images [n,h,w,c], signals [n,length,c] or points [n,2] at the cursor, which must be at the
   start of a line; the picture before it is replaced if nothing was written since. `columns` items
   side by side, 0 to choose; those that do not fit are left out. The cursor ends at the start of
   the line below. False when nothing was drawn. */
bool preview_show(struct preview *preview, const sumi_array *items, int columns);

#endif
