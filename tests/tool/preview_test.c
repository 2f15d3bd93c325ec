/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of tool/preview.c and of the pictures it puts on a terminal. */
#include "check.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "preview.h"

/* What a function wrote to the stream. */
struct page {
    char *text;
    size_t size;
    FILE *stream;
};

static void page_open(struct page *page)
{
    page->stream = open_memstream(&page->text, &page->size);
    assert_non_null(page->stream);
}

/* Compares what was written since the last call, then forgets it. */
static void check_page(struct page *page, const char *expected)
{
    fclose(page->stream);
    assert_string_equal(page->text, expected);
    free(page->text);
    page_open(page);
}

static void page_free(struct page *page)
{
    fclose(page->stream);
    free(page->text);
}

static struct preview preview_on(const struct page *page, enum terminal_graphics graphics)
{
    return (struct preview){page->stream, graphics, {80, 24, 10, 20}, 0};
}

static void half_blocks_hold_two_pixels_each(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    struct preview preview = preview_on(&page, GRAPHICS_BLOCKS);
    /* Two rows of two: white over black twice; then one grey row, half a character high. */
    float values[] = {1, 1, -1, -1, 0, 0};
    sumi_array images = {4, {1, 3, 2, 1}, values};
    assert_true(preview_show(&preview, &images, 0));
    check_page(&page, "\033[48;2;0;0;0m\033[38;2;255;255;255m\342\226\200\342\226\200"
                      "\033[0m\033[K\n"
                      "\033[38;2;128;128;128m\342\226\200\342\226\200\033[0m\033[K\n");
    page_free(&page);
}

static void colours_and_gaps_between_images_are_kept(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    struct preview preview = preview_on(&page, GRAPHICS_BLOCKS);
    float values[] = {1, -1, -1, -1, 1, -1, -1, -1, 1, NAN, -1, -1};
    sumi_array images = {4, {2, 2, 1, 3}, values}; /* red over green, blue over not a number */
    assert_true(preview_show(&preview, &images, 2));
    check_page(&page, "\033[48;2;0;255;0m\033[38;2;255;0;0m\342\226\200\033[49m "
                      "\033[48;2;194;61;43m\033[38;2;0;0;255m\342\226\200\033[0m\033[K\n");
    page_free(&page);
}

static void the_next_picture_replaces_the_last(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    struct preview preview = preview_on(&page, GRAPHICS_SHADES);
    float values[] = {1, 1, 0, 0, -1, -1};
    sumi_array tall = {4, {1, 6, 1, 1}, values}, low = {4, {1, 2, 1, 1}, values};
    assert_true(preview_show(&preview, &tall, 0));
    check_page(&page, "\342\226\210\033[K\n\342\226\222\033[K\n \033[K\n");
    preview.stream = page.stream;
    assert_true(preview_show(&preview, &low, 0));
    check_page(&page, "\r\033[3A\342\226\210\033[K\n\033[J");
    preview.stream = page.stream;
    assert_true(preview_show(&preview, &low, 0));
    check_page(&page, "\r\033[1A\342\226\210\033[K\n");
    page_free(&page);
}

static void pictures_fit_the_terminal(void **state)
{
    (void)state;
    float *values = calloc(100 * 28 * 28, sizeof *values);
    sumi_array images = {4, {100, 28, 28, 1}, values};
    const struct {
        int columns, room_width, room_height, width, height;
    } cases[] = {
        {1, 79, 24, 24, 24}, {2, 200, 28, 57, 28}, {0, 1000, 1000, 8 * 29 - 1, 13 * 29 - 1},
        {0, 1, 1, 1, 1},     {50, 9, 100, 9, 39},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct raster raster;
        assert_true(raster_compose(&images, cases[i].columns, cases[i].room_width,
                                   cases[i].room_height, 1, &raster));
        assert_int_equal(raster.width, cases[i].width);
        assert_int_equal(raster.height, cases[i].height);
        free(raster.pixels);
    }
    free(values);
}

