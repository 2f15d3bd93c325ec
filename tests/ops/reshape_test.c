/* SPDX-License-Identifier: Apache-2.0 */
/* Reshape and window, the two views. */
#include "ops/check_gradient.h"

static void reshape_keeps_the_order_of_elements(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    trial_expect(&trial, sumi_op_reshape(trial.graph, x, SHAPE(3, 1, 2)), SHAPE(3, 1, 2),
                 NUMBERS(1, 2, 3, 4, 5, 6));
    trial_end(&trial);
}

static void window_takes_elements_from_its_start_on(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    struct shape two = {2, {1, 2}};
    trial_expect(&trial, ops_window(trial.graph, x, 2, &two), SHAPE(1, 2), NUMBERS(3, 4));
    trial_expect(&trial, ops_window(trial.graph, x, 4, &two), SHAPE(1, 2), NUMBERS(5, 6));
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(3, 5), -1, 1);
    trial_check_gradient(&trial, sumi_op_reshape(trial.graph, x, SHAPE(5, 1, 3)), 2);
    trial_end(&trial);
    for (int64_t first = 0; first <= 9; first += 3) {
        trial_start(&trial, false);
        x = trial_input(&trial, SHAPE(3, 5), -1, 1);
        struct shape six = {2, {2, 3}};
        trial_check_gradient(&trial, ops_window(trial.graph, x, first, &six), 2);
        trial_end(&trial);
    }
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_reshape(trial.graph, x, SHAPE(4)),
                         "reshape: [2, 3] and [4] do not fit: the numbers of elements differ");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_reshape(trial.graph, x, SHAPE(-2, -3)),
                         "reshape: dimension 0 cannot be -2");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_reshape(trial.graph, x, SHAPE(1, 1, 1, 1, 1, 1, 1, 2, 3)),
                         "reshape: a shape has 0 to 8 dimensions, not 9");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    struct shape six = {2, {2, 3}};
    trial_expect_refusal(&trial, ops_window(trial.graph, x, 1, &six),
                         "window: [2, 3] has no 6 elements from number 1 on");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reshape_keeps_the_order_of_elements),
        cmocka_unit_test(window_takes_elements_from_its_start_on),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
