/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures: PNG files assembled chunk by chunk with zlib, JPEG files made by TurboJPEG's encoder,
   and the fitting against closed forms. */
#include "check.h"

#include "base/file.h"
#include "files/image.h"
#include "files/png.h"
#include "picture_bytes.h"
#include "scratch.h"
#include "written_picture.h"

/* Decodes a file that must be right, and compares its pixels. */
static void expect_pixels(scratch *room, const test_file *file, int channels, int width, int height,
                          const void *pixels, int pixel_channels)
{
    image picture;
    CHECK_OK(room->context,
             image_decode(room->context, file->bytes, file->size, "test", channels, &picture));
    assert_int_equal(picture.width, width);
    assert_int_equal(picture.height, height);
    assert_int_equal(picture.channels, pixel_channels);
    assert_memory_equal(picture.pixels, pixels, (size_t)(width * height * pixel_channels));
    image_release(room->context, &picture);
}

static void grey_and_colour_pngs_are_read(void **state)
{
    test_file grey = begin_png(3, 2, 8, 0), colour = begin_png(2, 1, 8, 2);
    end_png(&grey, "\0\x01\x02\x03\0\x04\x05\xff", 8);
    expect_pixels(*state, &grey, 0, 3, 2, "\x01\x02\x03\x04\x05\xff", 1);
    expect_pixels(*state, &grey, 3, 3, 2, "\1\1\1\2\2\2\3\3\3\4\4\4\5\5\5\xff\xff\xff", 3);
    end_png(&colour, "\0\xff\x00\x00\x01\x02\x03", 7);
    expect_pixels(*state, &colour, 0, 2, 1, "\xff\x00\x00\x01\x02\x03", 3);
    /* BT.601: 0.299 of red; 0.299 + 2 * 0.587 + 3 * 0.114 = 1.815 */
    expect_pixels(*state, &colour, 1, 2, 1, "\x4c\x02", 1);
}

static void palettes_small_depths_and_16_bits_become_8_bits(void **state)
{
    test_file palette = begin_png(4, 1, 2, 3), bits = begin_png(8, 1, 1, 0);
    test_file deep = begin_png(1, 1, 16, 2);
    put_chunk(&palette, "PLTE", "\x0a\x0b\x0c\x14\x15\x16\x1e\x1f\x20", 9);
    end_png(&palette, "\0\x18", 2); /* entries 0 1 2 0 */
    expect_pixels(*state, &palette, 0, 4, 1, "\x0a\x0b\x0c\x14\x15\x16\x1e\x1f\x20\x0a\x0b\x0c", 3);
    end_png(&bits, "\0\xa1", 2);
    expect_pixels(*state, &bits, 0, 8, 1, "\xff\0\xff\0\0\0\0\xff", 1);
    end_png(&deep, "\0\x12\x00\xff\xff\x80\x00", 7);
    expect_pixels(*state, &deep, 0, 1, 1, "\x12\xff\x80", 3);
}

static void transparent_parts_show_white(void **state)
{
    test_file grey = begin_png(3, 1, 8, 4), colour = begin_png(1, 1, 8, 6);
    test_file key = begin_png(2, 1, 8, 0), palette = begin_png(2, 1, 8, 3);
    end_png(&grey, "\0\x10\xff\x10\x00\x00\x80", 7);
    expect_pixels(*state, &grey, 0, 3, 1, "\x10\xff\x7f", 1);
    end_png(&colour, "\0\x00\x64\xff\x80", 5); /* alpha 128: 100 becomes 177.2 */
    expect_pixels(*state, &colour, 0, 1, 1, "\x7f\xb1\xff", 3);
    put_chunk(&key, "tRNS", "\0\x05", 2);
    end_png(&key, "\0\x05\x06", 3);
    expect_pixels(*state, &key, 0, 2, 1, "\xff\x06", 1);
    put_chunk(&palette, "PLTE", "\1\2\3\4\5\6", 6);
    put_chunk(&palette, "tRNS", "\0", 1);
    end_png(&palette, "\0\0\1", 3);
    expect_pixels(*state, &palette, 0, 2, 1, "\xff\xff\xff\4\5\6", 3);
}