static void images_without_room_are_averaged(void **state)
{
    (void)state;
    float values[] = {-1, 1, -1, 1, 1, 1, -1, -1};
    sumi_array images = {4, {1, 2, 4, 1}, values};
    struct raster raster;
    assert_true(raster_compose(&images, 1, 2, 10, 1, &raster));
    assert_int_equal(raster.width, 2);
    assert_int_equal(raster.height, 1);
    assert_int_equal(raster.pixels[0], 0xbfbfbf); /* the mean of -1, 1, 1, 1 */
    assert_int_equal(raster.pixels[1], 0x404040);
    free(raster.pixels);
}

static void kitty_gets_raw_colours_in_base64(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    uint32_t pixels[] = {0x4d616e, RASTER_NOTHING}; /* "Man" is TWFu */
    struct raster raster = {2, 1, pixels};
    graphics_put_kitty(page.stream, &raster, 3);
    char expected[200];
    snprintf(expected, sizeof expected,
             "\033_Ga=T,f=32,s=2,v=1,i=%u,p=1,q=2,C=1,r=3,m=0;TWFu/wAAAAA=\033\\",
             (unsigned)getpid() & 0xffffff);
    check_page(&page, expected);
    page_free(&page);
}

static void kitty_pictures_go_in_pieces_of_4096_letters(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    uint32_t pixels[40 * 40] = {0};
    struct raster raster = {40, 40, pixels}; /* 6400 bytes: 8536 letters */
    graphics_put_kitty(page.stream, &raster, 3);
    fflush(page.stream);
    size_t pieces = 0, letters = 0;
    for (const char *at = page.text; (at = strstr(at, "\033_G")); pieces++) {
        const char *data = strchr(at, ';'), *end = strstr(at, "\033\\");
        assert_non_null(data);
        assert_non_null(end);
        assert_int_equal(data[-1], letters + (size_t)(end - data - 1) < 8536 ? '1' : '0');
        assert_true(end - data - 1 <= 4096);
        letters += (size_t)(end - data - 1);
        at = end;
    }
    assert_int_equal(pieces, 3);
    assert_int_equal(letters, 8536);
    page_free(&page);
}

/* Paints a sixel text the way the DEC manual says, independently of the encoder: colour numbers,
   repeats, return ($) and next band (-). A pixel becomes r * 10^6 + g * 10^3 + b in percent, or
   -1 where nothing was painted. */
static void paint_sixels(const char *text, int width, int height, int *pixels)
{
    int palette[256] = {0}, colour = 0, x = 0, top = 0;
    for (int i = 0; i < width * height; i++) pixels[i] = -1;
    const char *at = strchr(text, 'q');
    assert_non_null(at);
    int w = 0, h = 0, used = 0;
    assert_int_equal(sscanf(at, "q\"1;1;%d;%d%n", &w, &h, &used), 2);
    assert_int_equal(w, width);
    assert_int_equal(h, height);
    for (at += used; *at != '\033'; at++) {
        int repeat = 1;
        if (*at == '$') x = 0;
        else if (*at == '-') x = 0, top += 6;
        else if (*at == '#') {
            int r, g, b;
            assert_int_equal(sscanf(at, "#%d%n", &colour, &used), 1);
            at += used - 1;
            if (at[1] != ';') continue;
            assert_int_equal(sscanf(at, "%*c;2;%d;%d;%d%n", &r, &g, &b, &used), 3);
            palette[colour] = r * 1000000 + g * 1000 + b;
            at += used - 1;
        } else {
            if (*at == '!') {
                assert_int_equal(sscanf(at, "!%d%n", &repeat, &used), 1);
                at += used;
            }
            assert_in_range(*at, '?', '~');
            for (; repeat > 0; repeat--, x++) {
                for (int bit = 0; bit < 6; bit++) {
                    if (!((*at - '?') >> bit & 1)) continue;
                    assert_in_range(x, 0, width - 1);
                    assert_in_range(top + bit, 0, height - 1);
                    pixels[(top + bit) * width + x] = palette[colour];
                }
            }
        }
    }
    assert_string_equal(at, "\033\\");
}

