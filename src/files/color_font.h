/* SPDX-License-Identifier: Apache-2.0 */
/* Fonts whose glyphs are PNG pictures (OpenType's tables CBLC and CBDT), such as those of emoji. */
#ifndef SUMI_FILES_COLOR_FONT_H
#define SUMI_FILES_COLOR_FONT_H

#include "base/context.h"

/* A font in memory, which must outlive it, with the places of its tables. */
struct color_font {
    sumi_context *context;
    const char *name; /* for messages */
    const uint8_t *bytes;
    size_t size;
    struct font_table {
        size_t start, size; /* size 0: not there */
    } map, places, pictures, ligatures;
};

sumi_status color_font_parse(sumi_context *context, const void *bytes, size_t size,
                             const char *name, struct color_font *font);

/* Finds the picture of a sequence of Unicode characters, of one glyph or of one ligature; *png is
   NULL where the font has none. */
sumi_status color_font_find(const struct color_font *font, const uint32_t *characters, int count,
                            const uint8_t **png, size_t *size);

#endif
