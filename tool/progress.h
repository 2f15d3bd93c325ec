/* SPDX-License-Identifier: Apache-2.0 */
/* The line that tells how far a long call is: redrawn in place on a terminal, a plain line now and
   then elsewhere.

       train  1200/4000  loss 0.0312  812 images/s  1:12 left  [#####.............]  */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

#include "preview.h"

typedef struct progress_line {
    FILE *stream;
    struct preview *preview;                    /* NULL to show none */
    bool live;                                  /* redrawn in place */
    bool visible;                               /* the cursor stands behind a line that was drawn */
    double line_time, picture_time, plain_time; /* of the last of each, in seconds */
    int tenths; /* of the work that were done at the last plain line */
} progress_line;

/* `preview` draws what the progress carries, on the same stream; it may be NULL. */
void progress_open(progress_line *line, FILE *stream, struct preview *preview);

/* Shows the progress if it is time for it. May be called as often as one likes. */
void progress_show(progress_line *line, const sumi_progress *progress);

/* Ends the line; what is printed next begins on a fresh one. */
void progress_close(progress_line *line);

/* The line as text of at most `width` letters, with a bar if `bar` and there is room for one. */
void progress_format(const sumi_progress *progress, int width, bool bar, char *text, size_t size);

/* Whether a plain line is due at `now` seconds: each ten seconds, each tenth of the work (but once
   a second at most), and at the end. */
bool progress_plain_due(const progress_line *line, const sumi_progress *progress, double now);

#endif
