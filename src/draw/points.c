/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_draw_points: points of the plane in two panels, as points and as a density, with the lines
   of a flow or the arrows of a field over the density. */
#include <math.h>

#include "draw/item.h"

static const double SIDE = 560, MARGIN = 12, GAP = 28, TICK_SIZE = 15, TICKS_ROOM = 44;
enum { CELL = 4, SPREAD = 7 }; /* pixels of a cell of the density, and the deviation of its blur */

struct figure {
    const sumi_array *points, *paths, *arrows; /* the last two may be NULL */
    item_form plain, covered;                  /* forms of the panels: the second includes the
                                                  paths */
};

static sumi_status check(sumi_context *context, const struct figure *figure)
{
    const sumi_array *points = figure->points, *paths = figure->paths, *arrows = figure->arrows;
    TRY(item_check_array(context, "points", points));
    if (paths) TRY(item_check_array(context, "paths", paths));
    if (arrows) TRY(item_check_array(context, "arrows", arrows));
    if (points->rank != 2 || points->shape[1] != 2) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "points to be drawn must be pairs, [n,2], not of rank %d",
                            points->rank);
    }
    if (paths && (paths->rank != 3 || paths->shape[2] != 2)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "paths of points must be [steps,n,2], not of rank %d", paths->rank);
    }
    if (arrows && (arrows->rank != 2 || arrows->shape[1] != 4)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "arrows must be rows of four numbers, x, y and a direction, [n,4]");
    }
    return SUMI_OK;
}

/* Computes the ranges: both panels show all points, the second also the paths and arrows. */
static void measure(struct figure *figure)
{
    const sumi_array *arrows = figure->arrows;
    item_form form = {.kind = SUMI_POINTS,
                      .height = 1,
                      .width = figure->points->shape[0],
                      .channels = 2,
                      .x = range_empty(),
                      .y = range_empty()};
    form.size = 2 * form.width;
    figure->plain = figure->covered = form;
    item_form_measure(&figure->plain, figure->points->data, 1);
    if (figure->paths) {
        const float *data = figure->paths->data;
        range_include(&figure->covered.x, data, sumi_array_count(figure->paths) / 2, 2);
        range_include(&figure->covered.y, data + 1, sumi_array_count(figure->paths) / 2, 2);
    }
    if (arrows) {
        range_include(&figure->covered.x, arrows->data, arrows->shape[0], 4);
        range_include(&figure->covered.y, arrows->data + 1, arrows->shape[0], 4);
    }
    item_form_measure(&figure->covered, figure->points->data, 1);
}

static void draw_ticks(struct canvas *canvas, const struct axis *x, const struct axis *y)
{
    double ticks[TICKS_MAX];
    char text[TICK_TEXT_SIZE];
    canvas_use(canvas, INK_SOFT, 1);
    int count = axis_ticks(x, 5, ticks);
    for (int i = 0; i < count; i++) {
        tick_text(ticks[i], text);
        canvas_text(canvas, axis_place(x, ticks[i]), y->start + TICK_SIZE, SIDE_CENTRE, TICK_SIZE,
                    text);
    }
    count = axis_ticks(y, 5, ticks);
    for (int i = 0; i < count; i++) {
        tick_text(ticks[i], text);
        canvas_text(canvas, x->start - 6, axis_place(y, ticks[i]), SIDE_LEFT, TICK_SIZE, text);
    }
    canvas_use(canvas, INK_GRID, 1);
    cairo_set_line_width(canvas->cairo, 1);
    cairo_rectangle(canvas->cairo, x->start - 0.5, y->end - 0.5, x->end - x->start + 1,
                    y->start - y->end + 1);
    cairo_stroke(canvas->cairo);
}

/* ---- Density ---- */

/* Blurs rows (stride 1) or columns of cells[side, side] with a Gaussian; `spare` is memory for one
   line. */
static void blur(double *cells, int side, bool rows, double *spare)
{
    const double deviation = (double)SPREAD / CELL;
    const int reach = (int)ceil(4 * deviation);
    for (int line = 0; line < side; line++) {
        double *first = rows ? cells + line * side : cells + line;
        int step = rows ? 1 : side;
        for (int i = 0; i < side; i++) {
            double sum = 0;
            for (int k = -reach; k <= reach; k++) {
                if (i + k < 0 || i + k >= side) continue;
                sum += exp(-0.5 * k * k / (deviation * deviation)) * first[(i + k) * step];
            }
            spare[i] = sum;
        }
        for (int i = 0; i < side; i++) first[i * step] = spare[i];
    }
}

/* Counts points in cells and draws each cell as a shade. */
static void draw_shades(struct canvas *canvas, const struct axis *x, const struct axis *y,
                        const sumi_array *points, double *cells, int side)
{
    double most = 0;
    for (int64_t i = 0; i < points->shape[0]; i++) {
        double px = (double)points->data[2 * i], py = (double)points->data[2 * i + 1];
        if (!isfinite(px) || !isfinite(py)) continue;
        int column = (int)((axis_place(x, px) - x->start) / CELL);
        int row = (int)((axis_place(y, py) - y->end) / CELL);
        if (column < side && row < side) cells[row * side + column]++;
    }
    blur(cells, side, true, cells + side * side);
    blur(cells, side, false, cells + side * side);
    for (int i = 0; i < side * side; i++) most = fmax(most, cells[i]);
    for (int i = 0; i < side * side && most > 0; i++) {
        double shade = pow(cells[i] / most, 0.6);
        if (shade < 0.02) continue;
        canvas_use(canvas, INK_INDIGO, 0.9 * shade);
        cairo_rectangle(canvas->cairo, x->start + i % side * CELL, y->end + i / side * CELL, CELL,
                        CELL);
        cairo_fill(canvas->cairo);
    }
}

