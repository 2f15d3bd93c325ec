/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that are made of others. */
#include "scratch.h"

static void the_items_of_two_arrays_are_put_in_turn(void **state)
{
    scratch *room = *state;
    float left[] = {1, 2, 3, 4}, right[] = {5, 6, 7, 8};
    const float expected[] = {1, 2, 5, 6, 3, 4, 7, 8};
    const sumi_array first = {.rank = 2, .shape = {2, 2}, .data = left};
    const sumi_array second = {.rank = 2, .shape = {2, 2}, .data = right};
    sumi_array pairs = {0};
    CHECK_OK(room->context, sumi_array_interleave(room->context, &first, &second, &pairs));
    assert_int_equal(pairs.rank, 2);
    assert_int_equal(pairs.shape[0], 4);
    assert_int_equal(pairs.shape[1], 2);
    assert_memory_equal(pairs.data, expected, sizeof expected);
    sumi_array_release(room->context, &pairs);
}

static void arrays_of_other_shapes_or_without_items_are_refused(void **state)
{
    scratch *room = *state;
    float values[] = {1, 2, 3, 4};
    const sumi_array first = {.rank = 2, .shape = {2, 2}, .data = values};
    const sumi_array others[] = {{.rank = 2, .shape = {2, 1}, .data = values},
                                 {.rank = 1, .shape = {2}, .data = values}};
    const sumi_array none = {.rank = 2, .shape = {0, 2}, .data = values};
    const sumi_array number = {.rank = 0, .data = values};
    sumi_array pairs = {0};
    for (int i = 0; i < 2; i++)
        assert_int_equal(sumi_array_interleave(room->context, &first, &others[i], &pairs),
                         SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_array_interleave(room->context, &none, &none, &pairs),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_array_interleave(room->context, &number, &number, &pairs),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "the same shape"));
    assert_null(pairs.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_items_of_two_arrays_are_put_in_turn),
        SCRATCH_TEST(arrays_of_other_shapes_or_without_items_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
