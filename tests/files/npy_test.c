/* SPDX-License-Identifier: Apache-2.0 */
/* .npy files made byte by byte as NumPy's format description has them. */
#include "check.h"

#include "base/file.h"
#include "files/npy.h"
#include "scratch.h"

enum { FILE_SIZE = 1024 };

typedef struct test_file {
    uint8_t bytes[FILE_SIZE];
    size_t size;
} test_file;

static test_file make_file(int version, const char *dict, const void *data, size_t data_size)
{
    test_file file = {{0}, 0};
    size_t length = strlen(dict), start = version == 1 ? 10 : 12;
    file.size = start + length + data_size;
    assert_true(file.size <= FILE_SIZE);
    memcpy(file.bytes, "\x93NUMPY", 6);
    file.bytes[6] = (uint8_t)version;
    file.bytes[8] = (uint8_t)length;
    file.bytes[9] = (uint8_t)(length >> 8);
    memcpy(file.bytes + start, dict, length);
    if (data_size) memcpy(file.bytes + start + length, data, data_size);
    return file;
}

static sumi_status parse(scratch *room, const test_file *file, npy **opened)
{
    return npy_parse(room->context, file->bytes, file->size, "test", opened);
}

/* Reads all rows of a file that must open: values[count of elements]. */
static void read_all(scratch *room, const test_file *file, float *values)
{
    npy *opened = NULL;
    CHECK_OK(room->context, parse(room, file, &opened));
    CHECK_OK(room->context, npy_read_rows(opened, 0, npy_describe(opened)->rows, values));
    npy_free(opened);
}

static void all_three_versions_are_read(void **state)
{
    scratch *room = *state;
    const float data[] = {1, 2, 3, 4, 5, 6};
    for (int version = 1; version <= 3; version++) {
        test_file file = make_file(version,
                                   "{'descr': '<f4', 'fortran_order': False, "
                                   "'shape': (2, 3), }      \n",
                                   data, sizeof data);
        npy *opened = NULL;
        float row[3];
        CHECK_OK(room->context, parse(room, &file, &opened));
        const npy_info *info = npy_describe(opened);
        assert_int_equal(info->rank, 2);
        assert_int_equal(info->shape[0], 2);
        assert_int_equal(info->shape[1], 3);
        assert_int_equal(info->rows, 2);
        assert_int_equal(info->row_size, 3);
        CHECK_OK(room->context, npy_read_rows(opened, 1, 1, row));
        assert_memory_equal(row, data + 3, sizeof row);
        npy_free(opened);
    }
}

static void keys_may_come_in_any_order_and_quotes(void **state)
{
    scratch *room = *state;
    float value = 0;
    test_file file =
        make_file(1, "{\"shape\":(1,),\"fortran_order\":False,\"descr\":\"|u1\"}", "\x07", 1);
    read_all(room, &file, &value);
    assert_true(value == 7);
}

static void both_byte_orders_and_all_widths_are_read(void **state)
{
    static const struct {
        const char *descr, *data;
        size_t size;
        float value;
    } cases[] = {
        {"|b1", "\x01", 1, 1},
        {"|i1", "\xfe", 1, -2},
        {"<u2", "\x00\x01", 2, 256},
        {">u2", "\x00\x01", 2, 1},
        {">i4", "\xff\xff\xff\xff", 4, -1},
        {"<i8", "\x03\0\0\0\0\0\0\0", 8, 3},
        {">f2", "\x3c\x00", 2, 1},
        {"<f8", "\0\0\0\0\0\0\xf8\x3f", 8, 1.5f},
        {">f8", "\x3f\xf8\0\0\0\0\0\0", 8, 1.5f},
    };
    scratch *room = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char dict[128];
        float value = 0;
        snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': ()}",
                 cases[i].descr);
        test_file file = make_file(1, dict, cases[i].data, cases[i].size);
        read_all(room, &file, &value);
        assert_true(value == cases[i].value);
    }
}

/* Element (i, j, k) of [2, 3, 4] holds 100 i + 10 j + k. */
static void fortran_order_comes_out_row_major(void **state)
{
    scratch *room = *state;
    uint8_t data[24];
    float values[24], rows[12];
    for (int k = 0; k < 4; k++) {
        for (int j = 0; j < 3; j++) {
            for (int i = 0; i < 2; i++) {
                data[i + 2 * (j + 3 * k)] = (uint8_t)(100 * i + 10 * j + k);
            }
        }
    }
    test_file file = make_file(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4)}",
                               data, sizeof data);
    read_all(room, &file, values);
    for (int n = 0; n < 24; n++) {
        assert_true(values[n] == (float)(100 * (n / 12) + 10 * (n / 4 % 3) + n % 4));
    }
    npy *opened = NULL;
    CHECK_OK(room->context, parse(room, &file, &opened));
    CHECK_OK(room->context, npy_read_rows(opened, 1, 1, rows));
    assert_memory_equal(rows, values + 12, sizeof rows);
    npy_free(opened);
}

