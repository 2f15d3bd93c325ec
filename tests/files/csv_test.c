/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of numbers, right ones and wrong ones. */
#include "check.h"

#include <locale.h>

#include "base/file.h"
#include "files/csv.h"
#include "scratch.h"

/* A text that must give rows x columns of the numbers listed. */
static void expect_table(scratch *room, const char *text, int64_t rows, int64_t columns,
                         const float *values)
{
    sumi_array array = {0};
    CHECK_OK(room->context, csv_parse(room->context, text, strlen(text), "test", &array));
    assert_int_equal(array.rank, 2);
    assert_int_equal(array.shape[0], rows);
    assert_int_equal(array.shape[1], columns);
    assert_memory_equal(array.data, values, (size_t)(rows * columns) * sizeof *values);
    sumi_array_release(room->context, &array);
}

static void every_separator_gives_the_same_table(void **state)
{
    static const char *const texts[] = {
        "1,-2.5,3e2\n4,5,6\n",
        "1;-2.5;3e2\n4;5;6",
        "1\t-2.5\t3e2\n4\t5\t6\n",
        "1 -2.5 3e2\n4 5 6\n",
        "  1   -2.5  3e2  \n4 5 6\n",
        "1 , -2.5,3e2 \n4, 5, 6\n",
        "1,-2.5,3e2\r\n4,5,6\r\n",
        "\xef\xbb\xbf\x31,-2.5,3e2\n4,5,6\n",
        "\"1\",\"-2.5\",\" 3e2 \"\n4,5,6\n",
        "+1,-2.5,300.0\n\n\n4,5,6\n\n",
    };
    const float values[] = {1, -2.5f, 300, 4, 5, 6};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_table(*state, texts[i], 2, 3, values);
    }
}

static void a_header_line_and_comments_are_passed_over(void **state)
{
    const float values[] = {1, 2, 3, 4};
    expect_table(*state, "time,value\n1,2\n3,4\n", 2, 2, values);
    expect_table(*state, "# made by hand\n\ntime;value\n1;2 # first\n#\n3;4\n", 2, 2, values);
    expect_table(*state, "\"time, s\",\"value\"\n1,2\n3,4\n", 2, 2, values);
    expect_table(*state, "x y\n1 2\n3 4\n", 2, 2, values);
}

static void a_single_column_is_a_table_too(void **state)
{
    const float values[] = {1, 2, 3};
    expect_table(*state, "1\n2\n3\n", 3, 1, values);
    expect_table(*state, "value\n1\n2\n3", 3, 1, values);
}

static void infinities_and_not_a_number_are_numbers_here(void **state)
{
    scratch *room = *state;
    sumi_array array = {0};
    CHECK_OK(room->context, csv_parse(room->context, "inf,-inf,nan\n", 13, "test", &array));
    assert_true(array.data[0] == INFINITY && array.data[1] == -INFINITY && isnan(array.data[2]));
    sumi_array_release(room->context, &array);
}

static void wrong_tables_are_refused_with_the_place(void **state)
{
    static const struct {
        const char *text, *reason;
    } wrong[] = {
        {"", "no numbers"},
        {"# nothing\n", "no numbers"},
        {"time,value\n", "no numbers"},
        {"1,2\n3\n", "line 2, column 1"},
        {"1,2\n3,4,5\n", "line 2, column 3"},
        {"1,2\n3,x\n", "line 2, column 2: \"x\""},
        {"1,2\n3,4x\n", "line 2, column 2: \"4x\""},
        {"1,2\n,4\n", "line 2, column 1"},
        {"1,2,\n", "line 1, column 3"},
        {"1,a\n2,3\n", "line 1, column 2: \"a\""},
        {"a,b\nc,d\n", "line 2, column 1: \"c\""},
        {"1;2,5\n", "line 1, column 2: \"2,5\""},
        {"1,\"2\n3,4\n", "line 1, column 2"},
        {"1,0.0000000000000000000000000000000000000000000000000000000000000000000000001\n",
         "line 1, column 2"},
    };
    scratch *room = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        sumi_array array = {0};
        sumi_status status =
            csv_parse(room->context, wrong[i].text, strlen(wrong[i].text), "test", &array);
        const char *message = sumi_context_message(room->context);
        if (status != SUMI_ERROR_FORMAT || !strstr(message, wrong[i].reason)) {
            fail_msg("%s gives \"%s\"", wrong[i].text, message);
        }
        assert_null(array.data);
    }
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    scratch *room = *state;
    sumi_array array = {0};
    assert_int_equal(csv_parse(room->context, "1,2\0003\n", 6, "test", &array), SUMI_ERROR_FORMAT);
}

static void what_is_written_reads_back_the_same(void **state)
{
    scratch *room = *state;
    const char *path = scratch_path(room, "table.csv");
    float data[] = {0.1f, -1e-38f, 16777216, 3.4028235e38f, 1.0f / 3, -0.0f};
    sumi_array table = {2, {2, 3}, data}, line = {1, {6}, data}, back = {0};
    CHECK_OK(room->context, sumi_array_write(room->context, path, &table));
    CHECK_OK(room->context, csv_read(room->context, path, &back));
    assert_true(back.shape[0] == 2 && back.shape[1] == 3);
    assert_memory_equal(back.data, data, sizeof data);
    sumi_array_release(room->context, &back);
    CHECK_OK(room->context, sumi_array_write(room->context, path, &line));
    CHECK_OK(room->context, csv_read(room->context, path, &back));
    assert_true(back.shape[0] == 6 && back.shape[1] == 1);
    assert_memory_equal(back.data, data, sizeof data);
    sumi_array_release(room->context, &back);
    sumi_array cube = {3, {1, 2, 3}, data};
    assert_int_equal(sumi_array_write(room->context, path, &cube), SUMI_ERROR_ARGUMENT);
}

static void the_decimal_point_is_a_dot_in_every_locale(void **state)
{
    scratch *room = *state;
    const char *names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    const char *set = NULL;
    for (size_t i = 0; i < 3 && !set; i++) set = setlocale(LC_ALL, names[i]);
    if (!set) {
        print_message("skipped: no locale with a decimal comma is installed\n");
        skip();
    }
    const char *path = scratch_path(room, "table.csv");
    float data[] = {1.5f};
    char *text = NULL;
    size_t size = 0;
    sumi_array array = {1, {1}, data};
    CHECK_OK(room->context, sumi_array_write(room->context, path, &array));
    CHECK_OK(room->context, file_read(room->context, path, 100, (void **)&text, &size));
    setlocale(LC_ALL, "C");
    assert_string_equal(text, "1.5\n");
    context_release(room->context, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(every_separator_gives_the_same_table),
        SCRATCH_TEST(a_header_line_and_comments_are_passed_over),
        SCRATCH_TEST(a_single_column_is_a_table_too),
        SCRATCH_TEST(infinities_and_not_a_number_are_numbers_here),
        SCRATCH_TEST(wrong_tables_are_refused_with_the_place),
        SCRATCH_TEST(bytes_that_are_no_text_are_refused),
        SCRATCH_TEST(what_is_written_reads_back_the_same),
        SCRATCH_TEST(the_decimal_point_is_a_dot_in_every_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
