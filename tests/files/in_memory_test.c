/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays and recipes in memory: the same bytes as in files, and the same refusals. */
#include <string.h>

#include "base/file.h"
#include "scratch.h"

/* What sumi_array_write puts into a file is what sumi_array_write_memory gives. */
static void assert_same_as_file(scratch *room, const char *format, const sumi_array *array)
{
    char name[32];
    void *in_file = NULL, *in_memory = NULL;
    size_t file_size = 0, memory_size = 0;
    snprintf(name, sizeof name, "a.%s", format);
    const char *path = scratch_path(room, name);
    CHECK_OK(room->context, sumi_array_write(room->context, path, array));
    CHECK_OK(room->context, file_read(room->context, path, 1 << 20, &in_file, &file_size));
    CHECK_OK(room->context,
             sumi_array_write_memory(room->context, format, array, &in_memory, &memory_size));
    assert_int_equal(memory_size, file_size);
    assert_memory_equal(in_memory, in_file, file_size);
    sumi_array back = {0};
    CHECK_OK(room->context,
             sumi_array_read_memory(room->context, in_memory, memory_size, "bytes", &back));
    assert_int_equal(back.rank, array->rank);
    for (int i = 0; i < back.rank; i++) assert_int_equal(back.shape[i], array->shape[i]);
    assert_memory_equal(back.data, array->data,
                        (size_t)sumi_array_count(array) * sizeof *array->data);
    sumi_array_release(room->context, &back);
    sumi_bytes_release(room->context, in_memory);
    context_release(room->context, in_file);
}

static void an_array_in_memory_has_the_bytes_of_its_file_and_reads_back(void **state)
{
    scratch *room = *state;
    float numbers[] = {1, 2, 3, 4, 5, 6.5f}, pixels[] = {-1, 1, 1, 1, -1, -1};
    sumi_array table = {2, {2, 3}, numbers}, picture = {3, {2, 1, 3}, pixels};
    assert_same_as_file(room, "npy", &table);
    assert_same_as_file(room, "csv", &table);
    if (sumi_has("png")) assert_same_as_file(room, "png", &picture);
}

/* More than the initial capacity of a writer to memory. */
static void a_large_array_grows_its_memory(void **state)
{
    scratch *room = *state;
    sumi_array large = {0};
    CHECK_OK(room->context, sumi_array_create(room->context, 2, (int64_t[]){300, 70}, &large));
    for (int i = 0; i < 300 * 70; i++) large.data[i] = (float)i / 7;
    assert_same_as_file(room, "npy", &large);
    assert_same_as_file(room, "csv", &large);
    sumi_array_release(room->context, &large);
}

static void what_cannot_be_written_leaves_no_memory_behind(void **state)
{
    scratch *room = *state;
    float numbers[] = {1, 2, 3, 4};
    sumi_array flat = {1, {4}, numbers}, cube = {3, {1, 2, 2}, numbers};
    void *bytes = numbers;
    size_t size = 1;
    sumi_context *context = room->context;
    assert_int_equal(sumi_array_write_memory(context, "csv", &cube, &bytes, &size),
                     SUMI_ERROR_ARGUMENT);
    assert_null(bytes);
    assert_int_equal(size, 0);
    assert_int_equal(sumi_array_write_memory(context, "png", &flat, &bytes, &size),
                     SUMI_ERROR_ARGUMENT);
    assert_null(bytes);
    assert_int_equal(sumi_array_write_memory(context, "gif", &flat, &bytes, &size),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "npy, csv or png"));
}

static void bytes_that_are_no_array_are_refused_by_the_name_given(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *reason;
    } wrong[] = {
        {"", 0, "neither"},
        {"\0\0\x08\x01", 4, "neither"},
        {"\x93NUMPY\x01", 7, "cut short"},
        {"1,2\n3,x\n", 8, "line 2"},
    };
    scratch *room = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sumi_array array = {0};
        assert_int_equal(sumi_array_read_memory(room->context, wrong[i].bytes, wrong[i].size,
                                                "the upload", &array),
                         SUMI_ERROR_FORMAT);
        assert_null(array.data);
        assert_non_null(strstr(sumi_context_message(room->context), "the upload"));
        assert_non_null(strstr(sumi_context_message(room->context), wrong[i].reason));
    }
}

static void a_recipe_s_text_is_read_and_given_back(void **state)
{
    scratch *room = *state;
    sumi_recipe *recipe = NULL, *again = NULL;
    char *text = NULL;
    void *in_file = NULL;
    size_t size = 0;
    const char *path = scratch_path(room, "a.ini");
    CHECK_OK(room->context,
             sumi_recipe_parse(room->context, "[train]\nsteps = 12\n", "mine", &recipe));
    assert_string_equal(sumi_recipe_get(recipe, "train.steps"), "12");
    CHECK_OK(room->context, sumi_recipe_text(recipe, &text));
    CHECK_OK(room->context, sumi_recipe_write(recipe, path));
    CHECK_OK(room->context, file_read(room->context, path, 1 << 20, &in_file, &size));
    assert_int_equal(size, strlen(text));
    assert_memory_equal(in_file, text, size);
    CHECK_OK(room->context, sumi_recipe_parse(room->context, text, "again", &again));
    assert_string_equal(sumi_recipe_get(again, "train.steps"), "12");
    context_release(room->context, in_file);
    sumi_text_release(room->context, text);
    sumi_recipe_free(again);
    sumi_recipe_free(recipe);
}

static void errors_of_a_recipe_have_the_given_name(void **state)
{
    scratch *room = *state;
    sumi_recipe *recipe = NULL;
    assert_int_equal(sumi_recipe_parse(room->context, "[train]\nstep = 1\n", "mine", &recipe),
                     SUMI_ERROR_ARGUMENT);
    assert_null(recipe);
    assert_non_null(strstr(sumi_context_message(room->context), "mine, line 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_array_in_memory_has_the_bytes_of_its_file_and_reads_back),
        SCRATCH_TEST(a_large_array_grows_its_memory),
        SCRATCH_TEST(what_cannot_be_written_leaves_no_memory_behind),
        SCRATCH_TEST(bytes_that_are_no_array_are_refused_by_the_name_given),
        SCRATCH_TEST(a_recipe_s_text_is_read_and_given_back),
        SCRATCH_TEST(errors_of_a_recipe_have_the_given_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
