/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures are read upright: the eight orientations of the Exif standard, in both byte orders, of
   JPEG and PNG; and Exif data that are damaged are passed over. */
#include "files/exif.h"

#include "base/file.h"
#include "files/image.h"
#include "picture_bytes.h"
#include "scratch.h"

/* How the stored rows "123" and "456" are to be seen, by the standard's words for row 0 and column
   0: top and left, top and right, bottom and right, bottom and left, and from 5 on left and top,
   right and top, right and bottom, left and bottom. */
static const char *const UPRIGHT[] = {NULL,     "123456", "321654", "654321", "456123",
                                      "142536", "415263", "635241", "362514"};

static void the_orientation_is_found_in_both_byte_orders(void **state)
{
    (void)state;
    for (int little = 0; little < 2; little++) {
        for (int orientation = 1; orientation <= 8; orientation++) {
            uint8_t bytes[6 + EXIF_SIZE] = "Exif\0";
            make_exif(orientation, little, bytes + 6);
            assert_int_equal(exif_orientation(bytes + 6, EXIF_SIZE), orientation);
            assert_int_equal(exif_orientation(bytes, sizeof bytes), orientation);
        }
    }
}

/* A directory at 14, of a text and then of a number of `type`. */
static int of_entry(int type, int count, const char *value)
{
    uint8_t bytes[44] = "MM\0*\0\0\0\16......\0\2\1\17\0\2\0\0\0\4ABC\0\1\22";
    bytes[31] = (uint8_t)type;
    bytes[35] = (uint8_t)count;
    memcpy(bytes + 36, value, 4);
    return exif_orientation(bytes, 40);
}

static void the_orientation_may_follow_others_and_be_of_any_whole_type(void **state)
{
    (void)state;
    assert_int_equal(of_entry(1, 1, "\6\0\0\0"), 6);
    assert_int_equal(of_entry(3, 1, "\0\7\0\0"), 7);
    assert_int_equal(of_entry(4, 1, "\0\0\0\10"), 8);
    assert_int_equal(of_entry(2, 1, "\6\0\0\0"), 1); /* a text */
    assert_int_equal(of_entry(9, 1, "\0\0\0\6"), 1); /* one with a sign */
    assert_int_equal(of_entry(3, 2, "\0\6\0\6"), 1);
    assert_int_equal(of_entry(3, 0, "\0\6\0\6"), 1);
    assert_int_equal(of_entry(3, 1, "\0\0\0\0"), 1);
    assert_int_equal(of_entry(3, 1, "\0\11\0\0"), 1);
    assert_int_equal(of_entry(3, 1, "\1\6\0\0"), 1);
    assert_int_equal(of_entry(4, 1, "\200\0\0\6"), 1);
}

/* In memory of just that size, so that a sanitizer sees a byte beyond. */
static int of_exactly(const uint8_t *bytes, size_t size, int (*find)(const void *, size_t))
{
    uint8_t *exact = test_malloc(size ? size : 1);
    if (size) memcpy(exact, bytes, size);
    int orientation = find(exact, size);
    test_free(exact);
    return orientation;
}

static void damaged_exif_is_upright(void **state)
{
    (void)state;
    uint8_t bytes[EXIF_SIZE];
    for (int little = 0; little < 2; little++) {
        make_exif(6, little, bytes);
        for (size_t cut = 0; cut < 22; cut++) /* the last four bytes end the directory */
            assert_int_equal(of_exactly(bytes, cut, exif_orientation), 1);
        for (int start = 0; start < 256; start++) { /* directories anywhere, and beyond the end */
            memset(bytes + 4, 0, 4);
            bytes[little ? 4 : 7] = (uint8_t)start;
            assert_int_equal(of_exactly(bytes, EXIF_SIZE, exif_orientation), start == 8 ? 6 : 1);
            memset(bytes + 4, 0xff, 3);
            bytes[7] = (uint8_t)start;
            assert_int_equal(of_exactly(bytes, EXIF_SIZE, exif_orientation), 1);
        }
    }
    make_exif(6, true, bytes);
    memset(bytes + 8, 0xff, 2); /* more entries than there are bytes */
    assert_int_equal(of_exactly(bytes, EXIF_SIZE, exif_orientation), 6);
    bytes[10] = 0x13;
    assert_int_equal(of_exactly(bytes, EXIF_SIZE, exif_orientation), 1);
    memcpy(bytes, "IM*\0", 4);
    assert_int_equal(of_exactly(bytes, EXIF_SIZE, exif_orientation), 1);
}

