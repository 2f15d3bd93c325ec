/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of texts, by the rules of RFC 4180. */
#include "files/text_table.h"

#include "one_context.h"

static void parse(const char *text, struct text_table *table)
{
    CHECK_OK(context, text_table_parse(context, text, strlen(text), "a.csv", table));
}

static void fields_quotes_and_ends_of_lines_follow_rfc_4180(void **state)
{
    (void)state;
    struct text_table table;
    parse("file_name,text\r\n1.png,a cat\r\n\"2.png\",\"a \"\"red\"\" dog, asleep\"\r\n"
          "3.png,\"two\nlines\"\n\n4.png,",
          &table);
    assert_int_equal(table.rows, 4);
    assert_int_equal(table.columns, 2);
    assert_int_equal(text_table_column(&table, "text"), 1);
    assert_int_equal(text_table_column(&table, "caption"), -1);
    assert_string_equal(text_table_get(&table, 0, 0), "1.png");
    assert_string_equal(text_table_get(&table, 0, 1), "a cat");
    assert_string_equal(text_table_get(&table, 1, 0), "2.png");
    assert_string_equal(text_table_get(&table, 1, 1), "a \"red\" dog, asleep");
    assert_string_equal(text_table_get(&table, 2, 1), "two\nlines");
    assert_string_equal(text_table_get(&table, 3, 1), "");
    text_table_release(context, &table);
}

static void tabs_and_a_byte_order_mark_are_understood(void **state)
{
    (void)state;
    struct text_table table;
    parse("\xef\xbb\xbf"
          "file_name\ttext\n1.png\tone, two\n",
          &table);
    assert_int_equal(table.rows, 1);
    assert_int_equal(text_table_column(&table, "file_name"), 0);
    assert_string_equal(text_table_get(&table, 0, 1), "one, two");
    text_table_release(context, &table);
}

static void check_refused(const char *text, const char *reason)
{
    struct text_table table;
    assert_int_equal(text_table_parse(context, text, strlen(text), "a.csv", &table),
                     SUMI_ERROR_FORMAT);
    assert_null(table.fields);
    assert_string_equal(sumi_context_message(context), reason);
}

static void bad_tables_are_refused_with_the_line(void **state)
{
    (void)state;
    check_refused("", "a.csv: is empty; a table begins with the names of its columns");
    check_refused("\n\n", "a.csv: is empty; a table begins with the names of its columns");
    check_refused("a,b\n1,2\n1\n", "a.csv: line 3: has 1 fields, where the first line has 2");
    check_refused("a,b\n1,2,3\n", "a.csv: line 2: has 3 fields, where the first line has 2");
    check_refused("a,b\n\"1,2\n", "a.csv: line 3: a quote is not closed");
    check_refused("a,b\n\"1\"2,3\n", "a.csv: line 2: a quoted field is followed by other letters");
    check_refused("a\rb\n", "a.csv: line 1: ends with a carriage return alone");
    check_refused("a,\xff\n", "a.csv: is not a text in UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(fields_quotes_and_ends_of_lines_follow_rfc_4180),
        CONTEXT_TEST(tabs_and_a_byte_order_mark_are_understood),
        CONTEXT_TEST(bad_tables_are_refused_with_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