static sumi_status draw_density(struct canvas *canvas, const struct axis *x, const struct axis *y,
                                const sumi_array *points)
{
    enum { CELLS = 140 }; /* SIDE / CELL */
    double *cells = context_allocate_zeroed(canvas->context, CELLS * (CELLS + 1), sizeof *cells);
    if (!cells) return SUMI_ERROR_MEMORY;
    draw_shades(canvas, x, y, points, cells, CELLS);
    context_release(canvas->context, cells);
    return SUMI_OK;
}

/* ---- Lines and arrows ---- */

/* Draws one path up to its first value that is not finite, and a dot at its end. */
static void draw_path(struct canvas *canvas, const struct axis *x, const struct axis *y,
                      const float *places, int64_t steps, int64_t stride)
{
    double across = 0, up = 0;
    bool any = false;
    for (int64_t step = 0; step < steps; step++, places += stride) {
        if (!isfinite(places[0]) || !isfinite(places[1])) break;
        across = axis_place(x, places[0]);
        up = axis_place(y, places[1]);
        cairo_line_to(canvas->cairo, across, up); /* the first call moves there */
        any = true;
    }
    canvas_use(canvas, INK_SEAL, 0.7);
    cairo_set_line_width(canvas->cairo, 1.2);
    cairo_stroke(canvas->cairo);
    if (!any) return;
    canvas_use(canvas, INK_DARK, 0.9);
    cairo_arc(canvas->cairo, across, up, 2.4, 0, 2 * acos(-1));
    cairo_fill(canvas->cairo);
}

static void draw_paths(struct canvas *canvas, const struct axis *x, const struct axis *y,
                       const sumi_array *paths)
{
    int64_t steps = paths->shape[0], count = paths->shape[1];
    for (int64_t i = 0; i < count; i++) {
        draw_path(canvas, x, y, paths->data + 2 * i, steps, 2 * count);
    }
}

/* Draws an arrow from (x0, y0) along (dx, dy), in pixels. */
static void draw_arrow(struct canvas *canvas, double x0, double y0, double dx, double dy)
{
    double length = hypot(dx, dy), head = fmin(5, 0.45 * length);
    if (!(length > 0.5)) return;
    double ux = dx / length, uy = dy / length;
    cairo_move_to(canvas->cairo, x0, y0);
    cairo_line_to(canvas->cairo, x0 + dx, y0 + dy);
    for (int side = -1; side <= 1; side += 2) {
        cairo_move_to(canvas->cairo, x0 + dx, y0 + dy);
        cairo_line_to(canvas->cairo, x0 + dx - head * (ux + side * 0.5 * uy),
                      y0 + dy - head * (uy - side * 0.5 * ux));
    }
    cairo_stroke(canvas->cairo);
}

/* Draws an arrow of size s with the length s / (s + mean) times the spacing of a square grid, so
   that even long arrows do not overlap. */
static void draw_arrows(struct canvas *canvas, const struct axis *x, const struct axis *y,
                        const sumi_array *arrows)
{
    int64_t count = arrows->shape[0];
    double mean = 0, spacing = 0.9 * (x->end - x->start) / sqrt((double)count);
    for (int64_t i = 0; i < count; i++) {
        double size = hypot(arrows->data[4 * i + 2], arrows->data[4 * i + 3]);
        if (isfinite(size)) mean += size / (double)count;
    }
    canvas_use(canvas, INK_SEAL, 0.85);
    cairo_set_line_width(canvas->cairo, 1.2);
    for (int64_t i = 0; i < count && mean > 0; i++) {
        const float *arrow = arrows->data + 4 * i;
        double size = hypot(arrow[2], arrow[3]);
        if (!isfinite(size) || !isfinite(arrow[0]) || !isfinite(arrow[1])) continue;
        double scale = spacing / (size + mean);
        draw_arrow(canvas, axis_place(x, arrow[0]), axis_place(y, arrow[1]), scale * arrow[2],
                   -scale * arrow[3]);
    }
}

static sumi_status draw_panels(struct canvas *canvas, const struct figure *figure)
{
    struct axis x, y;
    rectangle left = {MARGIN + TICKS_ROOM, MARGIN, SIDE, SIDE};
    rectangle right = {left.x + SIDE + GAP + TICKS_ROOM, MARGIN, SIDE, SIDE};
    item_axes(&figure->plain, left, &x, &y);
    TRY(plot_points(canvas, &x, &y, figure->points->data, figure->points->shape[0]));
    draw_ticks(canvas, &x, &y);
    item_axes(&figure->covered, right, &x, &y);
    TRY(draw_density(canvas, &x, &y, figure->points));
    if (figure->paths) draw_paths(canvas, &x, &y, figure->paths);
    if (figure->arrows) draw_arrows(canvas, &x, &y, figure->arrows);
    draw_ticks(canvas, &x, &y);
    return SUMI_OK;
}

sumi_status sumi_draw_points(sumi_context *context, const sumi_array *points,
                             const sumi_array *paths, const sumi_array *arrows, const char *path)
{
    struct canvas canvas = {0};
    struct figure figure = {.points = points, .paths = paths, .arrows = arrows};
    TRY(canvas_check_path(context, path));
    TRY(check(context, &figure));
    measure(&figure);
    double width = 2 * (MARGIN + TICKS_ROOM + SIDE) + GAP;
    sumi_status status = canvas_open(context, width, 2 * MARGIN + SIDE + TICKS_ROOM / 2, &canvas);
    if (status == SUMI_OK) status = draw_panels(&canvas, &figure);
    if (status == SUMI_OK) status = canvas_write(&canvas, path);
    canvas_close(&canvas);
    return status;
}
