/* SPDX-License-Identifier: Apache-2.0 */
/* Redrawing pictures in place; see preview.h. */
#include "preview.h"

#include <stdlib.h>

void preview_open(struct preview *preview, FILE *stream)
{
    preview->stream = stream;
    preview->graphics = terminal_choose_graphics(stream);
    preview->size = terminal_measure(stream);
    preview->lines = 0;
}

/* Draws pixels: scrolls first, then moves the cursor back up, so that the picture itself never
   scrolls the screen and the result does not depend on where the terminal leaves the cursor. */
static int put_pixels(FILE *page, const struct preview *preview, const struct raster *raster)
{
    int cell_height = preview->size.cell_height;
    int lines = (raster->height + cell_height - 1) / cell_height;
    for (int i = 0; i < lines; i++) fputs("\033[K\n", page);
    fprintf(page, "\033[%dA\0337", lines);
    if (preview->graphics == GRAPHICS_KITTY) graphics_put_kitty(page, raster, lines);
    else graphics_put_sixel(page, raster);
    fprintf(page, "\0338\033[%dB", lines);
    return lines;
}

static int put_images(FILE *page, const struct preview *preview, const sumi_array *images,
                      int columns)
{
    int width = preview->size.columns - 1, lines = preview->size.lines / 2;
    struct raster raster;
    int used;
    if (preview->graphics == GRAPHICS_KITTY || preview->graphics == GRAPHICS_SIXEL) {
        const terminal_size *size = &preview->size;
        if (!raster_compose(images, columns, width * size->cell_width, lines * size->cell_height, 4,
                            &raster))
            return 0;
        used = put_pixels(page, preview, &raster);
    } else {
        if (!raster_compose(images, columns, width, 2 * lines, 1, &raster)) return 0;
        graphics_put_blocks(page, &raster, preview->graphics == GRAPHICS_BLOCKS);
        used = (raster.height + 1) / 2;
    }
    free(raster.pixels);
    return used;
}

bool preview_show(struct preview *preview, const sumi_array *items, int columns)
{
    if (preview->graphics == GRAPHICS_NONE || !items) return false;
    /* Writes the whole page at once, because a partly drawn picture would flicker. */
    char *text = NULL;
    size_t size = 0;
    FILE *page = open_memstream(&text, &size);
    if (!page) return false;
    if (preview->lines) fprintf(page, "\r\033[%dA", preview->lines);
    int lines = items->rank == 4
                    ? put_images(page, preview, items, columns)
                    : graphics_put_braille(page, items, columns, preview->size.columns - 1,
                                           preview->size.lines / 2);
    if (lines < preview->lines) fputs("\033[J", page);
    bool whole = fclose(page) == 0 && lines > 0;
    if (whole) {
        fwrite(text, 1, size, preview->stream);
        fflush(preview->stream);
        preview->lines = lines;
    }
    free(text);
    return whole;
}
