/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of PNG files, put together chunk by chunk as the PNG specification describes them. */
#include "files/png_text.h"

#include "base/file.h"
#include "files/png.h"
#include "picture_bytes.h"
#include "scratch.h"

/* A grey picture of one pixel with one chunk between header and pixels. */
static test_file picture_with(const char *type, const void *data, size_t size)
{
    static const uint8_t row[] = {0, 77};
    test_file file = begin_png(1, 1, 8, 0);
    if (type) put_chunk(&file, type, data, size);
    end_png(&file, row, sizeof row);
    return file;
}

#define PICTURE_WITH(type, data) picture_with(type, data, sizeof data - 1)

static void write_file(scratch *room, const char *name, const test_file *file)
{
    CHECK_OK(room->context,
             file_write(room->context, scratch_path(room, name), file->bytes, file->size));
}

static char *text_of(scratch *room, const test_file *file, const char *keyword)
{
    char *text = NULL;
    write_file(room, "a.png", file);
    CHECK_OK(room->context,
             sumi_png_get_text(room->context, scratch_path(room, "a.png"), keyword, &text));
    return text;
}

static void check_text(scratch *room, const test_file *file, const char *expected)
{
    char *text = text_of(room, file, "Title");
    assert_non_null(text);
    assert_string_equal(text, expected);
    sumi_text_release(room->context, text);
}

static void texts_of_all_three_kinds_are_read_as_utf8(void **state)
{
    scratch *room = *state;
    uint8_t packed[200] = "Title\0\0";
    uLongf size = sizeof packed - 7;
    test_file file = PICTURE_WITH("tEXt", "Title\0na\xefve");
    check_text(room, &file, "na\xc3\xafve");
    file = PICTURE_WITH("iTXt", "Title\0\0\0fr\0Titre\0na\xc3\xafve");
    check_text(room, &file, "na\xc3\xafve");
    assert_int_equal(compress(packed + 7, &size, (const uint8_t *)"caf\xe9", 4), Z_OK);
    file = picture_with("zTXt", packed, 7 + size);
    check_text(room, &file, "caf\xc3\xa9");
    memcpy(packed, "Title\0\1\0\0\0", 10);
    size = sizeof packed - 10;
    assert_int_equal(compress(packed + 10, &size, (const uint8_t *)"caf\xc3\xa9", 5), Z_OK);
    file = picture_with("iTXt", packed, 10 + size);
    check_text(room, &file, "caf\xc3\xa9");
}

static void a_missing_keyword_gives_no_text(void **state)
{
    scratch *room = *state;
    test_file file = PICTURE_WITH("tEXt", "Titles\0x");
    assert_null(text_of(room, &file, "Title"));
    file = picture_with(NULL, NULL, 0);
    assert_null(text_of(room, &file, "Title"));
}

static void check_refused(scratch *room, const test_file *file, const char *reason)
{
    char *text = NULL, message[SCRATCH_PATH + 256];
    write_file(room, "bad.png", file);
    assert_int_equal(
        sumi_png_get_text(room->context, scratch_path(room, "bad.png"), "Title", &text),
        SUMI_ERROR_FORMAT);
    assert_null(text);
    snprintf(message, sizeof message, "%s: %s", room->path, reason);
    assert_string_equal(sumi_context_message(room->context), message);
}

static void damaged_texts_are_refused_with_the_reason(void **state)
{
    scratch *room = *state;
    test_file file = PICTURE_WITH("tEXt", "\0x");
    check_refused(room, &file, "a text of the PNG has no keyword of 1 to 79 characters");
    file = PICTURE_WITH("tEXt", "Title");
    check_refused(room, &file, "a text of the PNG has no keyword of 1 to 79 characters");
    file = PICTURE_WITH("iTXt", "Title\0\0");
    check_refused(room, &file, "the PNG's text \"Title\" is cut short");
    file = PICTURE_WITH("iTXt", "Title\0\0\0fr\0Titre");
    check_refused(room, &file, "the PNG's text \"Title\" is cut short");
    file = PICTURE_WITH("iTXt", "Title\0\0\0\0\0na\xefve");
    check_refused(room, &file, "the PNG's text \"Title\" is not UTF-8");
    file = PICTURE_WITH("tEXt", "Title\0a\033[2Jb");
    check_refused(room, &file, "the PNG's text \"Title\" is not UTF-8");
    file = PICTURE_WITH("zTXt", "Title\0\1x");
    check_refused(room, &file, "the PNG's text \"Title\" is compressed in an unknown way");
    file = PICTURE_WITH("iTXt", "Title\0\2\0\0\0x");
    check_refused(room, &file, "the PNG's text \"Title\" is compressed in an unknown way");
    file = PICTURE_WITH("zTXt", "Title\0\0xyz");
    check_refused(room, &file, "the PNG's text \"Title\" is not compressed data");
    file = PICTURE_WITH("tEXt", "Title\0x");
    file.bytes[33 + 8 + 6] ^= 1;
    check_refused(room, &file, "damaged PNG: the checksum of the text at byte 33 is wrong");
    file = PICTURE_WITH("tEXt", "Title\0x");
    file.size -= 13;
    check_refused(room, &file, "damaged PNG: cut short in the chunk at byte 52");
    file.size = 20;
    check_refused(room, &file, "is not a PNG file");
}

