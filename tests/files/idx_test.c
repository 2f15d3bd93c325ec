/* SPDX-License-Identifier: Apache-2.0 */
/* IDX files made byte by byte, plain and gzipped, and real MNIST if it is available. */
#include "check.h"

#include <zlib.h>

#include "base/file.h"
#include "files/idx.h"
#include "scratch.h"

/* Two items of [2, 3] bytes. */
static const uint8_t small[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                                0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255};

/* gzip of `size` bytes into out[capacity]; returns its size. */
static size_t compress_gzip(const void *bytes, size_t size, uint8_t *out, size_t capacity)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = (uInt)capacity;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t written = stream.total_out;
    deflateEnd(&stream);
    return written;
}

static void check_small(scratch *room, const void *bytes, size_t size)
{
    idx *opened = NULL;
    uint8_t item[6];
    float values[12];
    CHECK_OK(room->context, idx_parse(room->context, bytes, size, "test", &opened));
    const idx_info *info = idx_describe(opened);
    assert_int_equal(info->type, NUMBER_U8);
    assert_int_equal(info->rank, 3);
    assert_int_equal(info->shape[2], 3);
    assert_int_equal(info->rows, 2);
    assert_int_equal(info->row_size, 6);
    CHECK_OK(room->context, idx_read_bytes(opened, 1, 1, item));
    assert_memory_equal(item, small + 22, 6);
    CHECK_OK(room->context, idx_read_rows(opened, 0, 2, values));
    for (int i = 0; i < 12; i++) assert_true(values[i] == small[16 + i]);
    assert_int_equal(idx_read_bytes(opened, 2, 1, item), SUMI_ERROR_ARGUMENT);
    assert_int_equal(idx_read_rows(opened, -1, 1, values), SUMI_ERROR_ARGUMENT);
    idx_free(opened);
}

static void plain_files_are_read(void **state)
{
    check_small(*state, small, sizeof small);
}

static void gzipped_files_are_read(void **state)
{
    uint8_t packed[256];
    check_small(*state, packed, compress_gzip(small, sizeof small, packed, sizeof packed));
}

static void files_on_disk_are_read_by_their_contents(void **state)
{
    scratch *room = *state;
    uint8_t packed[256];
    size_t size = compress_gzip(small, sizeof small, packed, sizeof packed);
    const char *path = scratch_path(room, "images");
    CHECK_OK(room->context, file_write(room->context, path, packed, size));
    idx *opened = NULL;
    CHECK_OK(room->context, idx_open(room->context, path, &opened));
    assert_int_equal(idx_describe(opened)->count, 12);
    idx_free(opened);
    assert_int_equal(idx_open(room->context, "/nowhere/at.all", &opened), SUMI_ERROR_FILE);
}

static void wider_types_are_big_endian(void **state)
{
    scratch *room = *state;
    const uint8_t shorts[] = {0, 0, 0x0b, 1, 0, 0, 0, 2, 0xff, 0xfe, 1, 0};
    const uint8_t doubles[] = {0, 0, 0x0e, 1, 0, 0, 0, 1, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0};
    float values[2];
    uint8_t bytes[2];
    idx *opened = NULL;
    CHECK_OK(room->context, idx_parse(room->context, shorts, sizeof shorts, "test", &opened));
    CHECK_OK(room->context, idx_read_rows(opened, 0, 2, values));
    assert_true(values[0] == -2 && values[1] == 256);
    assert_int_equal(idx_read_bytes(opened, 0, 2, bytes), SUMI_ERROR_FORMAT);
    idx_free(opened);
    CHECK_OK(room->context, idx_parse(room->context, doubles, sizeof doubles, "test", &opened));
    CHECK_OK(room->context, idx_read_rows(opened, 0, 1, values));
    assert_true(values[0] == 1.5f);
    idx_free(opened);
}

static void expect_refusal(scratch *room, const void *bytes, size_t size, const char *reason)
{
    idx *opened = NULL;
    uint8_t *exact = test_malloc(size ? size : 1);
    if (size) memcpy(exact, bytes, size);
    assert_int_equal(idx_parse(room->context, exact, size, "test", &opened), SUMI_ERROR_FORMAT);
    assert_null(opened);
    if (!strstr(sumi_context_message(room->context), reason)) {
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(room->context), reason);
    }
    test_free(exact);
}

