/* SPDX-License-Identifier: Apache-2.0 */
/* Fonts of pictures, made table by table as OpenType describes them, and names of characters. */
#include "files/color_font.h"

#include "files/annotations.h"
#include "one_context.h"

enum { SPACE = 1024 };

static struct {
    uint8_t data[SPACE];
    size_t size;
} font;

/* Adds a big-endian number. */
static void put(uint32_t number, int size)
{
    assert_true(font.size + 4 <= SPACE);
    for (int i = size - 1; i >= 0; i--) font.data[font.size++] = (uint8_t)(number >> (8 * i));
}

static void put_text(const char *text)
{
    size_t length = strlen(text);
    memcpy(font.data + font.size, text, length);
    font.size += length;
}

static void set(size_t place, uint32_t number)
{
    size_t end = font.size;
    font.size = place;
    put(number, 4);
    font.size = end;
}

/* Ends table `number` of the directory, which began at `start`. */
static void end_table(int number, size_t start)
{
    set(12 + 16 * (size_t)number + 8, (uint32_t)start);
    set(12 + 16 * (size_t)number + 12, (uint32_t)(font.size - start));
}

/* The characters 0x1f600 to 0x1f602 are the glyphs 1 to 3; glyphs 1 and 2 make glyph 4; glyphs 1, 2
   and 4 have the pictures "one", "two!" and "joined". */
static void make_font(void)
{
    static const char tags[] = "cmapGSUBCBLCCBDT";
    font.size = 0;
    put(0x00010000, 4);
    put(4, 2);
    put(0, 4);
    put(0, 2);
    for (int i = 0; i < 4; i++) {
        char tag[5] = {0};
        memcpy(tag, tags + 4 * i, 4);
        put_text(tag);
        for (int j = 0; j < 3; j++) put(0, 4);
    }
    size_t start = font.size; /* cmap: one subtable, of format 12 */
    const uint32_t map[] = {12u << 16, 28, 0, 1, 0x1f600, 0x1f602, 1};
    put(1, 4);
    put(3u << 16 | 10, 4);
    put(12, 4);
    for (int i = 0; i < 7; i++) put(map[i], 4);
    end_table(0, start);
    start = font.size; /* GSUB: one lookup of type 4 with one ligature */
    const uint16_t ligatures[] = {1, 0,  0, 0, 10, /* header: lookups at 10 */
                                  1, 4,            /* list: one, at 4 */
                                  4, 0,  1, 8,     /* lookup: type 4, one subtable, at 8 */
                                  1, 18, 1, 8,     /* subtable: coverage at 18, one set, at 8 */
                                  1, 4,            /* set: one ligature, at 4 */
                                  4, 2,            /* ligature: glyph 4, two parts ... */
                                  2,               /* ... of which this is the second */
                                  1, 1,  1};       /* coverage of format 1: glyph 1 */
    for (size_t i = 0; i < sizeof ligatures / sizeof *ligatures; i++) put(ligatures[i], 2);
    end_table(1, start);
    start = font.size; /* CBLC: one size with glyphs 1 to 4 in an index of format 1 */
    put(3u << 16, 4);
    put(1, 4);
    put(56, 4);
    put(40, 4);
    put(1, 4);
    for (int i = 0; i < 9; i++) put(0, 4);
    put(1u << 16 | 4, 4);
    put(8, 4);
    put(1u << 16 | 17, 4);
    put(4, 4);
    const uint32_t offsets[] = {0, 12, 25, 25, 40};
    for (int i = 0; i < 5; i++) put(offsets[i], 4);
    end_table(2, start);
    start = font.size; /* CBDT: format 17, metrics of 5 bytes and a length before each */
    put(3u << 16, 4);
    static const char *const pictures[] = {"one", "two!", "joined"};
    for (int i = 0; i < 3; i++) {
        put(0, 4);
        put(0, 1);
        put((uint32_t)strlen(pictures[i]), 4);
        put_text(pictures[i]);
    }
    end_table(3, start);
}

static void open_font(struct color_font *opened)
{
    CHECK_OK(context, color_font_parse(context, font.data, font.size, "a.ttf", opened));
}

static void check_picture(const uint32_t *characters, int count, const char *expected)
{
    struct color_font opened;
    const uint8_t *png = NULL;
    size_t size = 0;
    open_font(&opened);
    CHECK_OK(context, color_font_find(&opened, characters, count, &png, &size));
    if (!expected) {
        assert_null(png);
        return;
    }
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(png, expected, size);
}

static void glyphs_and_ligatures_have_their_pictures(void **state)
{
    (void)state;
    make_font();
    check_picture((const uint32_t[]){0x1f600}, 1, "one");
    check_picture((const uint32_t[]){0x1f601, 0xfe0f}, 2, "two!");
    check_picture((const uint32_t[]){0x1f600, 0x1f601}, 2, "joined");
    check_picture((const uint32_t[]){0x1f602}, 1, NULL);
    check_picture((const uint32_t[]){0x1f603}, 1, NULL);
    check_picture((const uint32_t[]){0x1f601, 0x1f600}, 2, NULL);
    check_picture((const uint32_t[]){0xfe0f}, 1, NULL);
}

static void damaged_fonts_are_refused(void **state)
{
    (void)state;
    struct color_font opened;
    const uint8_t *png = NULL;
    size_t size = 0;
    assert_int_equal(color_font_parse(context, "no font", 7, "a.ttf", &opened), SUMI_ERROR_FORMAT);
    assert_string_equal(sumi_context_message(context),
                        "a.ttf: is not a font of pictures: it lacks one of the tables cmap, CBLC "
                        "and CBDT");
    make_font();
    font.data[font.size - 10 - 1] = 0xff; /* the length of the last picture */
    font.data[font.size - 6 - 1] = 0xff;
    open_font(&opened);
    assert_int_equal(color_font_find(&opened, (const uint32_t[]){0x1f600, 0x1f601}, 2, &png, &size),
                     SUMI_ERROR_FORMAT);
    assert_string_equal(sumi_context_message(context), "a.ttf: a glyph's picture is cut short");
}

static void names_are_read_with_their_characters(void **state)
{
    (void)state;
    const char *text =
        "<annotation cp=\"\xf0\x9f\x98\x80\">face | grin</annotation>\n"
        "<annotation cp=\"\xf0\x9f\x98\x80\" type=\"tts\">grinning face</annotation>\n"
        "<annotation cp=\"&amp;\" type=\"tts\">&quot;and&quot; sign</annotation>\n"
        "<annotation cp=\"x\" type=\"tts\">cut";
    struct annotation annotation;
    assert_true(annotation_next(&text, &annotation));
    assert_int_equal(annotation.count, 1);
    assert_int_equal(annotation.characters[0], 0x1f600);
    assert_string_equal(annotation.name, "grinning face");
    assert_true(annotation_next(&text, &annotation));
    assert_int_equal(annotation.characters[0], '&');
    assert_string_equal(annotation.name, "\"and\" sign");
    assert_false(annotation_next(&text, &annotation));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(glyphs_and_ligatures_have_their_pictures),
        CONTEXT_TEST(damaged_fonts_are_refused),
        CONTEXT_TEST(names_are_read_with_their_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
