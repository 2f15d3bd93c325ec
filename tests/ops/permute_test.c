/* SPDX-License-Identifier: Apache-2.0 */
/* Axes in another order. */
#include "ops/check_gradient.h"

static void a_matrix_is_transposed(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    trial_expect(&trial, sumi_op_permute(trial.graph, x, (int[]){1, 0}), SHAPE(3, 2),
                 NUMBERS(1, 4, 2, 5, 3, 6));
    trial_end(&trial);
}

static void axis_i_of_the_result_is_axis_order_i_of_the_input(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    /* A cyclic order, which is not its own inverse: result[k, i, j] = x[i, j, k]. */
    trial_expect(&trial, sumi_op_permute(trial.graph, x, (int[]){2, 0, 1}), SHAPE(3, 1, 2),
                 NUMBERS(1, 4, 2, 5, 3, 6));
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    static const int orders[][4] = {{0, 2, 1, 3}, {3, 0, 1, 2}, {1, 3, 0, 2}, {0, 1, 2, 3}};
    for (int i = 0; i < 4; i++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node x = trial_input(&trial, SHAPE(2, 3, 1, 4), -1, 1);
        trial_check_gradient(&trial, sumi_op_permute(trial.graph, x, orders[i]), 2);
        trial_end(&trial);
    }
}

static void orders_that_are_none_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_permute(trial.graph, x, (int[]){1, 1}),
                         "permute: axis 1 is named twice");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_permute(trial.graph, x, (int[]){0, 2}),
                         "permute: [2, 3] has no axis 2");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_matrix_is_transposed),
        cmocka_unit_test(axis_i_of_the_result_is_axis_order_i_of_the_input),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(orders_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