static void expect_refusal(scratch *room, const void *bytes, size_t size, const char *reason)
{
    image picture;
    uint8_t *exact = test_malloc(size ? size : 1);
    if (size) memcpy(exact, bytes, size);
    sumi_status status = image_decode(room->context, exact, size, "test", 0, &picture);
    test_free(exact);
    if (status == SUMI_OK) fail_msg("%zu bytes were accepted, not refused: %s", size, reason);
    assert_null(picture.pixels);
    if (!strstr(sumi_context_message(room->context), reason)) {
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(room->context), reason);
    }
}

static void damaged_pngs_are_refused(void **state)
{
    test_file file = begin_png(3, 2, 8, 0), huge = begin_png(1u << 20, 1u << 20, 8, 2);
    test_file hollow = begin_png(10000, 10000, 8, 2), empty = begin_png(0, 2, 8, 0);
    end_png(&file, "\0\x01\x02\x03\0\x04\x05\xff", 8);
    for (size_t cut = 0; cut < file.size - 4; cut++) { /* the end mark's checksum is idle */
        expect_refusal(*state, file.bytes, cut, "test");
    }
    file.bytes[45] ^= 4; /* inside IDAT */
    expect_refusal(*state, file.bytes, file.size, "damaged PNG");
    end_png(&huge, "\0\1", 2);
    expect_refusal(*state, huge.bytes, huge.size, "more than");
    end_png(&hollow, "\0\1", 2);
    expect_refusal(*state, hollow.bytes, hollow.size, "cannot hold");
    end_png(&empty, "\0", 1);
    expect_refusal(*state, empty.bytes, empty.size, "damaged PNG");
    expect_refusal(*state, "GIF89a", 6, "neither a PNG nor a JPEG");
}

static void a_written_png_reads_back_the_same(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a.png");
    for (int channels = 1; channels <= 3; channels += 2) {
        uint8_t pixels[5 * 4 * 3];
        image picture = {5, 4, channels, pixels}, back;
        for (int i = 0; i < 60; i++) pixels[i] = (uint8_t)(i * 37);
        CHECK_OK(room->context, write_png(room->context, path, &picture));
        CHECK_OK(room->context, image_read(room->context, path, 0, &back));
        assert_int_equal(back.width, 5);
        assert_int_equal(back.height, 4);
        assert_int_equal(back.channels, channels);
        assert_memory_equal(back.pixels, pixels, (size_t)(20 * channels));
        image_release(room->context, &back);
    }
    image wrong = {5, 4, 2, (uint8_t[40]){0}};
    assert_int_equal(write_png(room->context, path, &wrong), SUMI_ERROR_ARGUMENT);
}

static void a_picture_can_be_written_by_a_palette(void **state)
{
    scratch *room = *state;
    void *bytes = NULL;
    size_t size = 0;
    uint8_t pixels[] = {0, 2, 1, 2}, palette[] = {9, 8, 7, 200, 100, 50, 1, 2, 3};
    image picture = {2, 2, 1, pixels}, back;
    CHECK_OK(room->context, png_encode(room->context, &picture, palette, 3, &bytes, &size));
    CHECK_OK(room->context, image_decode(room->context, bytes, size, "palette", 0, &back));
    context_release(room->context, bytes);
    assert_int_equal(back.channels, 3);
    assert_memory_equal(back.pixels, "\x9\x8\x7\x1\x2\x3\xc8\x64\x32\x1\x2\x3", 12);
    image_release(room->context, &back);
    assert_int_equal(png_encode(room->context, &picture, palette, 257, &bytes, &size),
                     SUMI_ERROR_ARGUMENT);
}

/* ---- JPEG ---- */