/* ---- Whole pictures ---- */

/* The picture of "123" and "456" with one chunk more, which orients it. */
static test_file make_png(const char *type, const void *data, size_t size)
{
    test_file file = begin_png(3, 2, 8, 0);
    end_png(&file, "\000123\000456", 8);
    if (type) insert_chunk(&file, type, data, size);
    return file;
}

static void expect_seen(scratch *room, const test_file *file, int orientation)
{
    image picture;
    bool upended = orientation >= 5;
    CHECK_OK(room->context,
             image_decode(room->context, file->bytes, file->size, "test", 0, &picture));
    assert_int_equal(picture.width, upended ? 2 : 3);
    assert_int_equal(picture.height, upended ? 3 : 2);
    assert_memory_equal(picture.pixels, UPRIGHT[orientation], 6);
    image_release(room->context, &picture);
}

static void a_png_is_turned_upright(void **state)
{
    uint8_t bytes[EXIF_SIZE];
    for (int little = 0; little < 2; little++) {
        for (int orientation = 1; orientation <= 8; orientation++) {
            make_exif(orientation, little, bytes);
            test_file file = make_png("eXIf", bytes, sizeof bytes);
            expect_seen(*state, &file, orientation);
            test_file behind = make_png(NULL, NULL, 0); /* between IDAT and IEND */
            behind.size -= 12;
            put_chunk(&behind, "eXIf", bytes, sizeof bytes);
            put_chunk(&behind, "IEND", NULL, 0);
            expect_seen(*state, &behind, orientation);
        }
    }
}