static void sixels_paint_the_picture_again(void **state)
{
    (void)state;
    enum { WIDTH = 23, HEIGHT = 15 };
    for (int grey = 0; grey < 2; grey++) {
        uint32_t pixels[WIDTH * HEIGHT];
        for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
            pixels[i] = grey ? i * 7 % 256 * 0x010101 : i * 2654435761u >> 8;
            if (i % 11 == 0) pixels[i] = RASTER_NOTHING;
            if (i > 100 && i < 130) pixels[i] = 0xffffff;
        }
        struct raster raster = {WIDTH, HEIGHT, pixels};
        struct page page;
        page_open(&page);
        graphics_put_sixel(page.stream, &raster);
        fflush(page.stream);
        int painted[WIDTH * HEIGHT];
        paint_sixels(page.text, WIDTH, HEIGHT, painted);
        double step = grey ? 100.0 / 31 : 20; /* of the palette, in percent */
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            if (pixels[i] == RASTER_NOTHING) {
                assert_int_equal(painted[i], -1);
                continue;
            }
            CHECK_CLOSE(painted[i] / 1000000, (pixels[i] >> 16) / 2.55, step / 2 + 1);
            CHECK_CLOSE(painted[i] / 1000 % 1000, (pixels[i] >> 8 & 0xff) / 2.55, step / 2 + 1);
            CHECK_CLOSE(painted[i] % 1000, (pixels[i] & 0xff) / 2.55, step / 2 + 1);
        }
        page_free(&page);
    }
}

static void pixels_leave_the_cursor_below_the_picture(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    struct preview preview = preview_on(&page, GRAPHICS_SIXEL);
    float values[30] = {0};
    sumi_array images = {4, {1, 30, 1, 1}, values}; /* 4 x 120 pixels: six lines of 20 */
    assert_true(preview_show(&preview, &images, 0));
    fflush(page.stream);
    const char *start = "\033[K\n\033[K\n\033[K\n\033[K\n\033[K\n\033[K\n\033[6A\0337\033P",
               *end = "\033\\\0338\033[6B";
    assert_int_equal(strncmp(page.text, start, strlen(start)), 0);
    assert_string_equal(page.text + page.size - strlen(end), end);
    assert_int_equal(preview.lines, 6);
    page_free(&page);
}

static void a_signal_is_a_curve_of_braille_dots(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    float values[8] = {-1, -1, -1, -1, 1, 1, 1, 1};
    sumi_array signals = {3, {1, 8, 1}, values};
    /* Four characters, eight dots: the left half on the lowest row of dots, the right half on the
       highest, joined by the fifth dot column. */
    assert_int_equal(graphics_put_braille(page.stream, &signals, 1, 4, 5), 5);
    check_page(&page, "  \342\241\217\342\240\211\033[K\n"
                      "  \342\241\207 \033[K\n"
                      "  \342\241\207 \033[K\n"
                      "  \342\241\207 \033[K\n"
                      "\342\243\200\342\243\200\342\240\207 \033[K\n");
    page_free(&page);
}

static void points_are_braille_dots(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    float values[] = {0, 0, 1, 1, NAN, 1};
    sumi_array points = {2, {3, 2}, values};
    assert_int_equal(graphics_put_braille(page.stream, &points, 0, 4, 2), 2);
    check_page(&page, "   \342\240\210\033[K\n\342\241\200   \033[K\n");
    page_free(&page);
}

static void points_of_three_coordinates_are_those_of_the_first_two(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    float values[] = {0, 0, 9, 1, 1, -9, NAN, 1, 5};
    sumi_array points = {2, {3, 3}, values};
    assert_int_equal(graphics_put_braille(page.stream, &points, 0, 4, 2), 2);
    check_page(&page, "   \342\240\210\033[K\n\342\241\200   \033[K\n");
    page_free(&page);
}

/* Three of four numbers are the least: a bar over both lines, and two dots of eight beside. */
static void single_numbers_are_bars_of_dots(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    float values[] = {0, 1, 0, NAN, 0};
    sumi_array numbers = {2, {5, 1}, values};
    assert_int_equal(graphics_put_braille(page.stream, &numbers, 0, 4, 2), 2);
    check_page(&page, "\342\243\277   \033[K\n\342\243\277  \342\243\244\033[K\n");
    page_free(&page);
}

