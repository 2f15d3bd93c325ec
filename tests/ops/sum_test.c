/* SPDX-License-Identifier: Apache-2.0 */
/* Sum and mean over axes, and broadcast, the transpose of the sum. */
#include "ops/check_gradient.h"

static void summed_axes_stay_with_size_one(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    trial_expect(&trial, sumi_op_sum(trial.graph, x, 1u << 0), SHAPE(1, 3), NUMBERS(5, 7, 9));
    trial_expect(&trial, sumi_op_sum(trial.graph, x, 1u << 1), SHAPE(2, 1), NUMBERS(6, 15));
    trial_expect(&trial, sumi_op_sum(trial.graph, x, 3), SHAPE(1, 1), NUMBERS(21));
    trial_expect(&trial, sumi_op_mean(trial.graph, x, 1u << 1), SHAPE(2, 1), NUMBERS(2, 5));
    assert_int_equal(sumi_op_sum(trial.graph, x, 0), x);
    trial_end(&trial);
}

static void broadcast_repeats_axes_of_size_one_and_new_ones_in_front(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 1), NUMBERS(1, 2));
    trial_expect(&trial, sumi_op_broadcast(trial.graph, x, SHAPE(2, 2, 3)), SHAPE(2, 2, 3),
                 NUMBERS(1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2));
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    for (unsigned axes = 0; axes < 8; axes++) {
        trial_start(&trial, false);
        sumi_node x = trial_input(&trial, SHAPE(2, 3, 5), -1, 1);
        trial_check_gradient(&trial, sumi_op_sum(trial.graph, x, axes), 2);
        trial_end(&trial);
        trial_start(&trial, false);
        x = trial_input(&trial, SHAPE(2, 3, 5), -1, 1);
        trial_check_gradient(&trial, sumi_op_mean(trial.graph, x, axes), 2);
        trial_end(&trial);
    }
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 1, 3), -1, 1);
    trial_check_gradient(&trial, sumi_op_broadcast(trial.graph, x, SHAPE(2, 2, 4, 3)), 2);
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SCALAR, -1, 1);
    trial_check_gradient(&trial, sumi_op_broadcast(trial.graph, x, SHAPE(1, 3)), 2);
    trial_end(&trial);
}

static void axes_and_shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_sum(trial.graph, x, 1u << 2), "sum: [2, 3] has no axis 2");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_broadcast(trial.graph, x, SHAPE(4, 3)),
                         "broadcast: [2, 3] and [4, 3] do not fit: only axes of size 1 and new "
                         "axes in front repeat");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(1, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_broadcast(trial.graph, x, SHAPE(3)),
                         "broadcast: [1, 3] and [3] do not fit: only axes of size 1 and new axes "
                         "in front repeat");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summed_axes_stay_with_size_one),
        cmocka_unit_test(broadcast_repeats_axes_of_size_one_and_new_ones_in_front),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(axes_and_shapes_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
