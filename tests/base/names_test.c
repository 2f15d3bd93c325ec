/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of names by number. */
#include "base/names.h"

#include "scratch.h"

static void names_are_kept_by_number_and_the_last_one_stays(void **state)
{
    scratch *room = *state;
    struct names names = {0};
    assert_null(names_get(&names, 0));
    CHECK_OK(room->context, names_set(room->context, &names, 5, "cat"));
    CHECK_OK(room->context, names_set(room->context, &names, 0, "dog"));
    CHECK_OK(room->context, names_set(room->context, &names, 5, "bird"));
    assert_int_equal(names.count, 6);
    assert_string_equal(names_get(&names, 0), "dog");
    assert_string_equal(names_get(&names, 5), "bird");
    assert_null(names_get(&names, 1));
    assert_null(names_get(&names, -1));
    assert_null(names_get(&names, 6));
    names_release(room->context, &names);
    assert_int_equal(names.count, 0);
}

static void what_steers_a_terminal_or_is_no_text_becomes_a_question_mark(void **state)
{
    scratch *room = *state;
    struct names names = {0};
    CHECK_OK(room->context, names_set(room->context, &names, 0, "K\xc3\xa4tzchen \x1b[2J\xff\n"));
    assert_string_equal(names_get(&names, 0), "K\xc3\xa4tzchen ?[2J??");
    names_release(room->context, &names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(names_are_kept_by_number_and_the_last_one_stays),
        SCRATCH_TEST(what_steers_a_terminal_or_is_no_text_becomes_a_question_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