/* One pixel of two channels, white and black: with a white gap between. */
static void channels_that_are_not_colours_are_side_by_side(void **state)
{
    (void)state;
    float values[] = {1, -1, 0, 1};
    sumi_array images = {4, {1, 2, 1, 2}, values};
    struct raster raster;
    assert_true(raster_compose(&images, 0, 80, 24, 1, &raster));
    const uint32_t wanted[] = {0xffffff, 0xffffff, 0x000000, 0x808080, 0xffffff, 0xffffff};
    assert_int_equal(raster.width, 3);
    assert_int_equal(raster.height, 2);
    assert_memory_equal(raster.pixels, wanted, sizeof wanted);
    free(raster.pixels);
}

static void arrays_without_a_picture_draw_nothing(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    struct preview preview = preview_on(&page, GRAPHICS_BLOCKS);
    float values[64] = {0};
    const sumi_array wrong[] = {{4, {0, 4, 4, 1}, values}, {4, {1, 4, 4, 1}, NULL},
                                {2, {4, 5}, values},       {1, {4}, values},
                                {3, {1, 0, 1}, values},    {5, {1, 1, 1, 1, 1}, values}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(preview_show(&preview, &wrong[i], 0));
    }
    assert_false(preview_show(&preview, NULL, 0));
    check_page(&page, "");
    page_free(&page);
}

static void wild_values_are_drawn_without_harm(void **state)
{
    (void)state;
    struct page page;
    page_open(&page);
    float values[24];
    for (int i = 0; i < 24; i++) values[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : 3.4e38f;
    for (int kind = GRAPHICS_SHADES; kind <= GRAPHICS_KITTY; kind++) {
        struct preview preview = preview_on(&page, (enum terminal_graphics)kind);
        sumi_array images = {4, {2, 2, 2, 3}, values}, signals = {3, {2, 6, 2}, values};
        sumi_array points = {2, {12, 2}, values};
        assert_true(preview_show(&preview, &images, 0));
        assert_true(preview_show(&preview, &signals, 0));
        assert_true(preview_show(&preview, &points, 0));
    }
    page_free(&page);
}

static void nothing_is_drawn_where_there_is_no_terminal(void **state)
{
    (void)state;
    setenv("SUMI_PREVIEW", "kitty", 1);
    FILE *stream = tmpfile();
    assert_non_null(stream);
    struct preview preview;
    preview_open(&preview, stream);
    float value = 0;
    sumi_array images = {4, {1, 1, 1, 1}, &value};
    assert_false(preview_show(&preview, &images, 0));
    assert_int_equal(ftell(stream), 0);
    fclose(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_blocks_hold_two_pixels_each),
        cmocka_unit_test(colours_and_gaps_between_images_are_kept),
        cmocka_unit_test(the_next_picture_replaces_the_last),
        cmocka_unit_test(pictures_fit_the_terminal),
        cmocka_unit_test(images_without_room_are_averaged),
        cmocka_unit_test(kitty_gets_raw_colours_in_base64),
        cmocka_unit_test(kitty_pictures_go_in_pieces_of_4096_letters),
        cmocka_unit_test(sixels_paint_the_picture_again),
        cmocka_unit_test(pixels_leave_the_cursor_below_the_picture),
        cmocka_unit_test(a_signal_is_a_curve_of_braille_dots),
        cmocka_unit_test(points_are_braille_dots),
        cmocka_unit_test(points_of_three_coordinates_are_those_of_the_first_two),
        cmocka_unit_test(single_numbers_are_bars_of_dots),
        cmocka_unit_test(channels_that_are_not_colours_are_side_by_side),
        cmocka_unit_test(arrays_without_a_picture_draw_nothing),
        cmocka_unit_test(wild_values_are_drawn_without_harm),
        cmocka_unit_test(nothing_is_drawn_where_there_is_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