static void jpegs_are_read_within_their_own_rounding(void **state)
{
    scratch *room = *state;
    uint8_t pixels[16 * 8 * 3];
    for (int i = 0; i < 16 * 8; i++) {
        pixels[3 * i] = (uint8_t)(10 * (i % 16));
        pixels[3 * i + 1] = (uint8_t)(20 * (i / 16));
        pixels[3 * i + 2] = 90;
    }
    test_file colour = make_jpeg(16, 8, pixels, false), grey = make_jpeg(16, 8, pixels, true);
    image picture;
    CHECK_OK(room->context,
             image_decode(room->context, colour.bytes, colour.size, "test", 0, &picture));
    assert_int_equal(picture.width, 16);
    assert_int_equal(picture.height, 8);
    assert_int_equal(picture.channels, 3);
    for (int i = 0; i < 16 * 8 * 3; i++) CHECK_CLOSE(picture.pixels[i], pixels[i], 4);
    image_release(room->context, &picture);
    CHECK_OK(room->context,
             image_decode(room->context, grey.bytes, grey.size, "test", 0, &picture));
    assert_int_equal(picture.channels, 1);
    for (int i = 0; i < 16 * 8; i++) CHECK_CLOSE(picture.pixels[i], pixels[i], 4);
    image_release(room->context, &picture);
}

static void damaged_jpegs_are_refused(void **state)
{
    uint8_t pixels[16 * 16 * 3];
    for (int i = 0; i < 16 * 16 * 3; i++) pixels[i] = (uint8_t)(i * 91);
    test_file file = make_jpeg(16, 16, pixels, false);
    for (size_t cut = 0; cut < file.size - 2; cut += 7) {
        expect_refusal(*state, file.bytes, cut, "test");
    }
    for (size_t i = 0; i + 9 < file.size; i++) { /* claim 65500 x 65500 in the frame header */
        if (file.bytes[i] == 0xff && file.bytes[i + 1] == 0xc0) {
            memcpy(file.bytes + i + 5, "\xff\xdc\xff\xdc", 4);
        }
    }
    expect_refusal(*state, file.bytes, file.size, "65500 x 65500");
}

/* ---- Values and fitting ---- */

static void bytes_and_floats_correspond_both_ways(void **state)
{
    (void)state;
    uint8_t bytes[256], back[256];
    float values[256];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    image_to_float(bytes, 256, values);
    assert_true(values[0] == -1.0f && values[255] == 1.0f);
    image_from_float(values, 256, back);
    assert_memory_equal(back, bytes, 256);
    const float wild[] = {-7, 7, NAN, INFINITY, -INFINITY, 0};
    image_from_float(wild, 6, back);
    assert_memory_equal(back, "\0\xff\0\xff\0\x80", 6);
}

static void fitting_to_the_own_size_changes_nothing(void **state)
{
    scratch *room = *state;
    uint8_t pixels[5 * 3 * 3], output[5 * 3 * 3];
    for (int i = 0; i < 45; i++) pixels[i] = (uint8_t)(i * 71);
    image picture = {5, 3, 3, pixels};
    CHECK_OK(room->context, image_fit(room->context, &picture, 5, 3, 3, output));
    assert_memory_equal(output, pixels, sizeof pixels);
}

static void a_constant_stays_constant_at_every_size(void **state)
{
    scratch *room = *state;
    uint8_t pixels[7 * 11], output[40 * 40];
    memset(pixels, 93, sizeof pixels);
    image picture = {7, 11, 1, pixels};
    for (int width = 1; width <= 40; width += 3) {
        for (int height = 1; height <= 40; height += 3) {
            CHECK_OK(room->context, image_fit(room->context, &picture, width, height, 1, output));
            for (int i = 0; i < width * height; i++) assert_int_equal(output[i], 93);
        }
    }
}

/* Halving spreads over four pixels with the triangle's weights 1/8, 3/8, 3/8, 1/8; a line of
   pixels 0 0 0 240 0 0 0 0 therefore gives 0, 90, 30, 0 across, and the height is constant. */
