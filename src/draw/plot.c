/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges, axes, curves and scatter plots; see plot.h. */
#include "draw/plot.h"

#include <math.h>
#include <stdio.h>

struct range range_empty(void)
{
    return (struct range){INFINITY, -INFINITY};
}

void range_include(struct range *range, const float *values, int64_t count, int64_t stride)
{
    for (int64_t i = 0; i < count; i++) {
        double value = (double)values[i * stride];
        if (!isfinite(value)) continue;
        range->low = fmin(range->low, value);
        range->high = fmax(range->high, value);
    }
}

void range_settle(struct range *range, double middle, double margin)
{
    if (range->low > range->high) range->low = range->high = middle;
    double size = fmax(fabs(range->low), fabs(range->high));
    if (range->high - range->low <= 1e-5 * size || range->high == range->low) {
        double half = size > 0 ? 0.5 * size : 1;
        range->low -= half;
        range->high += half;
    }
    double extra = margin * (range->high - range->low);
    range->low -= extra;
    range->high += extra;
}

double axis_place(const struct axis *axis, double value)
{
    double low = axis->values.low, high = axis->values.high;
    double part = axis->logarithmic ? log(fmax(value, low) / low) / log(high / low)
                                    : (value - low) / (high - low);
    return axis->start + fmin(fmax(part, 0), 1) * (axis->end - axis->start);
}

/* Ticks at 1, or 1 and 3, or 1, 2 and 5 times the powers of ten: the densest of these sets that
   does not exceed the wanted number by much. */
static int logarithmic_ticks(const struct axis *axis, int wanted, double ticks[TICKS_MAX])
{
    static const double FACTORS[3][3] = {{1, 2, 5}, {1, 3, 0}, {1, 0, 0}};
    double low = axis->values.low * (1 - 1e-9), high = axis->values.high * (1 + 1e-9);
    int first = (int)floor(log10(low)), last = (int)floor(log10(high));
    for (int step = 1; step <= 128; step *= 2) {
        for (int set = step == 1 ? 0 : 2; set < 3; set++) {
            int count = 0;
            for (int power = first; power <= last; power++) {
                if (power % step != 0) continue;
                for (int i = 0; i < 3; i++) {
                    double tick = FACTORS[set][i] * pow(10, power);
                    if (tick < low || tick > high || count >= TICKS_MAX) continue;
                    ticks[count++] = tick;
                }
            }
            if (count <= wanted + 2) return count;
        }
    }
    return 0;
}

int axis_ticks(const struct axis *axis, int wanted, double ticks[TICKS_MAX])
{
    if (axis->logarithmic) return logarithmic_ticks(axis, wanted, ticks);
    double low = axis->values.low, width = axis->values.high - low;
    double rough = width / wanted, power = pow(10, floor(log10(rough)));
    double digit = rough / power; /* 1 to 10 */
    double step = power * (digit <= 1.5 ? 1 : digit <= 3.5 ? 2 : digit <= 7.5 ? 5 : 10);
    int count = 0;
    for (double i = ceil(low / step - 1e-6); count < TICKS_MAX; i++) {
        double tick = i * step;
        if (tick > axis->values.high + 1e-6 * step) break;
        ticks[count++] = fabs(tick) < 1e-9 * step ? 0 : tick;
    }
    return count;
}

void tick_text(double value, char text[TICK_TEXT_SIZE])
{
    double size = fabs(value);
    if (size >= 1e6 && size < 1e9) snprintf(text, TICK_TEXT_SIZE, "%gM", value / 1e6);
    else if (size >= 1e4 && size < 1e6) snprintf(text, TICK_TEXT_SIZE, "%gk", value / 1e3);
    else snprintf(text, TICK_TEXT_SIZE, "%.4g", value);
}

static void draw_ticks_of_y(struct canvas *canvas, const struct axis *x, const struct axis *y,
                            int wanted)
{
    double ticks[TICKS_MAX];
    char text[TICK_TEXT_SIZE];
    int count = axis_ticks(y, wanted, ticks);
    for (int i = 0; i < count; i++) {
        double place = floor(axis_place(y, ticks[i])) + 0.5;
        canvas_use(canvas, INK_GRID, 1);
        canvas_line(canvas, x->start, place, x->end, place, 1);
        canvas_use(canvas, INK_SOFT, 1);
        tick_text(ticks[i], text);
        canvas_text(canvas, x->start - 14, place, SIDE_LEFT, PLOT_TICK_SIZE, text);
    }
}

static void draw_ticks_of_x(struct canvas *canvas, const struct axis *x, const struct axis *y,
                            int wanted, bool whole)
{
    double ticks[TICKS_MAX];
    char text[TICK_TEXT_SIZE];
    int count = axis_ticks(x, wanted, ticks);
    for (int i = 0; i < count; i++) {
        if (whole && ticks[i] != floor(ticks[i])) continue;
        double place = floor(axis_place(x, ticks[i])) + 0.5;
        canvas_use(canvas, INK_SOFT, 1);
        canvas_line(canvas, place, y->start, place, y->start + 8, 1.5);
        tick_text(ticks[i], text);
        canvas_text(canvas, place, y->start + 26, SIDE_CENTRE, PLOT_TICK_SIZE, text);
    }
}

