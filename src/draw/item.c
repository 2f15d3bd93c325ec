/* SPDX-License-Identifier: Apache-2.0 */
/* Images, signals, points and numbers in a rectangle; see item.h. */
#include "draw/item.h"

#include <math.h>
#include <string.h>

sumi_status item_check_array(sumi_context *context, const char *what, const sumi_array *array)
{
    if (!array || !array->data || array->rank < 1 || array->rank > SUMI_MAX_RANK) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "there are no %s to draw", what);
    }
    int64_t count = (int64_t)sizeof(float);
    for (int i = 0; i < array->rank; i++) {
        if (array->shape[i] < 1 || __builtin_mul_overflow(count, array->shape[i], &count)) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "%s cannot be drawn: length %d of their shape is %lld", what, i,
                                (long long)array->shape[i]);
        }
    }
    return SUMI_OK;
}

static void read_image(int rank, const int64_t *shape, item_form *form)
{
    enum { SIDE_BY_SIDE = 8 };
    form->kind = SUMI_PICTURE;
    form->height = 1;
    for (int i = 0; i + 2 < rank; i++) form->height *= shape[i];
    form->width = shape[rank - 2];
    form->channel_height = form->height;
    form->channel_width = form->width;
    int64_t channels = form->channels = shape[rank - 1];
    if (channels == 1 || channels == 3) return;
    form->across = channels <= SIDE_BY_SIDE ? channels : (int64_t)ceil(sqrt((double)channels));
    int64_t down = (channels - 1) / form->across + 1;
    form->width = form->across * (form->channel_width + 1) - 1;
    form->height = down * (form->channel_height + 1) - 1;
}

void item_form_read(int rank, const int64_t *shape, bool sets, item_form *form)
{
    enum { MOST_CURVES = 64 };
    *form = (item_form){.height = 1, .width = shape[0], .channels = rank > 1 ? shape[rank - 1] : 1};
    form->x = form->y = range_empty();
    form->size = 1;
    for (int i = 0; i < rank; i++) form->size *= shape[i];
    if (sets) {
        form->kind = SUMI_POINTS;
    } else if (rank > 2) {
        read_image(rank, shape, form);
    } else if (form->channels > MOST_CURVES) {
        read_image(3, (int64_t[]){shape[0], shape[1], 1}, form);
    } else {
        form->kind = SUMI_SIGNAL;
    }
}

/* ---- Numbers ---- */

static bool are_numbers(const item_form *form)
{
    return form->kind == SUMI_POINTS && form->channels == 1;
}

enum { LEAST_BARS = 5, MOST_BARS = 50 };

/* Returns the number of bars of a histogram; `shares` receives the fraction of the numbers in each.
   Numbers that are not finite are left out. */
static int count_shares(const item_form *form, const float *data, double shares[MOST_BARS])
{
    int bars = (int)fmin(fmax(sqrt((double)form->width), LEAST_BARS), MOST_BARS);
    double width = form->x.high - form->x.low;
    for (int i = 0; i < bars; i++) shares[i] = 0;
    for (int64_t i = 0; i < form->width; i++) {
        double place = ((double)data[i] - form->x.low) / width * bars;
        if (!isfinite(data[i])) continue;
        int bar = (int)fmin(fmax(place, 0), bars - 1);
        shares[bar] += 1 / (double)form->width;
    }
    return bars;
}

static void measure_numbers(item_form *form, const float *data, int64_t items)
{
    double shares[MOST_BARS];
    range_include(&form->x, data, items * form->width, 1);
    range_settle(&form->x, 0, 0);
    form->y = (struct range){0, 0};
    for (int64_t item = 0; item < items; item++) {
        int bars = count_shares(form, data + item * form->size, shares);
        for (int i = 0; i < bars; i++) form->y.high = fmax(form->y.high, 1.06 * shares[i]);
    }
    if (form->y.high == 0) form->y.high = 1;
}

static void draw_numbers(struct canvas *canvas, const item_form *form, const float *data,
                         rectangle where)
{
    double shares[MOST_BARS];
    struct axis x, y;
    int bars = count_shares(form, data, shares);
    item_axes(form, where, &x, &y);
    canvas_use(canvas, INK_INDIGO, 0.85);
    for (int i = 0; i < bars; i++) {
        double left = where.x + where.width * i / bars, top = axis_place(&y, shares[i]);
        cairo_rectangle(canvas->cairo, left, top, where.width / bars - 1,
                        where.y + where.height - top);
    }
    cairo_fill(canvas->cairo);
}

/* ---- Ranges ---- */