static void wrong_headers_are_refused_with_the_reason(void **state)
{
    expect_refusal(*state, "\x01\x00\x08\x01\0\0\0\0", 8, "magic");
    expect_refusal(*state, "\x00\x00\x0a\x01\0\0\0\0", 8, "magic");
    expect_refusal(*state, "\x89PNG\r\n\x1a\n", 8, "magic");
    expect_refusal(*state, "\0\0\x08\0", 4, "dimensions");
    expect_refusal(*state, "\0\0\x08\x09\0\0\0\0", 8, "dimensions");
    expect_refusal(*state, "\0\0\x08\x01\xff\xff\xff\xff", 8, "negative");
    expect_refusal(*state, "\0\0\x08\x03\x7f\xff\xff\xff\x7f\xff\xff\xff\x7f\xff\xff\xff", 16,
                   "too large");
    expect_refusal(*state, "\0\0\x08\x01\0\0\0\x02x", 9, "cut short");
    expect_refusal(*state, "\0\0\x08\x01\0\0\0\x02xyz", 11, "too long");
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    uint8_t packed[256];
    size_t size = compress_gzip(small, sizeof small, packed, sizeof packed);
    for (size_t cut = 0; cut < sizeof small; cut++) expect_refusal(*state, small, cut, "cut short");
    for (size_t cut = 2; cut < size; cut++) expect_refusal(*state, packed, cut, "cut short");
}

static void gzip_that_is_damaged_or_too_long_is_refused(void **state)
{
    uint8_t packed[256], longer[sizeof small + 1] = {0};
    size_t size = compress_gzip(small, sizeof small, packed, sizeof packed);
    packed[size] = 'x';
    expect_refusal(*state, packed, size + 1, "too long");
    packed[size - 5] ^= 1; /* the checksum */
    expect_refusal(*state, packed, size, "damaged");
    memcpy(longer, small, sizeof small);
    size = compress_gzip(longer, sizeof longer, packed, sizeof packed);
    expect_refusal(*state, packed, size, "too long");
}

/* A few bytes that announce 1 GB of data, and a bomb that inflates to more than it announces. */
static void gzip_bombs_are_refused(void **state)
{
    uint8_t claim[] = {0, 0, 8, 1, 0x40, 0, 0, 0, 1}, packed[4096];
    size_t size = compress_gzip(claim, sizeof claim, packed, sizeof packed);
    expect_refusal(*state, packed, size, "more than its");
    size_t bomb_size = 1 << 20;
    uint8_t *bomb = calloc(1, bomb_size);
    assert_non_null(bomb);
    memcpy(bomb, small, 16);
    size = compress_gzip(bomb, bomb_size, packed, sizeof packed);
    expect_refusal(*state, packed, size, "too long");
    free(bomb);
}

static void real_mnist_has_the_published_counts(void **state)
{
    scratch *room = *state;
    const char *path = SOURCE_FOLDER "/../shared/data/mnist/t10k-labels-idx1-ubyte.gz";
    if (!path_exists(path)) {
        print_message("skipped: there is no %s\n", path);
        skip();
    }
    idx *opened = NULL;
    static uint8_t labels[10000];
    int sevens = 0;
    CHECK_OK(room->context, idx_open(room->context, path, &opened));
    assert_int_equal(idx_describe(opened)->count, 10000);
    CHECK_OK(room->context, idx_read_bytes(opened, 0, 10000, labels));
    for (int i = 0; i < 10000; i++) sevens += labels[i] == 7;
    assert_int_equal(sevens, 1028);
    assert_int_equal(labels[0], 7);
    idx_free(opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(plain_files_are_read),
        SCRATCH_TEST(gzipped_files_are_read),
        SCRATCH_TEST(files_on_disk_are_read_by_their_contents),
        SCRATCH_TEST(wider_types_are_big_endian),
        SCRATCH_TEST(wrong_headers_are_refused_with_the_reason),
        SCRATCH_TEST(a_file_cut_anywhere_is_refused),
        SCRATCH_TEST(gzip_that_is_damaged_or_too_long_is_refused),
        SCRATCH_TEST(gzip_bombs_are_refused),
        SCRATCH_TEST(real_mnist_has_the_published_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
