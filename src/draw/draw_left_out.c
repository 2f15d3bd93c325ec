/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces all other files of this folder where drawing is left out of the build. */
#include "base/parts.h"

static sumi_status refuse(sumi_context *context, const char *path)
{
    return part_left_out(context, path, "drawing", "SUMI_DRAW");
}

sumi_status sumi_draw_grid(sumi_context *context, const sumi_array *items, int columns,
                           const char *path)
{
    (void)items, (void)columns;
    return refuse(context, path);
}

sumi_status sumi_draw_grid_memory(sumi_context *context, const sumi_array *items, int columns,
                                  void **bytes, size_t *size)
{
    (void)items, (void)columns;
    *bytes = NULL;
    *size = 0;
    return refuse(context, "a grid in memory");
}

sumi_status sumi_draw_points(sumi_context *context, const sumi_array *points,
                             const sumi_array *paths, const sumi_array *arrows, const char *path)
{
    (void)points, (void)paths, (void)arrows;
    return refuse(context, path);
}

sumi_status sumi_draw_losses(sumi_context *context, const float *losses, int64_t count,
                             const char *title, const char *path)
{
    (void)losses, (void)count, (void)title;
    return refuse(context, path);
}

sumi_status sumi_draw_lines(sumi_context *context, const sumi_line *lines, int count,
                            const char *title, const char *x_title, const char *y_title,
                            const char *path)
{
    (void)lines, (void)count, (void)title, (void)x_title, (void)y_title;
    return refuse(context, path);
}

sumi_status sumi_draw_filmstrip(sumi_context *context, const sumi_array *frames,
                                const char *const *labels, const char *path)
{
    (void)frames, (void)labels;
    return refuse(context, path);
}

sumi_status sumi_draw_table(sumi_context *context, const sumi_array *cells,
                            const char *const *column_titles, const char *const *row_titles,
                            const char *path)
{
    (void)cells, (void)column_titles, (void)row_titles;
    return refuse(context, path);
}
