/* SPDX-License-Identifier: Apache-2.0 */
/* Images, signals and points in a rectangle; see item.h. */
#include "draw/item.h"

#include <math.h>
#include <string.h>

#include "base/item_kind.h"

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

enum sumi_item_kind item_kind_of_rank(int rank)
{
    const struct item_type *type = item_type_of_rank(rank);
    return type ? type->kind : SUMI_PICTURE;
}

/* The channels that a kind is drawn with. */
static sumi_status check_channels(sumi_context *context, const char *what, const item_form *form)
{
    int64_t channels = form->channels;
    if (form->kind == SUMI_PICTURE && channels != 1 && channels != 3) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: images are drawn with 1 or 3 channels, not %lld (channels "
                            "come last)",
                            what, (long long)channels);
    }
    if (form->kind == SUMI_POINTS && channels != 2) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: points are drawn in the plane, with 2 coordinates, not %lld", what,
                            (long long)channels);
    }
    if (form->kind == SUMI_SIGNAL && channels > 64) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: a signal is drawn with up to 64 channels, not %lld (channels "
                            "come last)",
                            what, (long long)channels);
    }
    return SUMI_OK;
}

sumi_status item_form_read(sumi_context *context, const char *what, enum sumi_item_kind kind,
                           const int64_t *shape, item_form *form)
{
    bool picture = kind == SUMI_PICTURE;
    *form = (item_form){.kind = kind,
                        .height = picture ? shape[0] : 1,
                        .width = picture ? shape[1] : shape[0],
                        .channels = picture ? shape[2] : shape[1]};
    form->x = form->y = range_empty();
    form->size = form->height * form->width * form->channels;
    return check_channels(context, what, form);
}

void item_rows_as_picture(const sumi_array *array, int sets, sumi_array *picture)
{
    *picture = *array;
    if (array->rank != sets + 2 || array->shape[sets + 1] <= 3) return;
    picture->rank = sets + 4;
    picture->shape[sets] = 1;
    picture->shape[sets + 1] = array->shape[sets];
    picture->shape[sets + 2] = array->shape[sets + 1];
    picture->shape[sets + 3] = 1;
}

void item_form_measure(item_form *form, const float *data, int64_t items)
{
    int64_t count = items * form->width;
    if (form->kind == SUMI_SIGNAL) {
        range_include(&form->y, data, items * form->size, 1);
        range_settle(&form->y, 0, 0.06);
        form->x = (struct range){0, (double)form->width - 1};
        range_settle(&form->x, 0, 0);
    } else if (form->kind == SUMI_POINTS) {
        range_include(&form->x, data, count, 2);
        range_include(&form->y, data + 1, count, 2);
        range_settle(&form->x, 0, 0.05);
        range_settle(&form->y, 0, 0.05);
        /* One unit is as long across as it is up. */
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

/* Pixels are set directly: cairo's own scaling would blur them or need another surface each. */
static void draw_image(struct canvas *canvas, const item_form *form, const float *data,
                       rectangle where)
{
    cairo_surface_flush(canvas->surface);
    int64_t stride = cairo_image_surface_get_stride(canvas->surface);
    int64_t factor = (int64_t)where.width / form->width;
    for (int64_t y = 0; y < form->height * factor; y++) {
        unsigned char *row = canvas->pixels + ((int64_t)where.y + y) * stride;
        uint32_t *pixels = (uint32_t *)(void *)row + (int64_t)where.x;
        const float *source = data + y / factor * form->width * form->channels;
        for (int64_t x = 0; x < form->width; x++) {
            uint32_t colour = colour_of(source + x * form->channels, form->channels);
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
        canvas_use(canvas, INK_HAIR, 1);
        canvas_line(canvas, where.x, zero, where.x + where.width, zero, 1);
    }
    for (int64_t c = form->channels - 1; c >= 0; c--) {
        canvas_use(canvas, (enum canvas_ink)(c % CURVE_INKS), 1);
        plot_curve(canvas, &x, &y, data + c, form->width, form->channels, 0, 2);
    }
}

static void draw_frame(struct canvas *canvas, rectangle where)
{
    canvas_use(canvas, INK_HAIR, 1);
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
    struct axis x, y;
    item_axes(form, where, &x, &y);
    return plot_points(canvas, &x, &y, data, form->width);
}