void item_form_measure(item_form *form, const float *data, int64_t items)
{
    int64_t count = items * form->width;
    if (form->kind == SUMI_SIGNAL) {
        range_include(&form->y, data, items * form->size, 1);
        range_settle(&form->y, 0, 0.06);
        form->x = (struct range){0, (double)form->width - 1};
        range_settle(&form->x, 0, 0);
    } else if (are_numbers(form)) {
        measure_numbers(form, data, items);
    } else if (form->kind == SUMI_POINTS) {
        range_include(&form->x, data, count, 2);
        range_include(&form->y, data + 1, count, 2);
        range_settle(&form->x, 0, 0.05);
        range_settle(&form->y, 0, 0.05);
        /* Both axes have the same scale. */
        double half = 0.5 * fmax(form->x.high - form->x.low, form->y.high - form->y.low);
        double x = 0.5 * (form->x.low + form->x.high), y = 0.5 * (form->y.low + form->y.high);
        form->x = (struct range){x - half, x + half};
        form->y = (struct range){y - half, y + half};
    }
}

static uint32_t byte_of(float value)
{
    if (value <= -1) return 0;
    if (value >= 1) return 255;
    return (uint32_t)lrintf((value + 1) * 127.5f);
}

/* One pixel as 0x00rrggbb, the layout of CAIRO_FORMAT_RGB24. */
static uint32_t colour_of(const float *pixel, int64_t channels)
{
    const uint32_t seal = 0xc23d2b;
    for (int64_t c = 0; c < channels; c++) {
        if (isnan(pixel[c])) return seal;
    }
    if (channels == 1) return byte_of(pixel[0]) * 0x010101;
    return byte_of(pixel[0]) << 16 | byte_of(pixel[1]) << 8 | byte_of(pixel[2]);
}

/* The colour at column x and row y of a drawn image; false between two channels. */
static bool pixel_of(const item_form *form, const float *data, int64_t x, int64_t y,
                     uint32_t *colour)
{
    int64_t channel = 0;
    if (form->across) {
        int64_t wide = form->channel_width + 1, high = form->channel_height + 1;
        channel = y / high * form->across + x / wide;
        x %= wide;
        y %= high;
        if (x == wide - 1 || y == high - 1 || channel >= form->channels) return false;
    }
    const float *pixel = data + (y * form->channel_width + x) * form->channels + channel;
    *colour = colour_of(pixel, form->across ? 1 : form->channels);
    return true;
}

/* Sets pixels directly: cairo's scaling would blur them or need a surface for each image. */
static void draw_image(struct canvas *canvas, const item_form *form, const float *data,
                       rectangle where)
{
    cairo_surface_flush(canvas->surface);
    int64_t stride = cairo_image_surface_get_stride(canvas->surface);
    int64_t factor = (int64_t)where.width / form->width;
    for (int64_t y = 0; y < form->height * factor; y++) {
        unsigned char *row = canvas->pixels + ((int64_t)where.y + y) * stride;
        uint32_t *pixels = (uint32_t *)(void *)row + (int64_t)where.x;
        for (int64_t x = 0; x < form->width; x++) {
            uint32_t colour;
            if (!pixel_of(form, data, x, y / factor, &colour)) continue;
            for (int64_t i = 0; i < factor; i++) pixels[x * factor + i] = colour;
        }
    }
    cairo_surface_mark_dirty(canvas->surface);
}

void item_axes(const item_form *form, rectangle where, struct axis *x, struct axis *y)
{
    *x = (struct axis){form->x, false, where.x, where.x + where.width};
    *y = (struct axis){form->y, false, where.y + where.height, where.y};
}

static void draw_signal(struct canvas *canvas, const item_form *form, const float *data,
                        rectangle where)
{
    struct axis x, y;
    item_axes(form, where, &x, &y);
    if (form->y.low < 0 && form->y.high > 0) {
        double zero = floor(axis_place(&y, 0)) + 0.5;
        canvas_use(canvas, INK_GRID, 1);
        canvas_line(canvas, where.x, zero, where.x + where.width, zero, 1);
    }
    for (int64_t c = form->channels - 1; c >= 0; c--) {
        canvas_use(canvas, (enum canvas_ink)(c % CURVE_INKS), 1);
        plot_curve(canvas, &x, &y, data + c, form->width, form->channels, 0, 2);
    }
}

static void draw_frame(struct canvas *canvas, rectangle where)
{
    canvas_use(canvas, INK_GRID, 1);
    cairo_set_line_width(canvas->cairo, 1);
    cairo_rectangle(canvas->cairo, where.x - 0.5, where.y - 0.5, where.width + 1, where.height + 1);
    cairo_stroke(canvas->cairo);
}

sumi_status item_draw(struct canvas *canvas, const item_form *form, const float *data,
                      rectangle where)
{
    if (form->kind == SUMI_PICTURE) {
        draw_image(canvas, form, data, where);
        return SUMI_OK;
    }
    draw_frame(canvas, where);
    if (form->kind == SUMI_SIGNAL) {
        draw_signal(canvas, form, data, where);
        return SUMI_OK;
    }
    if (are_numbers(form)) {
        draw_numbers(canvas, form, data, where);
        return SUMI_OK;
    }
    struct axis x, y;
    item_axes(form, where, &x, &y);
    return plot_points(canvas, &x, &y, data, form->width);
}
