/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a drawn PNG back with cairo, for the tests of pictures. */
#ifndef TESTS_DRAW_DRAWING_H
#define TESTS_DRAW_DRAWING_H

#include <cairo.h>
#include <dirent.h>
#include <unistd.h>

#include "check.h"

typedef struct picture {
    cairo_surface_t *surface;
    const unsigned char *pixels;
    int width, height, stride;
} picture;

static inline picture picture_read(const char *path)
{
    picture read = {.surface = cairo_image_surface_create_from_png(path)};
    assert_int_equal(cairo_surface_status(read.surface), CAIRO_STATUS_SUCCESS);
    read.pixels = cairo_image_surface_get_data(read.surface);
    read.width = cairo_image_surface_get_width(read.surface);
    read.height = cairo_image_surface_get_height(read.surface);
    read.stride = cairo_image_surface_get_stride(read.surface);
    return read;
}

static inline void picture_free(picture *read)
{
    cairo_surface_destroy(read->surface);
}

/* The colour at (x, y) as 0xrrggbb. */
static inline uint32_t picture_colour(const picture *read, int x, int y)
{
    assert_in_range(x, 0, read->width - 1);
    assert_in_range(y, 0, read->height - 1);
    uint32_t colour;
    memcpy(&colour, read->pixels + (ptrdiff_t)y * read->stride + 4 * (ptrdiff_t)x, 4);
    return colour & 0xffffff;
}

/* How many pixels of columns x0..x1-1 and rows y0..y1-1 are darker than a mid grey. */
static inline int picture_ink(const picture *read, int x0, int y0, int x1, int y1)
{
    int dark = 0;
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) dark += (picture_colour(read, x, y) >> 8 & 0xff) < 0x80;
    }
    return dark;
}

struct scene {
    sumi_context *context;
    char folder[64], path[128];
};

/* A context and a fresh folder with the name of a picture in it. */
static inline struct scene scene_open(void)
{
    struct scene made = {0};
    CHECK_OK(NULL, sumi_context_create(NULL, &made.context));
    snprintf(made.folder, sizeof made.folder, "/tmp/sumi-draw-XXXXXX");
    assert_non_null(mkdtemp(made.folder));
    snprintf(made.path, sizeof made.path, "%s/picture.png", made.folder);
    return made;
}

/* Number of files in the scene's folder. */
static inline int scene_files(const struct scene *made)
{
    DIR *folder = opendir(made->folder);
    assert_non_null(folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static inline void scene_close(struct scene *made)
{
    unlink(made->path);
    assert_int_equal(rmdir(made->folder), 0);
    sumi_context_free(made->context);
}

#define CHECK_REFUSED(scene, expression, status, text)                                             \
    do {                                                                                           \
        assert_int_equal((expression), (status));                                                  \
        const char *check_message = sumi_context_message((scene)->context);                        \
        if (!strstr(check_message, (text))) fail_msg("message is: %s", check_message);             \
    } while (0)

#endif
