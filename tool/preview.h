/* SPDX-License-Identifier: Apache-2.0 */
/* Previews of samples, redrawn in place in the terminal. Draws nothing if the stream is not a
   terminal. */
#ifndef TOOL_PREVIEW_H
#define TOOL_PREVIEW_H

#include "graphics.h"

struct preview {
    FILE *stream;
    enum terminal_graphics graphics;
    terminal_size size;
    int lines; /* lines of the last picture, which ends just above the cursor; 0 before the first */
};

/* Detects what the stream can show. */
void preview_open(struct preview *preview, FILE *stream);

/* Draws images [n,h,w,c], signals [n,length,c] or points [n,2] at the cursor, which must be at the
   start of a line; replaces the previous picture if nothing was written since. Draws `columns`
   items side by side (0: as many as fit) and leaves out those that do not fit. The cursor ends at
   the start of the line below. False if nothing was drawn. */
bool preview_show(struct preview *preview, const sumi_array *items, int columns);

#endif
