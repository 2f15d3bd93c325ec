/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays in files through the public calls: the format follows from the contents, not from the
   name. */
#include "check.h"

#include "base/file.h"
#include "scratch.h"

static void check_same(scratch *room, const char *path, const sumi_array *expected)
{
    sumi_array back = {0};
    CHECK_OK(room->context, sumi_array_read(room->context, path, &back));
    assert_int_equal(back.rank, expected->rank);
    for (int i = 0; i < back.rank; i++) assert_int_equal(back.shape[i], expected->shape[i]);
    assert_memory_equal(back.data, expected->data,
                        (size_t)sumi_array_count(expected) * sizeof *back.data);
    sumi_array_release(room->context, &back);
}

static void every_kind_is_written_by_name_and_read_by_contents(void **state)
{
    static const char *const endings[] = {"a.npy", "a.CSV", "a.png"};
    scratch *room = *state;
    float numbers[] = {1, 2, 3, 4, 5, 6.5f}, pixels[] = {-1, 1, 1, 1, -1, -1};
    sumi_array table = {2, {2, 3}, numbers}, picture = {3, {2, 1, 3}, pixels};
    for (int i = 0; i < 3; i++) {
        const sumi_array *array = i < 2 ? &table : &picture;
        char path[SCRATCH_PATH];
        snprintf(path, sizeof path, "%s", scratch_path(room, endings[i]));
        CHECK_OK(room->context, sumi_array_write(room->context, path, array));
        check_same(room, path, array);
        const char *renamed = scratch_path(room, "no-ending");
        assert_int_equal(rename(path, renamed), 0);
        check_same(room, renamed, array);
    }
}

static void pictures_have_values_from_minus_one_to_one(void **state)
{
    scratch *room = *state;
    float pixels[] = {-1.0f, 0.5f, 1.0f, 7.0f};
    sumi_array picture = {3, {1, 4, 1}, pixels}, back = {0};
    const char *path = scratch_path(room, "a.png");
    CHECK_OK(room->context, sumi_array_write(room->context, path, &picture));
    CHECK_OK(room->context, sumi_array_read(room->context, path, &back));
    for (int i = 0; i < 4; i++) CHECK_CLOSE(back.data[i], fminf(pixels[i], 1), 0.5 / 127.5 + 1e-6);
    sumi_array_release(room->context, &back);
}

static void what_is_no_array_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *reason;
    } wrong[] = {
        {"", 0, "neither"},
        {"\0\0\x08\x01", 4, "neither"},
        {"\x93NUMPY\x01", 7, "cut short"},
        {"\x89PNG\r\n\x1a\n", 8, "damaged PNG"},
        {"\xff\xd8\xff", 3, "damaged JPEG"},
        {"hello, world\n", 13, "no numbers"},
        {"1,2\nthree,4\n", 12, "line 2"},
    };
    scratch *room = *state;
    const char *path = scratch_path(room, "wrong");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        sumi_array array = {0};
        CHECK_OK(room->context, file_write(room->context, path, wrong[i].bytes, wrong[i].size));
        assert_int_equal(sumi_array_read(room->context, path, &array), SUMI_ERROR_FORMAT);
        assert_null(array.data);
        const char *message = sumi_context_message(room->context);
        if (!strstr(message, wrong[i].reason) || !strstr(message, path)) fail_msg("%s", message);
    }
}

static void what_cannot_be_written_is_refused_and_leaves_no_file(void **state)
{
    scratch *room = *state;
    float data[8] = {0};
    const struct {
        const char *name;
        sumi_array array;
    } wrong[] = {
        {"a.txt", {1, {8}, data}},       {"a.csv", {3, {2, 2, 2}, data}},
        {"a.png", {2, {2, 4}, data}},    {"a.png", {3, {2, 2, 2}, data}},
        {"a.png", {3, {0, 8, 1}, data}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *path = scratch_path(room, wrong[i].name);
        assert_int_equal(sumi_array_write(room->context, path, &wrong[i].array),
                         SUMI_ERROR_ARGUMENT);
        assert_false(path_exists(path));
    }
    sumi_array array = {1, {8}, data};
    assert_int_equal(sumi_array_write(room->context, "/nowhere/a.npy", &array), SUMI_ERROR_FILE);
}

static void folders_and_missing_files_are_refused(void **state)
{
    scratch *room = *state;
    sumi_array array = {0};
    assert_int_equal(sumi_array_read(room->context, room->folder, &array), SUMI_ERROR_FILE);
    assert_int_equal(sumi_array_read(room->context, "/nowhere/a", &array), SUMI_ERROR_FILE);
    assert_int_equal(sumi_array_read(room->context, "/dev/zero", &array), SUMI_ERROR_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(every_kind_is_written_by_name_and_read_by_contents),
        SCRATCH_TEST(pictures_have_values_from_minus_one_to_one),
        SCRATCH_TEST(what_is_no_array_is_refused),
        SCRATCH_TEST(what_cannot_be_written_is_refused_and_leaves_no_file),
        SCRATCH_TEST(folders_and_missing_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
