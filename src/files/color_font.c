/* SPDX-License-Identifier: Apache-2.0 */
/* Fonts of pictures; see color_font.h. OpenType 1.9: "cmap" format 12 from characters to glyphs,
   "GSUB" lookups of type 4 from sequences of glyphs to one, "CBLC" index formats 1 and 3, "CBDT"
   image formats 17 to 19. Every place is checked before it is read; a read outside gives 0. */
#include "files/color_font.h"

#include <string.h>

enum { SEQUENCE = 32, SELECTOR = 0xfe0f }; /* the selector asks for a picture, as all glyphs are */

/* ---- Reading ---- */

/* A big-endian number at a place of a table, 0 outside of it. */
static uint32_t number(const struct color_font *font, const struct font_table *table, size_t place,
                       int size)
{
    uint32_t value = 0;
    if (place > table->size || (size_t)size > table->size - place) return 0;
    const uint8_t *bytes = font->bytes + table->start + place;
    for (int i = 0; i < size; i++) value = value << 8 | bytes[i];
    return value;
}

static sumi_status fail(const struct color_font *font, const char *what)
{
    return context_fail(font->context, SUMI_ERROR_FORMAT, "%s: %s", font->name, what);
}

static struct font_table find_table(const struct color_font *font, const char *tag)
{
    const struct font_table whole = {0, font->size};
    uint32_t count = number(font, &whole, 4, 2);
    for (uint32_t i = 0; i < count; i++) {
        size_t entry = 12 + 16 * (size_t)i;
        if (entry + 16 > font->size) break;
        if (memcmp(font->bytes + entry, tag, 4) != 0) continue;
        size_t start = number(font, &whole, entry + 8, 4);
        size_t size = number(font, &whole, entry + 12, 4);
        if (start <= font->size && size <= font->size - start)
            return (struct font_table){start, size};
    }
    return (struct font_table){0, 0};
}

sumi_status color_font_parse(sumi_context *context, const void *bytes, size_t size,
                             const char *name, struct color_font *font)
{
    *font = (struct color_font){.context = context, .name = name, .bytes = bytes, .size = size};
    font->map = find_table(font, "cmap");
    font->places = find_table(font, "CBLC");
    font->pictures = find_table(font, "CBDT");
    font->ligatures = find_table(font, "GSUB");
    if (font->map.size && font->places.size && font->pictures.size) return SUMI_OK;
    return fail(font, "is not a font of pictures: it lacks one of the tables cmap, CBLC and CBDT");
}

/* ---- From characters to glyphs ---- */

/* The start of the map's subtable of format 12, or 0. */
static size_t find_map(const struct color_font *font)
{
    uint32_t count = number(font, &font->map, 2, 2);
    for (uint32_t i = 0; i < count && 12 + 8 * (size_t)i <= font->map.size; i++) {
        size_t place = number(font, &font->map, 8 + 8 * (size_t)i, 4);
        if (number(font, &font->map, place, 2) == 12) return place;
    }
    return 0;
}

/* The glyph of a character, 0 for none. Groups are in the order of their characters. */
static uint32_t find_glyph(const struct color_font *font, uint32_t character)
{
    size_t start = find_map(font);
    if (!start) return 0;
    uint32_t low = 0, high = number(font, &font->map, start + 12, 4);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        size_t group = start + 16 + 12 * (size_t)middle;
        uint32_t first = number(font, &font->map, group, 4);
        if (character < first) high = middle;
        else if (character > number(font, &font->map, group + 4, 4)) low = middle + 1;
        else return number(font, &font->map, group + 8, 4) + (character - first);
    }
    return 0;
}

/* ---- Ligatures ---- */

/* The place of a glyph in a coverage table, -1 for none. */
static int64_t find_coverage(const struct color_font *font, size_t table, uint32_t glyph)
{
    const struct font_table *from = &font->ligatures;
    uint32_t format = number(font, from, table, 2), count = number(font, from, table + 2, 2);
    for (uint32_t i = 0; i < count; i++) {
        if (format == 1 && number(font, from, table + 4 + 2 * (size_t)i, 2) == glyph) return i;
        if (format != 2) continue;
        size_t range = table + 4 + 6 * (size_t)i;
        uint32_t first = number(font, from, range, 2);
        if (glyph >= first && glyph <= number(font, from, range + 2, 2))
            return (int64_t)number(font, from, range + 4, 2) + (glyph - first);
    }
    return -1;
}