static void halving_uses_the_triangle_filter(void **state)
{
    scratch *room = *state;
    uint8_t pixels[8 * 8] = {0}, output[4 * 4];
    for (int y = 0; y < 8; y++) pixels[y * 8 + 3] = 240;
    image picture = {8, 8, 1, pixels};
    CHECK_OK(room->context, image_fit(room->context, &picture, 4, 4, 1, output));
    for (int y = 0; y < 4; y++) assert_memory_equal(output + 4 * y, "\0\x5a\x1e\0", 4);
}

/* Stripes finer than the output can show become their mean and not a new pattern. */
static void shrinking_does_not_alias(void **state)
{
    scratch *room = *state;
    uint8_t pixels[90 * 90], output[20 * 20];
    for (int i = 0; i < 90 * 90; i++) pixels[i] = i % 90 % 2 ? 200 : 0;
    image picture = {90, 90, 1, pixels};
    CHECK_OK(room->context, image_fit(room->context, &picture, 20, 20, 1, output));
    for (int i = 0; i < 400; i++) {
        if (i % 20 > 0 && i % 20 < 19) CHECK_CLOSE(output[i], 100, 6);
    }
}

static void enlarging_interpolates_linearly(void **state)
{
    scratch *room = *state;
    const uint8_t pixels[] = {0, 80, 160, 240};
    uint8_t line[4 * 4], output[8 * 8];
    for (int y = 0; y < 4; y++) memcpy(line + 4 * y, pixels, 4);
    image picture = {4, 4, 1, line};
    CHECK_OK(room->context, image_fit(room->context, &picture, 8, 8, 1, output));
    const uint8_t expected[] = {0, 20, 60, 100, 140, 180, 220, 240};
    for (int y = 0; y < 8; y++) assert_memory_equal(output + 8 * y, expected, 8);
}

static void the_centre_is_kept_and_the_sides_are_cut(void **state)
{
    scratch *room = *state;
    const uint8_t wide[] = {1, 2, 30, 40, 5, 6, 1, 2, 30, 40, 5, 6};
    uint8_t output[4 * 3];
    image picture = {6, 2, 1, (uint8_t *)(uintptr_t)wide};
    CHECK_OK(room->context, image_fit(room->context, &picture, 2, 2, 1, output));
    assert_memory_equal(output, "\x1e\x28\x1e\x28", 4);
    CHECK_OK(room->context, image_fit(room->context, &picture, 2, 2, 3, output));
    assert_memory_equal(output, "\x1e\x1e\x1e\x28\x28\x28", 6);
}

static void impossible_sizes_are_refused(void **state)
{
    scratch *room = *state;
    uint8_t pixel = 0, output[1];
    image picture = {1, 1, 1, &pixel};
    assert_int_equal(image_fit(room->context, &picture, 0, 1, 1, output), SUMI_ERROR_ARGUMENT);
    assert_int_equal(image_fit(room->context, &picture, 1, -1, 1, output), SUMI_ERROR_ARGUMENT);
    assert_int_equal(image_fit(room->context, &picture, 1, 1, 4, output), SUMI_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(grey_and_colour_pngs_are_read),
        SCRATCH_TEST(palettes_small_depths_and_16_bits_become_8_bits),
        SCRATCH_TEST(transparent_parts_show_white),
        SCRATCH_TEST(damaged_pngs_are_refused),
        SCRATCH_TEST(a_picture_can_be_written_by_a_palette),
        SCRATCH_TEST(a_written_png_reads_back_the_same),
        SCRATCH_TEST(jpegs_are_read_within_their_own_rounding),
        SCRATCH_TEST(damaged_jpegs_are_refused),
        SCRATCH_TEST(bytes_and_floats_correspond_both_ways),
        SCRATCH_TEST(fitting_to_the_own_size_changes_nothing),
        SCRATCH_TEST(a_constant_stays_constant_at_every_size),
        SCRATCH_TEST(halving_uses_the_triangle_filter),
        SCRATCH_TEST(shrinking_does_not_alias),
        SCRATCH_TEST(enlarging_interpolates_linearly),
        SCRATCH_TEST(the_centre_is_kept_and_the_sides_are_cut),
        SCRATCH_TEST(impossible_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