static void a_text_that_decompresses_to_gigabytes_is_refused(void **state)
{
    scratch *room = *state;
    size_t size = (size_t)20 << 20;
    uint8_t *zeros = calloc(size, 1), *packed = malloc(FILE_SIZE * 4);
    uLongf length = FILE_SIZE * 4 - 8;
    assert_non_null(zeros);
    memset(zeros, 'a', size);
    memcpy(packed, "Title\0\0", 7);
    assert_int_equal(compress2(packed + 7, &length, zeros, size, 9), Z_OK);
    free(zeros);
    json_object *texts = json_object_new_object();
    uint8_t *bytes = malloc(8 + 25 + 12 + 7 + length + 12);
    test_file start = begin_png(1, 1, 8, 0);
    memcpy(bytes, start.bytes, start.size);
    uint8_t *chunk = bytes + start.size;
    put_word(chunk, (uint32_t)(7 + length));
    memcpy(chunk + 4, "zTXt", 4);
    memcpy(chunk + 8, packed, 7 + length);
    put_word(chunk + 15 + length, (uint32_t)crc32(0, chunk + 4, (uInt)(11 + length)));
    assert_int_equal(png_texts_read(room->context, bytes, start.size + 19 + length, "bomb", texts),
                     SUMI_ERROR_FORMAT);
    assert_string_equal(sumi_context_message(room->context),
                        "bomb: the PNG's text \"Title\" is too large");
    json_object_put(texts);
    free(packed);
    free(bytes);
}

#define ONE_TEXT(KEYWORD, TEXT)                                                                    \
    &(sumi_png_text){.size = sizeof(sumi_png_text), .keyword = KEYWORD, .text = TEXT}, 1

static void texts_are_replaced_and_the_pixels_stay(void **state)
{
    scratch *room = *state;
    test_file file = PICTURE_WITH("tEXt", "Title\0old");
    image picture = {0};
    void *bytes = NULL;
    size_t size = 0;
    write_file(room, "a.png", &file);
    const char *path = scratch_path(room, "a.png");
    CHECK_OK(room->context,
             sumi_png_set_texts(room->context, path, ONE_TEXT("Title", "n\xc3\xa9w")));
    CHECK_OK(room->context, sumi_png_set_texts(room->context, path, ONE_TEXT("Author", "someone")));
    CHECK_OK(room->context, file_read(room->context, path, 1 << 20, &bytes, &size));
    json_object *texts = json_object_new_object();
    CHECK_OK(room->context, png_texts_read(room->context, bytes, size, path, texts));
    assert_int_equal(json_object_object_length(texts), 2);
    assert_string_equal(json_object_get_string(json_object_object_get(texts, "Title")),
                        "n\xc3\xa9w");
    assert_string_equal(json_object_get_string(json_object_object_get(texts, "Author")), "someone");
    json_object_put(texts);
    CHECK_OK(room->context, png_decode(room->context, bytes, size, path, &picture));
    assert_int_equal(picture.pixels[0], 77);
    image_release(room->context, &picture);
    context_release(room->context, bytes);
}

static void unfit_texts_are_refused_and_the_file_stays(void **state)
{
    scratch *room = *state;
    test_file file = picture_with(NULL, NULL, 0);
    sumi_context *context = room->context;
    void *bytes = NULL;
    size_t size = 0;
    write_file(room, "a.png", &file);
    const char *path = scratch_path(room, "a.png");
    assert_int_equal(sumi_png_set_texts(context, path, ONE_TEXT("", "x")), SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_png_set_texts(context, path, ONE_TEXT(" Title", "x")),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_png_set_texts(context, path, ONE_TEXT("T\xc3\xa9", "x")),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_png_set_texts(context, path, ONE_TEXT("Title", "\xff")),
                     SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(context),
                        "the PNG's text \"Title\" should be UTF-8 of at most 16777216 bytes");
    assert_int_equal(sumi_png_set_texts(context, path, ONE_TEXT("Title", NULL)),
                     SUMI_ERROR_ARGUMENT);
    CHECK_OK(context, file_read(context, path, 1 << 20, &bytes, &size));
    assert_int_equal(size, file.size);
    assert_memory_equal(bytes, file.bytes, size);
    context_release(context, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(texts_of_all_three_kinds_are_read_as_utf8),
        SCRATCH_TEST(a_missing_keyword_gives_no_text),
        SCRATCH_TEST(damaged_texts_are_refused_with_the_reason),
        SCRATCH_TEST(a_text_that_decompresses_to_gigabytes_is_refused),
        SCRATCH_TEST(texts_are_replaced_and_the_pixels_stay),
        SCRATCH_TEST(unfit_texts_are_refused_and_the_file_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
