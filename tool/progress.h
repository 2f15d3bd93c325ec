/* SPDX-License-Identifier: Apache-2.0 */
/* The progress line of a long call: redrawn in place on a terminal, occasional plain lines
   elsewhere.

       train  1200/4000  loss 0.0312  812 images/s  1:12 left  [#####.............]  */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

#include "preview.h"

typedef struct progress_line {
    FILE *stream;
    struct preview *preview;                    /* NULL for no preview */
    bool live;                                  /* redrawn in place */
    bool visible;                               /* the cursor is after a progress line */
    double line_time, picture_time, plain_time; /* times of the last of each, in seconds */
    int tenths;                                 /* tenths of the work done at the last plain line */
} progress_line;

/* `preview` (or NULL) draws the previews on the same stream. */
void progress_open(progress_line *line, FILE *stream, struct preview *preview);

/* Shows the progress if an update is due; it can be called any number of times. */
void progress_show(progress_line *line, const sumi_progress *progress);

/* Ends the line, so that further output begins on a new one. */
void progress_close(progress_line *line);

/* Formats the line in at most `width` letters, with a bar if `bar` and it fits. */
void progress_format(const sumi_progress *progress, int width, bool bar, char *text, size_t size);

/* Whether a plain line is due at `now` seconds: every ten seconds, after each tenth of the work (at
   most once per second), and at the end. */
bool progress_plain_due(const progress_line *line, const sumi_progress *progress, double now);

#endif
