/* SPDX-License-Identifier: Apache-2.0 */
/* What every drawing of numbers shares: ranges of values, axes with ticks, curves of any length,
   scatter plots. Values that are not finite are left out, never drawn. */
#ifndef SUMI_DRAW_PLOT_H
#define SUMI_DRAW_PLOT_H

#include "draw/canvas.h"

struct range {
    double low, high; /* low > high while nothing was included */
};

struct range range_empty(void);
void range_include(struct range *range, const float *values, int64_t count, int64_t stride);
/* Makes a range fit for an axis: of some width (around `middle` if empty), plus a margin, which is
   a part of the width, at both ends. */
void range_settle(struct range *range, double middle, double margin);

/* Values low..high are placed at pixels start..end (end < start for an upright y axis). */
struct axis {
    struct range values;
    bool logarithmic; /* values.low must be positive then */
    double start, end;
};

/* The pixel of a finite value; values outside the range are placed at its nearer end. */
double axis_place(const struct axis *axis, double value);

enum { TICKS_MAX = 24, TICK_TEXT_SIZE = 32 };

/* Round values within the axis, about `wanted` of them; returns how many. */
int axis_ticks(const struct axis *axis, int wanted, double ticks[TICKS_MAX]);
/* A tick's label: "0.01", "250", "20k", "1.5M". */
void tick_text(double value, char text[TICK_TEXT_SIZE]);

enum { PLOT_TEXT_SIZE = 26, PLOT_TICK_SIZE = 22, PLOT_BELOW = 100 }; /* pixels */

struct plot_frame {
    const char *title, *x_title, *y_title; /* "" for none */
    int x_ticks, y_ticks;                  /* about so many */
    bool whole;                            /* x counts: no ticks between whole numbers */
};

/* Two axes with ticks, hairs across and titles. Below the frame PLOT_BELOW pixels are taken. */
void plot_frame(struct canvas *canvas, const struct axis *x, const struct axis *y,
                const struct plot_frame *frame);

/* A curve through values[i * stride] at x = first + i, in the present ink. With many more values
   than pixels, the least and greatest of each pixel column are joined. */
void plot_curve(struct canvas *canvas, const struct axis *x, const struct axis *y,
                const float *values, int64_t count, int64_t stride, double first, double thickness);

/* Points[count, 2] as discs, or as shades of ink by number when they are many. */
sumi_status plot_points(struct canvas *canvas, const struct axis *x, const struct axis *y,
                        const float *points, int64_t count);

#endif
