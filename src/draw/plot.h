/* SPDX-License-Identifier: Apache-2.0 */
/* What all drawings of numbers share: ranges of values, axes with ticks, curves of any length,
   scatter plots. Values that are not finite are not drawn. */
#ifndef SUMI_DRAW_PLOT_H
#define SUMI_DRAW_PLOT_H

#include "draw/canvas.h"

struct range {
    double low, high; /* low > high while empty */
};

struct range range_empty(void);
void range_include(struct range *range, const float *values, int64_t count, int64_t stride);
/* Prepares a range for an axis: makes its width positive (around `middle` if empty) and adds a
   margin, a fraction of the width, at both ends. */
void range_settle(struct range *range, double middle, double margin);

/* Maps values low..high to pixels start..end (end < start for an upright y axis). */
struct axis {
    struct range values;
    bool logarithmic; /* requires values.low > 0 */
    double start, end;
};

/* The pixel of a finite value; values outside the range are clamped to it. */
double axis_place(const struct axis *axis, double value);

enum { TICKS_MAX = 24, TICK_TEXT_SIZE = 32 };

/* Fills about `wanted` round values within the axis; returns their number. */
int axis_ticks(const struct axis *axis, int wanted, double ticks[TICKS_MAX]);
/* A tick's label: "0.01", "250", "20k", "1.5M". */
void tick_text(double value, char text[TICK_TEXT_SIZE]);

enum { PLOT_TEXT_SIZE = 26, PLOT_TICK_SIZE = 22, PLOT_BELOW = 100 }; /* pixels */

struct plot_frame {
    const char *title, *x_title, *y_title; /* "" for none */
    int x_ticks, y_ticks;                  /* approximate numbers of ticks */
    bool whole;                            /* x is a count: ticks only at whole numbers */
};

/* Draws two axes with ticks, grid lines and titles. They take PLOT_BELOW pixels below the frame. */
void plot_frame(struct canvas *canvas, const struct axis *x, const struct axis *y,
                const struct plot_frame *frame);

/* Draws a curve through values[i * stride] at x = first + i in the current ink. With many more
   values than pixels, it joins the least and greatest of each pixel column. */
void plot_curve(struct canvas *canvas, const struct axis *x, const struct axis *y,
                const float *values, int64_t count, int64_t stride, double first, double thickness);

/* Draws points[count, 2] as discs or, if they are many, as shades by their number. */
sumi_status plot_points(struct canvas *canvas, const struct axis *x, const struct axis *y,
                        const float *points, int64_t count);

#endif
