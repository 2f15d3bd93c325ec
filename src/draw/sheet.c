/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and columns of items; see sheet.h. All lengths are in pixels of the PNG. */
#include "draw/sheet.h"

#include <math.h>
#include <stdio.h>

static const double SHEET_WIDTH = 1200;  /* total width of the cells of a row, where possible */
static const double SHEET_HEIGHT = 4800; /* above it, images are not magnified */
static const double TEXT_SIZE = 20, TEXT_LEAST = 10, TICK_SIZE = 15, MARGIN = 12;

struct layout {
    double left, top; /* of the first cell */
    double cell_width, cell_height, gap_x, gap_y;
    double right, bottom; /* space after the last cell */
    double ticks_width;   /* of the labels left of each row; 0 without */
};

static bool is_plot(const struct sheet *sheet)
{
    return sheet->form.kind != SUMI_PICTURE;
}

static double largest_title(struct canvas *canvas, const char *const *titles, int64_t count)
{
    double widest = 0;
    for (int64_t i = 0; titles && i < count; i++) {
        if (titles[i]) widest = fmax(widest, canvas_text_width(canvas, TEXT_SIZE, titles[i]));
    }
    return widest;
}

static double largest_tick(struct canvas *canvas, const struct axis *axis, int wanted)
{
    double ticks[TICKS_MAX], widest = 0;
    int count = axis_ticks(axis, wanted, ticks);
    for (int i = 0; i < count; i++) {
        char text[TICK_TEXT_SIZE];
        tick_text(ticks[i], text);
        widest = fmax(widest, canvas_text_width(canvas, TICK_SIZE, text));
    }
    return widest;
}

static int ticks_for(double length, double each)
{
    return (int)fmin(fmax(2, length / each), 8);
}

/* Chooses the size of cells first: a whole multiple of an image's pixels, or a fixed aspect ratio
   for plots. */
static void choose_cells(const struct sheet *sheet, struct layout *layout)
{
    double share = SHEET_WIDTH / (double)sheet->columns;
    double width = (double)sheet->form.width, height = (double)sheet->form.height;
    if (sheet->form.kind == SUMI_PICTURE) {
        /* The least magnification at which titles are legible. */
        double least = sheet->column_titles ? ceil(64 / width) : 1;
        double tallest = floor(SHEET_HEIGHT / ((double)sheet->rows * height));
        double factor = fmax(fmax(1, fmin(fmin(floor(share / width), tallest), 8)), least);
        layout->cell_width = factor * width;
        layout->cell_height = factor * height;
        /* channels side by side are one pixel apart, items further */
        layout->gap_x = layout->gap_y = sheet->form.across ? 4 + 3 * factor : 4;
    } else {
        bool points = sheet->form.kind == SUMI_POINTS;
        layout->cell_width = floor(fmin(fmax(share, 150), points ? 760 : 1000));
        layout->cell_height =
            points ? layout->cell_width : floor(layout->cell_width * (share > 500 ? 0.45 : 0.6));
        layout->gap_x = layout->gap_y = 16;
    }
}

static void choose_layout(struct canvas *ruler, const struct sheet *sheet, struct layout *layout)
{
    *layout = (struct layout){.left = MARGIN, .top = MARGIN, .right = MARGIN, .bottom = MARGIN};
    choose_cells(sheet, layout);
    if (sheet->column_titles) layout->top += 1.5 * TEXT_SIZE;
    double titles = largest_title(ruler, sheet->row_titles, sheet->rows);
    if (titles > 0) layout->left += ceil(titles) + MARGIN;
    if (is_plot(sheet)) {
        struct axis x, y;
        item_axes(&sheet->form, (rectangle){0, 0, layout->cell_width, layout->cell_height}, &x, &y);
        layout->ticks_width = largest_tick(ruler, &y, ticks_for(layout->cell_height, 60)) + 8;
        layout->left += ceil(layout->ticks_width);
        layout->bottom += 1.5 * TICK_SIZE;
    }
}

static rectangle cell_place(const struct layout *layout, int64_t row, int64_t column)
{
    return (rectangle){layout->left + (double)column * (layout->cell_width + layout->gap_x),
                       layout->top + (double)row * (layout->cell_height + layout->gap_y),
                       layout->cell_width, layout->cell_height};
}

