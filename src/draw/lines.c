/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_draw_lines: curves of positive numbers over positive numbers on logarithmic axes, with names
   at their ends. */
#include <math.h>

#include "base/structure.h"
#include "draw/plot.h"

static const double WIDTH = 1440, HEIGHT = 1000;
static const double LEFT = 150, RIGHT = 250, TOP = 84, NAME_SIZE = 20;

enum { MOST_LINES = 64, MOST_DOTS = 64 };

static bool is_drawn(const sumi_line *line, int64_t i)
{
    return isfinite(line->x[i]) && isfinite(line->y[i]) && line->x[i] > 0 && line->y[i] > 0;
}

static void choose_axes(const sumi_line *lines, int count, struct axis *x, struct axis *y)
{
    *x = (struct axis){range_empty(), true, LEFT, WIDTH - RIGHT};
    *y = (struct axis){range_empty(), true, HEIGHT - PLOT_BELOW, TOP};
    for (int k = 0; k < count; k++) {
        for (int64_t i = 0; i < lines[k].count; i++) {
            float at[] = {(float)lines[k].x[i], (float)lines[k].y[i]};
            if (!is_drawn(&lines[k], i)) continue;
            range_include(&x->values, &at[0], 1, 1);
            range_include(&y->values, &at[1], 1, 1);
        }
    }
    if (x->values.low > x->values.high) x->values = y->values = (struct range){1, 10};
    x->values = (struct range){x->values.low / 1.1, x->values.high * 1.1};
    y->values = (struct range){y->values.low / 1.5, y->values.high * 1.5};
}

/* Draws the curve, with a dot at every point if they are few; returns the height of its end. */
static double draw_line(struct canvas *canvas, const struct axis *x, const struct axis *y,
                        const sumi_line *line)
{
    double last_x = NAN, last_y = NAN;
    for (int64_t i = 0; i < line->count; i++) {
        if (!is_drawn(line, i)) continue;
        double at_x = axis_place(x, line->x[i]), at_y = axis_place(y, line->y[i]);
        if (isfinite(last_x)) canvas_line(canvas, last_x, last_y, at_x, at_y, 2.5);
        if (line->count <= MOST_DOTS) canvas_line(canvas, at_x - 4, at_y, at_x + 4, at_y, 8);
        last_x = at_x;
        last_y = at_y;
    }
    return last_y;
}

/* Writes names beside the ends of their curves, moved down where they overlap. */
static void write_names(struct canvas *canvas, const struct axis *x, int count,
                        const sumi_line *lines, const double *ends)
{
    bool done[MOST_LINES] = {false};
    double free_from = 0;
    for (int written = 0; written < count; written++) {
        int next = -1;
        for (int k = 0; k < count; k++)
            if (!done[k] && (next < 0 || !(ends[k] >= ends[next]))) next = k;
        done[next] = true;
        if (!isfinite(ends[next])) continue;
        double at = fmax(ends[next], free_from);
        free_from = at + 1.1 * NAME_SIZE;
        canvas_use(canvas, (enum canvas_ink)(next % CURVE_INKS), 1);
        canvas_text(canvas, x->end + 16, at, SIDE_RIGHT, NAME_SIZE, lines[next].name);
    }
}

/* The lines as this library knows them, to own[count]. */
static sumi_status read_lines(sumi_context *context, const sumi_line *lines, int count,
                              sumi_line *own)
{
    for (int k = 0; k < count; k++) {
        const char *line = (const char *)lines + (size_t)k * lines->size;
        TRY(structure_read(context, "sumi_line", line, &own[k], sizeof *own));
    }
    return SUMI_OK;
}

static sumi_status check_lines(sumi_context *context, const sumi_line *given, int count,
                               sumi_line *lines)
{
    if (count < 1 || count > MOST_LINES || !given) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "a figure has from 1 to %d lines, not %d",
                            MOST_LINES, count);
    }
    TRY(read_lines(context, given, count, lines));
    for (int k = 0; k < count; k++) {
        if (lines[k].count >= 0 && lines[k].x && lines[k].y && lines[k].name) continue;
        return context_fail(
            context, SUMI_ERROR_ARGUMENT,
            "line %d of the figure needs a name, two arrays of numbers and a count of at least 0",
            k);
    }
    return SUMI_OK;
}

sumi_status sumi_draw_lines(sumi_context *context, const sumi_line *lines, int count,
                            const char *title, const char *x_title, const char *y_title,
                            const char *path)
{
    const struct plot_frame frame = {.title = title ? title : "",
                                     .x_title = x_title ? x_title : "",
                                     .y_title = y_title ? y_title : "",
                                     .x_ticks = 6,
                                     .y_ticks = 8};
    struct canvas canvas = {0};
    struct axis x, y;
    double ends[MOST_LINES];
    sumi_line own[MOST_LINES];
    TRY(canvas_check_path(context, path));
    TRY(check_lines(context, lines, count, own));
    choose_axes(own, count, &x, &y);
    sumi_status status = canvas_open(context, WIDTH, HEIGHT, &canvas);
    if (status == SUMI_OK) {
        plot_frame(&canvas, &x, &y, &frame);
        for (int k = 0; k < count; k++) {
            canvas_use(&canvas, (enum canvas_ink)(k % CURVE_INKS), 1);
            ends[k] = draw_line(&canvas, &x, &y, &own[k]);
        }
        write_names(&canvas, &x, count, own, ends);
        status = canvas_write(&canvas, path);
    }
    canvas_close(&canvas);
    return status;
}
