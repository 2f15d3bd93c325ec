/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet of white paper of a fixed size in pixels, the inks used on it, its text, and the PNG it
   becomes. Only canvas.c creates cairo surfaces and reads cairo's errors. */
#ifndef SUMI_DRAW_CANVAS_H
#define SUMI_DRAW_CANVAS_H

#include <cairo.h>

#include "base/context.h"

enum { CANVAS_MAX_SIDE = 32767, CANVAS_MAX_PIXELS = 100000000 };

struct canvas {
    sumi_context *context;
    unsigned char *pixels;
    bool exact; /* whether it has pictures, whose colours must not change */
    cairo_surface_t *surface;
    cairo_t *cairo;
};

/* The position of a text relative to its point: left of it, centred on it, right of it. */
enum canvas_side { SIDE_LEFT, SIDE_CENTRE, SIDE_RIGHT };

/* Curves of several channels use the inks in this order. */
enum canvas_ink { INK_DARK, INK_SEAL, INK_INDIGO, INK_MOSS, INK_OCHRE, INK_SOFT, INK_GRID };
enum { CURVE_INKS = 5 };

/* White paper of width x height pixels, both finite and at least 1; refuses a sheet that is too
   large. Release it with canvas_close, also after a failure. */
sumi_status canvas_open(sumi_context *context, double width, double height, struct canvas *canvas);
void canvas_close(struct canvas *canvas); /* accepts a zeroed canvas */

/* Encodes the PNG to new memory for context_release, with a palette where there are few colours.
   Similar colours of a figure, but not of pictures, are merged to make them few. Reports errors of
   cairo since canvas_open. */
sumi_status canvas_encode(struct canvas *canvas, void **bytes, size_t *size);

/* The same to a file, whole or not at all. */
sumi_status canvas_write(struct canvas *canvas, const char *path);

/* Writes a PNG in memory to a file and releases it. */
sumi_status canvas_write_bytes(sumi_context *context, const char *path, void *bytes, size_t size);

/* Refuses a name that does not end in ".png". */
sumi_status canvas_check_path(sumi_context *context, const char *path);

void canvas_use(struct canvas *canvas, enum canvas_ink ink, double alpha);
/* Draws a straight line of the given thickness in the current ink. */
void canvas_line(struct canvas *canvas, double x0, double y0, double x1, double y1,
                 double thickness);
/* Width in pixels of a text of this size. */
double canvas_text_width(struct canvas *canvas, double size, const char *text);
/* Writes a text in the current ink, centred vertically on y. */
void canvas_text(struct canvas *canvas, double x, double y, enum canvas_side side, double size,
                 const char *text);
/* The largest size up to `size`, but at least `least`, at which the text is at most `width`
   wide. */
double canvas_fit_text(struct canvas *canvas, double size, double least, double limit,
                       const char *text);

#endif