static void draw_ticks_left(struct canvas *canvas, const item_form *form, rectangle where)
{
    struct axis x, y;
    double ticks[TICKS_MAX];
    item_axes(form, where, &x, &y);
    int count = axis_ticks(&y, ticks_for(where.height, 60), ticks);
    for (int i = 0; i < count; i++) {
        char text[TICK_TEXT_SIZE];
        tick_text(ticks[i], text);
        canvas_text(canvas, where.x - 7, axis_place(&y, ticks[i]), SIDE_LEFT, TICK_SIZE, text);
    }
}

static void draw_ticks_below(struct canvas *canvas, const item_form *form, rectangle where)
{
    struct axis x, y;
    double ticks[TICKS_MAX];
    item_axes(form, where, &x, &y);
    int count = axis_ticks(&x, ticks_for(where.width, 60), ticks);
    for (int i = 0; i < count; i++) {
        char text[TICK_TEXT_SIZE];
        tick_text(ticks[i], text);
        /* Keeps labels below their cell, so that those of neighbours do not overlap. */
        double half = canvas_text_width(canvas, TICK_SIZE, text) / 2, end = where.x + where.width;
        double place = fmin(fmax(axis_place(&x, ticks[i]), where.x + half - 4), end - half + 4);
        canvas_text(canvas, place, where.y + where.height + TICK_SIZE, SIDE_CENTRE, TICK_SIZE,
                    text);
    }
}

static void draw_titles(struct canvas *canvas, const struct sheet *sheet,
                        const struct layout *layout)
{
    canvas_use(canvas, INK_DARK, 1);
    for (int64_t c = 0; sheet->column_titles && c < sheet->columns; c++) {
        const char *title = sheet->column_titles[c];
        if (!title) continue;
        rectangle cell = cell_place(layout, 0, c);
        double size = canvas_fit_text(canvas, TEXT_SIZE, TEXT_LEAST, cell.width, title);
        canvas_text(canvas, cell.x + cell.width / 2, MARGIN + 0.6 * TEXT_SIZE, SIDE_CENTRE, size,
                    title);
    }
    double right = layout->left - layout->ticks_width - MARGIN;
    for (int64_t r = 0; sheet->row_titles && r < sheet->rows; r++) {
        if (!sheet->row_titles[r]) continue;
        rectangle cell = cell_place(layout, r, 0);
        canvas_text(canvas, right, cell.y + cell.height / 2, SIDE_LEFT, TEXT_SIZE,
                    sheet->row_titles[r]);
    }
}

static sumi_status draw_sheet(struct canvas *canvas, const struct sheet *sheet,
                              const struct layout *layout)
{
    for (int64_t i = 0; i < sheet->count; i++) {
        int64_t row = i / sheet->columns, column = i % sheet->columns;
        rectangle cell = cell_place(layout, row, column);
        int64_t item = row * sheet->row_step + column * sheet->column_step;
        TRY(item_draw(canvas, &sheet->form, sheet->data + item * sheet->form.size, cell));
        if (!is_plot(sheet)) continue;
        canvas_use(canvas, INK_SOFT, 1);
        if (column == 0) draw_ticks_left(canvas, &sheet->form, cell);
        if (i + sheet->columns >= sheet->count) draw_ticks_below(canvas, &sheet->form, cell);
    }
    draw_titles(canvas, sheet, layout);
    return SUMI_OK;
}

sumi_status sheet_encode(sumi_context *context, struct sheet *sheet, void **bytes, size_t *size)
{
    item_form_measure(&sheet->form, sheet->data, sheet->count);
    struct canvas canvas;
    struct layout layout;
    sumi_status status = canvas_open(context, 1, 1, &canvas); /* for measuring texts */
    if (status == SUMI_OK) choose_layout(&canvas, sheet, &layout);
    canvas_close(&canvas);
    TRY(status);

    rectangle last = cell_place(&layout, sheet->rows - 1, sheet->columns - 1);
    status = canvas_open(context, last.x + last.width + layout.right,
                         last.y + last.height + layout.bottom, &canvas);
    canvas.exact = sheet->form.kind == SUMI_PICTURE;
    if (status == SUMI_OK) status = draw_sheet(&canvas, sheet, &layout);
    if (status == SUMI_OK) status = canvas_encode(&canvas, bytes, size);
    canvas_close(&canvas);
    return status;
}

sumi_status sheet_write(sumi_context *context, struct sheet *sheet, const char *path)
{
    void *bytes = NULL;
    size_t size = 0;
    TRY(canvas_check_path(context, path));
    TRY(sheet_encode(context, sheet, &bytes, &size));
    return canvas_write_bytes(context, path, bytes, size);
}
