/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of NumPy as pictures, signals and points, from files made byte by byte. */
#include "opening.h"

/* Version 1: magic, version, header length, a Python dict padded to 128 bytes in all, numbers. */
static void write_npy(const char *path, const char *type, const char *shape, const void *numbers,
                      size_t size)
{
    uint8_t bytes[1024];
    memset(bytes, ' ', 128);
    memcpy(bytes, "\x93NUMPY\1\0\x76\0", 10);
    int length = snprintf((char *)bytes + 10, 118,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    bytes[10 + length] = ' ';
    bytes[127] = '\n';
    memcpy(bytes + 128, numbers, size);
    write_bytes(path, bytes, 128 + size);
}

static const float numbers[24] = {0,     0.5f, -1, 3,  4,  5,  6,  7,  8,  9,  10, 11,
                                  -1.5f, 13,   14, 15, 16, 17, 18, 19, 20, 21, 22, 23};

/* Fails unless the set has two items of that shape, holding the numbers in order. */
static void check_items(sumi_data *data, int rank, int64_t a, int64_t b, int64_t c)
{
    int64_t shape[SUMI_MAX_RANK], expected[3] = {a, b, c}, size = 1;
    assert_int_equal(sumi_data_count(data), 2);
    assert_int_equal(sumi_data_shape(data, shape), rank);
    for (int i = 0; i < rank; i++) {
        assert_int_equal(shape[i], expected[i]);
        size *= shape[i];
    }
    float item[12];
    for (int64_t i = 0; i < 2; i++) {
        read_one(data, i, item, NULL);
        assert_memory_equal(item, numbers + i * size, (size_t)size * sizeof *item);
    }
    sumi_data_free(data);
}

static void the_rank_and_the_network_say_what_rows_are(void **state)
{
    (void)state;
    const char *path = path_of("a.npy");
    write_npy(path, "<f4", "(2, 2, 2, 3)", numbers, sizeof numbers);
    check_items(open_data("[data]\nkind = npy\n", path), 3, 2, 2, 3);
    write_npy(path, "<f4", "(2, 3, 4)", numbers, sizeof numbers);
    check_items(open_data("[data]\nkind = npy\n", path), 3, 3, 4, 1);
    check_items(open_data("[data]\nkind = npy\nitems = signals\n", path), 2, 3, 4, 0);
    check_items(open_data("[data]\nkind = npy\n[model]\nkind = unet1d\n", path), 2, 3, 4, 0);
    write_npy(path, "<f4", "(2, 12)", numbers, sizeof numbers);
    check_items(open_data("[data]\nkind = npy\nitems = signals\n", path), 2, 12, 1, 0);
    check_items(open_data("[data]\nkind = npy\n[model]\nkind = mlp\n", path), 1, 12, 0, 0);
    check_items(open_data("[data]\nkind = npy\nitems = points\nmemory = 0\n", path), 1, 12, 0, 0);
}

static void bytes_run_from_minus_one_to_one(void **state)
{
    (void)state;
    const uint8_t bytes[8] = {0, 255, 51, 102, 0, 0, 0, 255};
    write_npy(path_of("b.npy"), "|u1", "(2, 2, 2)", bytes, sizeof bytes);
    sumi_data *data = open_data("[data]\nkind = npy\n", path_of("b.npy"));
    float item[4];
    read_one(data, 0, item, NULL);
    CHECK_CLOSE(item[0], -1, 1e-6);
    CHECK_CLOSE(item[1], 1, 1e-6);
    CHECK_CLOSE(item[2], -0.6, 1e-6);
    CHECK_CLOSE(item[3], -0.2, 1e-6);
    sumi_data_free(data);
}

static void what_is_no_set_of_items_is_refused(void **state)
{
    (void)state;
    const char *path = path_of("c.npy");
    write_npy(path, "<f4", "(24,)", numbers, sizeof numbers);
    check_data_refused("[data]\nkind = npy\n", path, SUMI_ERROR_FORMAT, "expected images");
    write_npy(path, "<f4", "(0, 3, 4)", numbers, 0);
    check_data_refused("[data]\nkind = npy\n", path, SUMI_ERROR_FORMAT, "no items");
    float broken[4] = {0, 1, NAN, 3};
    write_npy(path, "<f4", "(2, 2)", broken, sizeof broken);
    check_data_refused("[data]\nkind = npy\nitems = points\n", path, SUMI_ERROR_NUMBER,
                       "number 0 of item 1 is not finite");
    check_data_refused("[data]\nkind = npy\n", path_of("none.npy"), SUMI_ERROR_FILE, "none.npy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rank_and_the_network_say_what_rows_are),
        cmocka_unit_test(bytes_run_from_minus_one_to_one),
        cmocka_unit_test(what_is_no_set_of_items_is_refused),
    };
    return cmocka_run_group_tests(tests, make_place, leave_place);
}