static void rows_outside_the_file_are_refused(void **state)
{
    scratch *room = *state;
    float values[4];
    npy *opened = NULL;
    test_file file =
        make_file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)}", "1234", 4);
    CHECK_OK(room->context, parse(room, &file, &opened));
    assert_int_equal(npy_read_rows(opened, 1, 2, values), SUMI_ERROR_ARGUMENT);
    assert_int_equal(npy_read_rows(opened, -1, 1, values), SUMI_ERROR_ARGUMENT);
    assert_int_equal(npy_read_rows(opened, 0, -1, values), SUMI_ERROR_ARGUMENT);
    assert_int_equal(npy_read_rows(opened, INT64_MAX, 1, values), SUMI_ERROR_ARGUMENT);
    CHECK_OK(room->context, npy_read_rows(opened, 2, 0, values));
    npy_free(opened);
}

static void wrong_headers_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *dict, *reason;
    } wrong[] = {
        {"", "'{'"},
        {"{'descr': '<f4', 'fortran_order': False}", "shape"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "each once"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}", "each once"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "a number from 0"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}", "','"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 2}", "parentheses"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "',' or '}'"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", "nothing more"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}", "dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "2^63"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,4294967296)}", "too large"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", "too large"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "not supported"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "not supported"},
        {"{'descr': 'f4', 'fortran_order': False, 'shape': (2,)}", "not supported"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "record types"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "cut short"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "too long"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}", "too long"},
    };
    scratch *room = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        npy *opened = NULL;
        test_file file = make_file(1, wrong[i].dict, "12345678", 8);
        sumi_status status = parse(room, &file, &opened);
        const char *message = sumi_context_message(room->context);
        assert_true(status == SUMI_ERROR_FORMAT || status == SUMI_ERROR_UNSUPPORTED);
        assert_null(opened);
        if (!strstr(message, wrong[i].reason) || !strstr(message, "test")) {
            fail_msg("%s gives \"%s\"", wrong[i].dict, message);
        }
    }
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    scratch *room = *state;
    test_file file =
        make_file(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "12345678", 8);
    for (size_t size = 0; size < file.size; size++) {
        npy *opened = NULL;
        uint8_t *exact = test_malloc(size ? size : 1);
        memcpy(exact, file.bytes, size);
        assert_int_equal(npy_parse(room->context, exact, size, "test", &opened), SUMI_ERROR_FORMAT);
        test_free(exact);
    }
}

static void a_wrong_magic_or_version_is_refused(void **state)
{
    scratch *room = *state;
    npy *opened = NULL;
    test_file file = make_file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': ()}", "1", 1);
    file.bytes[6] = 4;
    assert_int_equal(parse(room, &file, &opened), SUMI_ERROR_UNSUPPORTED);
    file.bytes[0] = 'N';
    assert_int_equal(parse(room, &file, &opened), SUMI_ERROR_FORMAT);
    file = make_file(2, "{}", "1", 1);
    file.bytes[11] = 0x7f;
    assert_int_equal(parse(room, &file, &opened), SUMI_ERROR_FORMAT);
}

static void a_written_array_is_what_numpy_writes_and_reads_back(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a.npy");
    float data[] = {1, -2.5f, INFINITY, 4, 5, 6};
    sumi_array array = {2, {3, 2}, data}, back = {0};
    CHECK_OK(room->context, sumi_array_write(room->context, path, &array));
    char *bytes = NULL;
    size_t size = 0;
    CHECK_OK(room->context, file_read(room->context, path, FILE_SIZE, (void **)&bytes, &size));
    static const char start[] = "\x93NUMPY\x01\x00\x76\x00"
                                "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
    assert_int_equal(size, 128 + sizeof data);
    assert_memory_equal(bytes, start, sizeof start - 1);
    assert_int_equal(bytes[127], '\n');
    assert_memory_equal(bytes + 128, data, sizeof data);
    context_release(room->context, bytes);
    CHECK_OK(room->context, npy_read(room->context, path, &back));
    assert_int_equal(back.rank, 2);
    assert_memory_equal(back.data, data, sizeof data);
    sumi_array_release(room->context, &back);
}

static void every_rank_is_written_and_read(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "a.npy");
    for (int rank = 0; rank <= SUMI_MAX_RANK; rank++) {
        float data[256];
        sumi_array array = {rank, {2, 2, 2, 2, 2, 2, 2, 2}, data}, back = {0};
        for (int i = 0; i < 256; i++) data[i] = (float)i;
        CHECK_OK(room->context, sumi_array_write(room->context, path, &array));
        CHECK_OK(room->context, npy_read(room->context, path, &back));
        assert_int_equal(back.rank, rank);
        assert_int_equal(sumi_array_count(&back), 1 << rank);
        assert_memory_equal(back.data, data, sizeof(float) << rank);
        sumi_array_release(room->context, &back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(all_three_versions_are_read),
        SCRATCH_TEST(keys_may_come_in_any_order_and_quotes),
        SCRATCH_TEST(both_byte_orders_and_all_widths_are_read),
        SCRATCH_TEST(fortran_order_comes_out_row_major),
        SCRATCH_TEST(rows_outside_the_file_are_refused),
        SCRATCH_TEST(wrong_headers_are_refused_with_the_reason),
        SCRATCH_TEST(a_file_cut_anywhere_is_refused),
        SCRATCH_TEST(a_wrong_magic_or_version_is_refused),
        SCRATCH_TEST(a_written_array_is_what_numpy_writes_and_reads_back),
        SCRATCH_TEST(every_rank_is_written_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
