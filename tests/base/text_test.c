/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and distances of words. */
#include "base/text.h"
#include "check.h"

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    double number = 7;
    assert_true(text_to_number("1e-4", &number));
    assert_true(number == 1e-4);
    assert_true(text_to_number("-2.5", &number));
    assert_true(number == -2.5);
    const char *wrong[] = {"", "1x", "nan", "inf", "0x10", "1,5", " 1", "1 ", "--1", "1e999", "."};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(text_to_number(wrong[i], &number));
        assert_true(number == -2.5);
    }
    int64_t whole = 7;
    assert_true(text_to_whole("9223372036854775807", &whole));
    assert_true(whole == INT64_MAX);
    assert_false(text_to_whole("9223372036854775808", &whole));
    assert_false(text_to_whole("1.0", &whole));
    assert_false(text_to_whole("1-1", &whole));
    assert_true(whole == INT64_MAX);
}

static void distance_counts_slips_of_the_keyboard(void **state)
{
    (void)state;
    assert_int_equal(text_distance("steps", "steps"), 0);
    assert_int_equal(text_distance("stpes", "steps"), 1);
    assert_int_equal(text_distance("step", "steps"), 1);
    assert_int_equal(text_distance("STEPS", "steps"), 0);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("", "abc"), 3);
}

static void the_nearest_word_of_a_list_is_found(void **state)
{
    (void)state;
    const char *const names[] = {"linear", "cosine", "sigmoid", NULL};
    assert_string_equal(text_nearest("linaer", names), "linear");
    assert_string_equal(text_nearest("SIGMOD", names), "sigmoid");
    assert_string_equal(text_nearest("any", names + 3), "");
}

/* Well-formed UTF-8 by RFC 3629 stays, but for controls. */
static void what_is_no_text_becomes_question_marks(void **state)
{
    (void)state;
    char text[] = "a\xc3\xa4\x07\xc2\x9b\xed\xa0\x80\xf0\x9f\x90\x88\xc3";
    text_tame(text);
    assert_string_equal(text, "a\xc3\xa4??"
                              "????"
                              "\xf0\x9f\x90\x88?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(distance_counts_slips_of_the_keyboard),
        cmocka_unit_test(the_nearest_word_of_a_list_is_found),
        cmocka_unit_test(what_is_no_text_becomes_question_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
