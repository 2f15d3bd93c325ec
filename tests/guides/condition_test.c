/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: named arrays that are copied, replaced, read back and gathered by item. */
#include "guides/condition.h"

#include "failing_allocator.h"
#include "models/tiny.h"

static void what_is_set_can_be_read_and_is_a_copy(void **state)
{
    scratch *room = *state;
    sumi_condition *c = NULL;
    sumi_condition_entry entry = {.size = sizeof entry};
    float states[12] = {1, 2, 3};
    int32_t classes[2] = {4, 5};
    CHECK_OK(room->context, sumi_condition_create(room->context, &c));
    CHECK_OK(room->context, sumi_condition_set(c, "states", 3, (int64_t[]){2, 3, 2}, states));
    CHECK_OK(room->context, sumi_condition_set_integers(c, "class", 1, (int64_t[]){2}, classes));
    states[0] = 100;
    classes[1] = 100;
    assert_true(sumi_condition_get(c, 0, &entry));
    assert_string_equal(entry.name, "states");
    assert_int_equal(entry.rank, 3);
    assert_int_equal(entry.shape[1], 3);
    assert_null(entry.integers);
    assert_true(entry.numbers[0] == 1);
    assert_true(sumi_condition_get(c, 1, &entry));
    assert_null(entry.numbers);
    assert_int_equal(entry.integers[1], 5);
    assert_false(sumi_condition_get(c, 2, &entry));
    assert_false(sumi_condition_get(c, -1, &entry));
    sumi_condition_free(c);
}

static void a_name_that_is_set_again_is_replaced(void **state)
{
    scratch *room = *state;
    sumi_condition *c = NULL;
    sumi_condition_entry entry = {.size = sizeof entry};
    CHECK_OK(room->context, sumi_condition_create(room->context, &c));
    CHECK_OK(room->context, sumi_condition_set(c, "a", 1, (int64_t[]){1}, (float[]){1}));
    CHECK_OK(room->context,
             sumi_condition_set_integers(c, "a", 2, (int64_t[]){2, 2}, (int32_t[]){1, 2, 3, 4}));
    assert_true(sumi_condition_get(c, 0, &entry));
    assert_int_equal(entry.rank, 2);
    assert_int_equal(entry.integers[3], 4);
    assert_false(sumi_condition_get(c, 1, &entry));
    sumi_condition_free(c);
}

static void arrays_that_make_no_sense_are_refused_with_a_sentence(void **state)
{
    scratch *room = *state;
    sumi_condition *c = NULL;
    const float one = 1, wrong = NAN;
    CHECK_OK(room->context, sumi_condition_create(room->context, &c));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "1 to",
                sumi_condition_set(c, "a", 0, (int64_t[]){1}, &one));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "dimension 1 cannot be 0",
                sumi_condition_set(c, "a", 2, (int64_t[]){1, 0}, &one));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "dimension 1 cannot be",
                sumi_condition_set(c, "a", 2, (int64_t[]){1 << 20, INT64_MAX}, &one));
    CHECK_FAILS(room->context, SUMI_ERROR_NUMBER, "\"a\": number 0 is not finite",
                sumi_condition_set(c, "a", 1, (int64_t[]){1}, &wrong));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "not NULL",
                sumi_condition_set(c, NULL, 1, (int64_t[]){1}, &one));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "not NULL",
                sumi_condition_set_integers(c, "a", 1, (int64_t[]){1}, NULL));
    sumi_condition_entry entry = {.size = sizeof entry};
    assert_false(sumi_condition_get(c, 0, &entry));
    sumi_condition_free(c);
}

static void more_arrays_than_a_condition_has_places_are_refused(void **state)
{
    scratch *room = *state;
    sumi_condition *c = NULL;
    CHECK_OK(room->context, sumi_condition_create(room->context, &c));
    for (int i = 0; i < CONDITION_ENTRIES; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        CHECK_OK(room->context, sumi_condition_set(c, name, 1, (int64_t[]){1}, (float[]){1}));
    }
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "at most 16 arrays",
                sumi_condition_set(c, "more", 1, (int64_t[]){1}, (float[]){1}));
    sumi_condition_free(c);
}

