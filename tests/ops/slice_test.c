/* SPDX-License-Identifier: Apache-2.0 */
/* Slice, pad and concat: parts along an axis. */
#include "ops/check_gradient.h"

static void slice_takes_neighbours_along_any_axis(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    trial_expect(&trial, sumi_op_slice(trial.graph, x, 1, 1, 2), SHAPE(2, 2), NUMBERS(2, 3, 5, 6));
    trial_expect(&trial, sumi_op_slice(trial.graph, x, 0, 1, 1), SHAPE(1, 3), NUMBERS(4, 5, 6));
    trial_end(&trial);
}

static void pad_puts_zeros_before_and_after(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 2), NUMBERS(1, 2, 3, 4));
    trial_expect(&trial, sumi_op_pad(trial.graph, x, 1, 1, 2), SHAPE(2, 5),
                 NUMBERS(0, 1, 2, 0, 0, 0, 3, 4, 0, 0));
    trial_expect(&trial, sumi_op_pad(trial.graph, x, 0, 0, 1), SHAPE(3, 2),
                 NUMBERS(1, 2, 3, 4, 0, 0));
    trial_end(&trial);
}

static void concat_joins_along_any_axis(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node a = trial_given(&trial, SHAPE(2, 1), NUMBERS(1, 2));
    sumi_node b = trial_given(&trial, SHAPE(2, 2), NUMBERS(3, 4, 5, 6));
    trial_expect(&trial, sumi_op_concat(trial.graph, a, b, 1), SHAPE(2, 3),
                 NUMBERS(1, 3, 4, 2, 5, 6));
    trial_expect(&trial, sumi_op_concat(trial.graph, b, b, 0), SHAPE(4, 2),
                 NUMBERS(3, 4, 5, 6, 3, 4, 5, 6));
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    for (int axis = 0; axis < 3; axis++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node x = trial_input(&trial, SHAPE(3, 4, 5), -1, 1);
        trial_check_gradient(&trial, sumi_op_slice(trial.graph, x, axis, 1, 2), 2);
        trial_end(&trial);
        trial_start(&trial, false);
        x = trial_input(&trial, SHAPE(3, 1, 2), -1, 1);
        trial_check_gradient(&trial, sumi_op_pad(trial.graph, x, axis, axis, 1), 2);
        trial_end(&trial);
        trial_start(&trial, false);
        int64_t longer[3] = {2, 2, 2};
        longer[axis] = 3;
        sumi_node a = trial_input(&trial, SHAPE(2, 2, 2), -1, 1);
        sumi_node b = trial_input(&trial, 3, longer, -1, 1);
        trial_check_gradient(&trial, sumi_op_concat(trial.graph, a, b, axis), 2);
        trial_end(&trial);
    }
}

static void places_that_are_not_there_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_slice(trial.graph, x, 1, 2, 2),
                         "slice: axis 1 of [2, 3] has no elements 2 to before 4");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_slice(trial.graph, x, 2, 0, 1),
                         "slice: [2, 3] has no axis 2");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_slice(trial.graph, x, 1, INT64_MAX, 2),
                         "slice: axis 1 of [2, 3] has no elements 9223372036854775807 to before "
                         "9223372036854775807");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_pad(trial.graph, x, 0, -1, 0),
                         "pad: -1 zeros before and 0 after are not possible");
    trial_end(&trial);
}

static void concat_of_shapes_that_differ_elsewhere_is_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node a = trial_input(&trial, SHAPE(2, 3), 0, 1);
    sumi_node b = trial_input(&trial, SHAPE(4, 2), 0, 1);
    trial_expect_refusal(&trial, sumi_op_concat(trial.graph, a, b, 1),
                         "concat: [2, 3] and [4, 2] do not fit: all axes but the joined one must "
                         "agree");
    trial_end(&trial);
    trial_start(&trial, false);
    a = trial_input(&trial, SHAPE(2, 3), 0, 1), b = trial_input(&trial, SHAPE(2), 0, 1);
    trial_expect_refusal(&trial, sumi_op_concat(trial.graph, a, b, 0),
                         "concat: [2, 3] and [2] do not fit: all axes but the joined one must "
                         "agree");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slice_takes_neighbours_along_any_axis),
        cmocka_unit_test(pad_puts_zeros_before_and_after),
        cmocka_unit_test(concat_joins_along_any_axis),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(places_that_are_not_there_are_refused),
        cmocka_unit_test(concat_of_shapes_that_differ_elsewhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
