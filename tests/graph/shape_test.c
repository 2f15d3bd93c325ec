/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes: counting, comparing, and writing them for messages. */
#include "check.h"
#include "graph/graph.h"

static void the_count_is_the_product_of_the_sizes(void **state)
{
    (void)state;
    assert_int_equal(shape_count(&(struct shape){3, {2, 3, 4}}), 24);
    assert_int_equal(shape_count(&(struct shape){.rank = 0}), 1);
}

static void a_span_is_the_product_of_some_sizes(void **state)
{
    (void)state;
    const struct shape shape = {4, {2, 3, 4, 5}};
    assert_int_equal(shape_span(&shape, 1, 3), 12);
    assert_int_equal(shape_span(&shape, 2, 2), 1);
    assert_int_equal(shape_span(&shape, 0, 4), 120);
}

static void shapes_are_equal_in_rank_and_sizes(void **state)
{
    (void)state;
    const struct shape shape = {2, {2, 3, 9}};
    assert_true(shape_equal(&shape, &(struct shape){2, {2, 3, 4}}));
    assert_false(shape_equal(&shape, &(struct shape){2, {3, 2}}));
    assert_false(shape_equal(&shape, &(struct shape){3, {2, 3, 9}}));
    assert_true(shape_equal(&(struct shape){.rank = 0}, &(struct shape){.rank = 0}));
}

static void shapes_are_written_in_brackets(void **state)
{
    (void)state;
    char text[SHAPE_TEXT];
    assert_string_equal(shape_text(&(struct shape){.rank = 0}, text), "[]");
    assert_string_equal(shape_text(&(struct shape){1, {7}}, text), "[7]");
    assert_string_equal(shape_text(&(struct shape){3, {2, 3, 4}}, text), "[2, 3, 4]");
}

static void the_longest_text_fits(void **state)
{
    (void)state;
    char text[SHAPE_TEXT];
    struct shape longest = {.rank = SUMI_MAX_RANK};
    for (int i = 0; i < SUMI_MAX_RANK; i++) longest.size[i] = INT64_MIN;
    shape_text(&longest, text);
    assert_int_equal(strlen(text), 20 * SUMI_MAX_RANK + 2 * (SUMI_MAX_RANK - 1) + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_count_is_the_product_of_the_sizes),
        cmocka_unit_test(a_span_is_the_product_of_some_sizes),
        cmocka_unit_test(shapes_are_equal_in_rank_and_sizes),
        cmocka_unit_test(shapes_are_written_in_brackets),
        cmocka_unit_test(the_longest_text_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