static void items_are_dealt_out_again_from_the_first(void **state)
{
    scratch *room = *state;
    sumi_condition *c = NULL, *rows = NULL;
    sumi_condition_entry entry = {.size = sizeof entry};
    const float pairs[] = {1, 2, 3, 4};
    CHECK_OK(room->context, sumi_condition_create(room->context, &c));
    CHECK_OK(room->context, sumi_condition_create(room->context, &rows));
    CHECK_OK(room->context, sumi_condition_set(rows, "gone", 1, (int64_t[]){1}, pairs));
    CHECK_OK(room->context, sumi_condition_set(c, "pairs", 2, (int64_t[]){2, 2}, pairs));
    CHECK_OK(room->context, condition_gather(rows, c, 3, (int64_t[]){1, 0, 3}));
    assert_true(sumi_condition_get(rows, 0, &entry));
    assert_int_equal(entry.shape[0], 3);
    const float wanted[] = {3, 4, 1, 2, 3, 4};
    assert_memory_equal(entry.numbers, wanted, sizeof wanted);
    assert_false(sumi_condition_get(rows, 1, &entry));
    sumi_condition_free(rows);
    sumi_condition_free(c);
}

static void two_conditions_are_joined_item_by_item(void **state)
{
    scratch *room = *state;
    sumi_condition *c = NULL, *null = NULL, *joined = NULL;
    sumi_condition_entry entry = {.size = sizeof entry};
    CHECK_OK(room->context, sumi_condition_create(room->context, &c));
    CHECK_OK(room->context, sumi_condition_create(room->context, &null));
    CHECK_OK(room->context, sumi_condition_create(room->context, &joined));
    CHECK_OK(room->context,
             sumi_condition_set(c, "pairs", 2, (int64_t[]){2, 2}, (float[]){1, 2, 3, 4}));
    CHECK_OK(room->context,
             sumi_condition_set_integers(c, "class", 1, (int64_t[]){3}, (int32_t[]){5, 6, 7}));
    CHECK_OK(room->context,
             sumi_condition_set(null, "pairs", 2, (int64_t[]){1, 2}, (float[]){8, 9}));
    CHECK_OK(room->context,
             sumi_condition_set_integers(null, "class", 1, (int64_t[]){2}, (int32_t[]){0, 1}));
    CHECK_OK(room->context, condition_join(joined, c, 3, null, 2, (int64_t[]){0, 2}));
    assert_true(sumi_condition_get(joined, 0, &entry));
    const float pairs[] = {1, 2, 3, 4, 1, 2, 8, 9, 8, 9};
    assert_int_equal(entry.shape[0], 5);
    assert_memory_equal(entry.numbers, pairs, sizeof pairs);
    assert_true(sumi_condition_get(joined, 1, &entry));
    const int32_t classes[] = {5, 6, 7, 0, 0};
    assert_memory_equal(entry.integers, classes, sizeof classes);
    sumi_condition_free(joined);
    sumi_condition_free(null);
    sumi_condition_free(c);
}

static sumi_status use(sumi_context *context, void *user)
{
    (void)user;
    sumi_condition *c = NULL, *copy = NULL;
    sumi_status status = sumi_condition_create(context, &c);
    STEP(sumi_condition_set(c, "a", 1, (int64_t[]){2}, (float[]){1, 2}));
    STEP(sumi_condition_set_integers(c, "b", 1, (int64_t[]){1}, (int32_t[]){1}));
    STEP(condition_copy(context, c, &copy));
    STEP(condition_gather(copy, c, 3, (int64_t[]){0, 1, 2}));
    STEP(condition_join(copy, c, 3, c, 1, (int64_t[]){0}));
    sumi_condition_free(copy);
    sumi_condition_free(c);
    return status;
}

static void failing_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    for_each_failure(use, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(what_is_set_can_be_read_and_is_a_copy),
        SCRATCH_TEST(a_name_that_is_set_again_is_replaced),
        SCRATCH_TEST(arrays_that_make_no_sense_are_refused_with_a_sentence),
        SCRATCH_TEST(more_arrays_than_a_condition_has_places_are_refused),
        SCRATCH_TEST(items_are_dealt_out_again_from_the_first),
        SCRATCH_TEST(two_conditions_are_joined_item_by_item),
        SCRATCH_TEST(failing_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