/* The ligature of all the glyphs in a subtable of type 4, 0 for none. */
static uint32_t find_in_subtable(const struct color_font *font, size_t table,
                                 const uint32_t *glyphs, int count)
{
    const struct font_table *from = &font->ligatures;
    int64_t place = find_coverage(font, table + number(font, from, table + 2, 2), glyphs[0]);
    if (place < 0 || place >= (int64_t)number(font, from, table + 4, 2)) return 0;
    size_t set = table + number(font, from, table + 6 + 2 * (size_t)place, 2);
    uint32_t ligatures = number(font, from, set, 2);
    for (uint32_t i = 0; i < ligatures; i++) {
        size_t ligature = set + number(font, from, set + 2 + 2 * (size_t)i, 2);
        bool same = (int)number(font, from, ligature + 2, 2) == count;
        for (int j = 1; j < count && same; j++)
            same = number(font, from, ligature + 2 + 2 * (size_t)j, 2) == glyphs[j];
        if (same) return number(font, from, ligature, 2);
    }
    return 0;
}

/* The ligature of all the glyphs, 0 for none. A lookup of type 7 refers to subtables elsewhere. */
static uint32_t find_ligature(const struct color_font *font, const uint32_t *glyphs, int count)
{
    const struct font_table *from = &font->ligatures;
    size_t list = number(font, from, 8, 2);
    uint32_t lookups = list ? number(font, from, list, 2) : 0;
    for (uint32_t i = 0; i < lookups; i++) {
        size_t lookup = list + number(font, from, list + 2 + 2 * (size_t)i, 2);
        uint32_t type = number(font, from, lookup, 2), tables = number(font, from, lookup + 4, 2);
        for (uint32_t j = 0; j < tables; j++) {
            size_t table = lookup + number(font, from, lookup + 6 + 2 * (size_t)j, 2);
            bool outside = type == 7 && number(font, from, table + 2, 2) == 4;
            if (outside) table += number(font, from, table + 4, 4);
            uint32_t found =
                type == 4 || outside ? find_in_subtable(font, table, glyphs, count) : 0;
            if (found) return found;
        }
    }
    return 0;
}

/* ---- Pictures ---- */

/* Takes the PNG out of a glyph's data [size] at a place of CBDT. */
static sumi_status take_png(const struct color_font *font, uint32_t format, size_t place,
                            size_t size, const uint8_t **png, size_t *png_size)
{
    size_t metrics = format == 17 ? 5 : format == 18 ? 8 : 0; /* before the length */
    size_t available = font->pictures.size;
    if (format < 17 || format > 19 || place > available || size > available - place
        || size < metrics + 4)
        return fail(font, "a glyph's picture is not inside the table CBDT, or is no PNG");
    size_t length = number(font, &font->pictures, place + metrics, 4);
    if (length > size - metrics - 4) return fail(font, "a glyph's picture is cut short");
    *png = font->bytes + font->pictures.start + place + metrics + 4;
    *png_size = length;
    return SUMI_OK;
}

/* The picture of a glyph in an index subtable that begins with its first glyph. */
static sumi_status find_in_index(const struct color_font *font, size_t header, uint32_t place,
                                 const uint8_t **png, size_t *size)
{
    const struct font_table *from = &font->places;
    uint32_t index = number(font, from, header, 2), image = number(font, from, header + 2, 2);
    size_t data = number(font, from, header + 4, 4), each = index == 1 ? 4 : 2;
    if (index != 1 && index != 3)
        return fail(font, "its table CBLC has an index of another format");
    size_t entry = header + 8 + each * place;
    size_t start = number(font, from, entry, (int)each);
    size_t end = number(font, from, entry + each, (int)each);
    if (end <= start) return SUMI_OK; /* the glyph has no picture */
    return take_png(font, image, data + start, end - start, png, size);
}

static sumi_status find_picture(const struct color_font *font, uint32_t glyph, const uint8_t **png,
                                size_t *size)
{
    const struct font_table *from = &font->places;
    size_t array = number(font, from, 8, 4); /* of the first size */
    uint32_t tables = number(font, from, 16, 4);
    for (uint32_t i = 0; i < tables; i++) {
        size_t entry = array + 8 * (size_t)i;
        if (entry + 8 > from->size) break;
        uint32_t first = number(font, from, entry, 2), last = number(font, from, entry + 2, 2);
        if (glyph < first || glyph > last) continue;
        return find_in_index(font, array + number(font, from, entry + 4, 4), glyph - first, png,
                             size);
    }
    return SUMI_OK;
}

sumi_status color_font_find(const struct color_font *font, const uint32_t *characters, int count,
                            const uint8_t **png, size_t *size)
{
    uint32_t glyphs[SEQUENCE];
    int found = 0;
    *png = NULL;
    for (int i = 0; i < count; i++) {
        if (characters[i] == SELECTOR) continue;
        uint32_t glyph = find_glyph(font, characters[i]);
        if (!glyph || found == SEQUENCE) return SUMI_OK;
        glyphs[found++] = glyph;
    }
    uint32_t glyph = found == 1 ? glyphs[0] : found > 1 ? find_ligature(font, glyphs, found) : 0;
    return glyph ? find_picture(font, glyph, png, size) : SUMI_OK;
}
