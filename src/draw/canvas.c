/* SPDX-License-Identifier: Apache-2.0 */
/* Paper, inks, text and the PNG; see canvas.h. */
#include "draw/canvas.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "draw/palette.h"
#include "files/png.h"

static const double INKS[][3] = {
    [INK_DARK] = {0.09, 0.11, 0.17},   [INK_SEAL] = {0.76, 0.24, 0.17},
    [INK_INDIGO] = {0.18, 0.33, 0.58}, [INK_MOSS] = {0.30, 0.47, 0.30},
    [INK_OCHRE] = {0.75, 0.55, 0.20},  [INK_SOFT] = {0.38, 0.41, 0.48},
    [INK_GRID] = {0.84, 0.86, 0.89},
};

static sumi_status report_cairo(sumi_context *context, cairo_status_t status)
{
    if (status == CAIRO_STATUS_SUCCESS) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_BACKEND, "cairo could not draw the picture: %s",
                        cairo_status_to_string(status));
}

sumi_status canvas_open(sumi_context *context, double width, double height, struct canvas *canvas)
{
    memset(canvas, 0, sizeof *canvas);
    canvas->context = context;
    if (!(width <= CANVAS_MAX_SIDE && height <= CANVAS_MAX_SIDE
          && width * height <= CANVAS_MAX_PIXELS)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the picture would be %.0f x %.0f pixels, but at most %d on a side and "
                            "%d in all are allowed: draw fewer or smaller items",
                            width, height, CANVAS_MAX_SIDE, CANVAS_MAX_PIXELS);
    }
    int columns = (int)ceil(width), rows = (int)ceil(height);
    int stride = cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, columns);
    canvas->pixels = context_allocate(context, (size_t)rows, (size_t)stride);
    if (!canvas->pixels) return SUMI_ERROR_MEMORY;
    memset(canvas->pixels, 0xff, (size_t)rows * (size_t)stride);
    canvas->surface = cairo_image_surface_create_for_data(canvas->pixels, CAIRO_FORMAT_RGB24,
                                                          columns, rows, stride);
    canvas->cairo = cairo_create(canvas->surface);

    /* Grey antialiasing only: a picture must not depend on the user's screen. */
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(canvas->cairo, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(canvas->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    return report_cairo(context, cairo_status(canvas->cairo));
}

void canvas_close(struct canvas *canvas)
{
    if (canvas->cairo) cairo_destroy(canvas->cairo);
    if (canvas->surface) cairo_surface_destroy(canvas->surface);
    if (canvas->context) context_release(canvas->context, canvas->pixels);
    memset(canvas, 0, sizeof *canvas);
}

/* Copies the rows of a sheet without padding, as 0x..RRGGBB; cairo stores pixels as native 32-bit
   words. */
static void gather(const struct canvas *canvas, int width, int height, uint32_t *pixels)
{
    size_t stride = (size_t)cairo_image_surface_get_stride(canvas->surface);
    for (int row = 0; row < height; row++) {
        memcpy(pixels + (size_t)row * (size_t)width, canvas->pixels + (size_t)row * stride,
               (size_t)width * sizeof *pixels);
    }
}

static void spread(const uint32_t *pixels, size_t count, uint8_t *colours)
{
    for (size_t i = 0; i < count; i++) {
        colours[3 * i] = (uint8_t)(pixels[i] >> 16);
        colours[3 * i + 1] = (uint8_t)(pixels[i] >> 8);
        colours[3 * i + 2] = (uint8_t)pixels[i];
    }
}

sumi_status canvas_encode(struct canvas *canvas, void **bytes, size_t *size)
{
    sumi_context *context = canvas->context;
    TRY(report_cairo(context, cairo_status(canvas->cairo)));
    cairo_surface_flush(canvas->surface);
    image picture = {.width = cairo_image_surface_get_width(canvas->surface),
                     .height = cairo_image_surface_get_height(canvas->surface),
                     .channels = 3};
    size_t count = (size_t)picture.width * (size_t)picture.height;
    struct palette palette;
    uint32_t *pixels = context_allocate(context, count, sizeof *pixels);
    picture.pixels = pixels ? context_allocate(context, count, 3) : NULL;
    sumi_status status = picture.pixels ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) {
        gather(canvas, picture.width, picture.height, pixels);
        bool few = palette_index(pixels, count, canvas->exact, &palette, picture.pixels);
        if (few) picture.channels = 1;
        else spread(pixels, count, picture.pixels);
        status = png_encode(context, &picture, few ? palette.colours[0] : NULL,
                            few ? palette.count : 0, bytes, size);
    }
    context_release(context, picture.pixels);
    context_release(context, pixels);
    return status;
}

sumi_status canvas_write(struct canvas *canvas, const char *path)
{
    void *bytes = NULL;
    size_t size = 0;
    TRY(canvas_encode(canvas, &bytes, &size));
    return canvas_write_bytes(canvas->context, path, bytes, size);
}

sumi_status canvas_write_bytes(sumi_context *context, const char *path, void *bytes, size_t size)
{
    sumi_status status = file_write(context, path, bytes, size);
    context_release(context, bytes);
    return status;
}

sumi_status canvas_check_path(sumi_context *context, const char *path)
{
    if (!path || !path[0]) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "a picture needs a file name");
    }
    if (!path_has_ending(path, ".png")) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: pictures are written as PNG; choose a name that ends in .png",
                            path);
    }
    return SUMI_OK;
}

void canvas_use(struct canvas *canvas, enum canvas_ink ink, double alpha)
{
    cairo_set_source_rgba(canvas->cairo, INKS[ink][0], INKS[ink][1], INKS[ink][2], alpha);
}

void canvas_line(struct canvas *canvas, double x0, double y0, double x1, double y1,
                 double thickness)
{
    cairo_set_line_width(canvas->cairo, thickness);
    cairo_move_to(canvas->cairo, x0, y0);
    cairo_line_to(canvas->cairo, x1, y1);
    cairo_stroke(canvas->cairo);
}

double canvas_text_width(struct canvas *canvas, double size, const char *text)
{
    cairo_text_extents_t extents;
    cairo_set_font_size(canvas->cairo, size);
    cairo_text_extents(canvas->cairo, text, &extents);
    return extents.x_advance;
}

void canvas_text(struct canvas *canvas, double x, double y, enum canvas_side side, double size,
                 const char *text)
{
    double width = canvas_text_width(canvas, size, text);
    double left = side == SIDE_LEFT ? x - width : side == SIDE_CENTRE ? x - width / 2 : x;
    /* Half the height of a digit below y, so that texts of one line share a base line. */
    cairo_move_to(canvas->cairo, left, y + 0.36 * size);
    cairo_show_text(canvas->cairo, text);
    cairo_new_path(canvas->cairo);
}

double canvas_fit_text(struct canvas *canvas, double size, double least, double limit,
                       const char *text)
{
    double width = canvas_text_width(canvas, size, text);
    if (width <= limit || width <= 0) return size;
    return fmax(least, size * limit / width);
}