void plot_frame(struct canvas *canvas, const struct axis *x, const struct axis *y,
                const struct plot_frame *frame)
{
    double middle = (x->start + x->end) / 2;
    draw_ticks_of_y(canvas, x, y, frame->y_ticks);
    draw_ticks_of_x(canvas, x, y, frame->x_ticks, frame->whole);
    canvas_line(canvas, x->start, y->start + 0.5, x->end, y->start + 0.5, 1.5);
    canvas_use(canvas, INK_DARK, 1);
    canvas_text(canvas, middle, y->start + PLOT_BELOW - 32, SIDE_CENTRE, PLOT_TEXT_SIZE,
                frame->x_title);
    cairo_save(canvas->cairo);
    cairo_translate(canvas->cairo, 32, (y->start + y->end) / 2);
    cairo_rotate(canvas->cairo, -acos(0));
    canvas_text(canvas, 0, 0, SIDE_CENTRE, PLOT_TEXT_SIZE, frame->y_title);
    cairo_restore(canvas->cairo);
    if (!frame->title[0]) return;
    double size =
        canvas_fit_text(canvas, 1.15 * PLOT_TEXT_SIZE, 12, x->end - x->start, frame->title);
    canvas_text(canvas, middle, 42, SIDE_CENTRE, size, frame->title);
}

/* One point of a curve: starts a line there after a gap, else draws to it. */
static void pen_to(struct canvas *canvas, bool *down, double x, double y)
{
    if (*down) cairo_line_to(canvas->cairo, x, y);
    else cairo_move_to(canvas->cairo, x, y);
    if (!*down) cairo_line_to(canvas->cairo, x, y); /* a single value becomes a dot */
    *down = true;
}

void plot_curve(struct canvas *canvas, const struct axis *x, const struct axis *y,
                const float *values, int64_t count, int64_t stride, double first, double thickness)
{
    double columns = fmax(1, floor(fabs(x->end - x->start)));
    int64_t buckets = (double)count > 3 * columns ? (int64_t)columns : count;
    bool down = false;
    cairo_new_path(canvas->cairo);
    for (int64_t bucket = 0; bucket < buckets; bucket++) {
        int64_t begin = (int64_t)((double)bucket * (double)count / (double)buckets);
        int64_t end = (int64_t)((double)(bucket + 1) * (double)count / (double)buckets);
        if (end > count) end = count;
        struct range inside = range_empty();
        range_include(&inside, values + begin * stride, end - begin, stride);
        if (inside.low > inside.high || (y->logarithmic && inside.high <= 0)) {
            down = false;
            continue;
        }
        double middle = axis_place(x, first + 0.5 * (double)(begin + end - 1));
        pen_to(canvas, &down, middle, axis_place(y, inside.low));
        if (inside.high > inside.low) pen_to(canvas, &down, middle, axis_place(y, inside.high));
    }
    cairo_set_line_width(canvas->cairo, thickness);
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
    cairo_stroke(canvas->cairo);
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_BUTT);
}

enum { DISCS_MAX = 20000, BIN_SIZE = 4 };

static void plot_discs(struct canvas *canvas, const struct axis *x, const struct axis *y,
                       const float *points, int64_t count)
{
    double side = fabs(x->end - x->start);
    double radius = fmin(fmax(1.2, 0.25 * side / sqrt((double)count + 1)), 0.006 * side + 1);
    canvas_use(canvas, INK_DARK, count > 500 ? 0.45 : 0.7);
    for (int64_t i = 0; i < count; i++) {
        double px = (double)points[2 * i], py = (double)points[2 * i + 1];
        if (!isfinite(px) || !isfinite(py)) continue;
        cairo_arc(canvas->cairo, axis_place(x, px), axis_place(y, py), radius, 0, 2 * acos(-1));
        cairo_fill(canvas->cairo);
    }
}

static sumi_status plot_density(struct canvas *canvas, const struct axis *x, const struct axis *y,
                                const float *points, int64_t count)
{
    double left = fmin(x->start, x->end), top = fmin(y->start, y->end);
    int columns = (int)ceil(fabs(x->end - x->start) / BIN_SIZE) + 1;
    int rows = (int)ceil(fabs(y->end - y->start) / BIN_SIZE) + 1;
    size_t bins = (size_t)columns * (size_t)rows;
    int64_t *counts = context_allocate_zeroed(canvas->context, bins, sizeof *counts);
    if (!counts) return SUMI_ERROR_MEMORY;
    int64_t most = 1;
    for (int64_t i = 0; i < count; i++) {
        double px = (double)points[2 * i], py = (double)points[2 * i + 1];
        if (!isfinite(px) || !isfinite(py)) continue;
        int column = (int)((axis_place(x, px) - left) / BIN_SIZE);
        int row = (int)((axis_place(y, py) - top) / BIN_SIZE);
        int64_t here = ++counts[row * columns + column];
        if (here > most) most = here;
    }
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            int64_t here = counts[row * columns + column];
            if (here == 0) continue;
            canvas_use(canvas, INK_DARK, 0.08 + 0.92 * sqrt((double)here / (double)most));
            cairo_rectangle(canvas->cairo, left + column * BIN_SIZE, top + row * BIN_SIZE, BIN_SIZE,
                            BIN_SIZE);
            cairo_fill(canvas->cairo);
        }
    }
    context_release(canvas->context, counts);
    return SUMI_OK;
}

sumi_status plot_points(struct canvas *canvas, const struct axis *x, const struct axis *y,
                        const float *points, int64_t count)
{
    if (count > DISCS_MAX) return plot_density(canvas, x, y, points, count);
    plot_discs(canvas, x, y, points, count);
    return SUMI_OK;
}