/* "Raw profile type exif", as ImageMagick wrote it before there was eXIf. */
static size_t make_profile(int orientation, char *text, size_t size)
{
    uint8_t bytes[6 + EXIF_SIZE] = "Exif\0";
    make_exif(orientation, true, bytes + 6);
    int length = snprintf(text, size, "\nexif\n%8d\n", (int)sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        length += snprintf(text + length, size - (size_t)length, "%02x%s", bytes[i],
                           i % 20 == 19 ? "\n" : "");
    return (size_t)length;
}

static void a_png_with_a_raw_profile_is_turned_upright(void **state)
{
    for (int orientation = 1; orientation <= 8; orientation++) {
        char text[512] = "Raw profile type exif", packed[512] = "Raw profile type exif";
        const size_t keyword = strlen(text) + 1;
        size_t size = make_profile(orientation, text + keyword, sizeof text - keyword);
        uLongf packed_size = sizeof packed - keyword - 1;
        assert_int_equal(compress((Bytef *)packed + keyword + 1, &packed_size,
                                  (const Bytef *)text + keyword, size),
                         Z_OK);
        test_file plain = make_png("tEXt", text, keyword + size);
        test_file zipped = make_png("zTXt", packed, keyword + 1 + packed_size);
        expect_seen(*state, &plain, orientation);
        expect_seen(*state, &zipped, orientation);
        uint8_t upside_down[EXIF_SIZE];
        make_exif(3, false, upside_down);
        insert_chunk(&zipped, "eXIf", upside_down,
                     sizeof upside_down); /* the standard's way wins */
        expect_seen(*state, &zipped, 3);
        packed[keyword + 4] ^= 0x55;
        test_file damaged = make_png("zTXt", packed, keyword + 1 + packed_size);
        expect_seen(*state, &damaged, 1);
    }
}

static void a_png_with_damaged_exif_is_read_as_it_lies(void **state)
{
    uint8_t bytes[EXIF_SIZE];
    make_exif(6, true, bytes);
    for (size_t cut = 0; cut < 22; cut++) {
        test_file file = make_png("eXIf", bytes, cut);
        expect_seen(*state, &file, 1);
        make_exif(6, true, bytes);
    }
    test_file file = make_png("eXIf", bytes, sizeof bytes);
    file.bytes[33 + 8 + EXIF_SIZE] ^= 1; /* the checksum */
    expect_seen(*state, &file, 1);
    test_file empty = make_png("tEXt", "Raw profile type exif", 22);
    expect_seen(*state, &empty, 1);
    test_file hollow = make_png("zTXt", "Raw profile type exif\0", 23);
    expect_seen(*state, &hollow, 1);
}

/* A JPEG of colours that no turn leaves as they are; 24 x 16 pixels in blocks of 8 x 8, each of one
   grey, so that blocks come out of the file as they went in. */
static test_file make_blocks(void)
{
    uint8_t pixels[16 * 24];
    for (int i = 0; i < 16 * 24; i++)
        pixels[i] = (uint8_t)(40 * (1 + i % 24 / 8 + 3 * (i / 24 / 8)));
    return make_jpeg(24, 16, pixels, true);
}

static void expect_blocks(scratch *room, const test_file *file, int orientation)
{
    image picture;
    CHECK_OK(room->context,
             image_decode(room->context, file->bytes, file->size, "test", 0, &picture));
    int across = orientation >= 5 ? 2 : 3, down = orientation >= 5 ? 3 : 2;
    assert_int_equal(picture.width, 8 * across);
    assert_int_equal(picture.height, 8 * down);
    for (int i = 0; i < 6; i++) {
        int pixel = picture.pixels[(8 * (i / across) + 4) * picture.width + 8 * (i % across) + 4];
        CHECK_CLOSE(pixel, 40 * (UPRIGHT[orientation][i] - '0'), 2);
    }
    image_release(room->context, &picture);
}

static void a_jpeg_is_turned_upright(void **state)
{
    for (int little = 0; little < 2; little++) {
        for (int orientation = 1; orientation <= 8; orientation++) {
            uint8_t bytes[6 + EXIF_SIZE] = "Exif\0";
            make_exif(orientation, little, bytes + 6);
            test_file file = make_blocks();
            insert_segment(&file, 0xe1, bytes, sizeof bytes);
            expect_blocks(*state, &file, orientation);
            insert_segment(&file, 0xe1, "http://ns.adobe.com/xap/1.0/", 29); /* APP1, too */
            insert_segment(&file, 0xfe, "a comment", 9);
            expect_blocks(*state, &file, orientation);
        }
    }
}

static void a_jpeg_with_damaged_exif_is_read_as_it_lies(void **state)
{
    uint8_t bytes[6 + EXIF_SIZE] = "Exif\0";
    make_exif(6, false, bytes + 6);
    for (size_t cut = 0; cut < 28; cut++) {
        test_file file = make_blocks();
        insert_segment(&file, 0xe1, bytes, cut);
        expect_blocks(*state, &file, 1);
    }
    make_exif(9, false, bytes + 6);
    test_file file = make_blocks();
    insert_segment(&file, 0xe1, bytes, sizeof bytes);
    expect_blocks(*state, &file, 1);
    for (size_t cut = 0; cut < file.size; cut++) of_exactly(file.bytes, cut, exif_of_jpeg);
}

static void an_array_of_a_picture_is_upright(void **state)
{
    scratch *room = *state;
    uint8_t bytes[EXIF_SIZE];
    make_exif(8, true, bytes);
    test_file file = make_png("eXIf", bytes, sizeof bytes);
    const char *path = scratch_path(room, "turned.png");
    CHECK_OK(room->context, file_write(room->context, path, file.bytes, file.size));
    sumi_array array;
    CHECK_OK(room->context, sumi_array_read(room->context, path, &array));
    assert_int_equal(array.shape[0], 3);
    assert_int_equal(array.shape[1], 2);
    for (int i = 0; i < 6; i++) CHECK_CLOSE((array.data[i] + 1) * 127.5f, UPRIGHT[8][i], 1e-3);
    sumi_array_release(room->context, &array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_orientation_is_found_in_both_byte_orders),
        SCRATCH_TEST(the_orientation_may_follow_others_and_be_of_any_whole_type),
        SCRATCH_TEST(damaged_exif_is_upright),
        SCRATCH_TEST(a_png_is_turned_upright),
        SCRATCH_TEST(a_png_with_a_raw_profile_is_turned_upright),
        SCRATCH_TEST(a_png_with_damaged_exif_is_read_as_it_lies),
        SCRATCH_TEST(a_jpeg_is_turned_upright),
        SCRATCH_TEST(a_jpeg_with_damaged_exif_is_read_as_it_lies),
        SCRATCH_TEST(an_array_of_a_picture_is_upright),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
