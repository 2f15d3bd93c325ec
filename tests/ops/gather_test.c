/* SPDX-License-Identifier: Apache-2.0 */
/* Rows by number, and their transpose, rows added at numbers. */
#include "ops/check_gradient.h"

static void rows_are_taken_by_number(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node table = trial_given(&trial, SHAPE(3, 2), NUMBERS(1, 2, 3, 4, 5, 6));
    sumi_node indices = trial_given(&trial, SHAPE(4), NUMBERS(2, 0, 1, 2));
    trial_expect(&trial, sumi_op_gather(trial.graph, table, indices), SHAPE(4, 2),
                 NUMBERS(5, 6, 1, 2, 3, 4, 5, 6));
    trial_end(&trial);
}

static void rows_are_added_at_numbers(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(3, 2), NUMBERS(1, 2, 3, 4, 5, 6));
    sumi_node indices = trial_given(&trial, SHAPE(3), NUMBERS(3, 1, 3));
    trial_expect(&trial, ops_scatter_add(trial.graph, x, indices, 4), SHAPE(4, 2),
                 NUMBERS(0, 0, 3, 4, 0, 0, 6, 8));
    trial_end(&trial);
}

static void numbers_out_of_range_mean_the_nearest_row(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node table = trial_given(&trial, SHAPE(3, 1), NUMBERS(1, 2, 3));
    sumi_node indices = trial_given(&trial, SHAPE(5), NUMBERS(-1, 3, 1e300, -INFINITY, NAN));
    trial_expect(&trial, sumi_op_gather(trial.graph, table, indices), SHAPE(5, 1),
                 NUMBERS(1, 3, 3, 1, 1));
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node indices = trial_given(&trial, SHAPE(5), NUMBERS(2, 0, 2, 3, 2));
    trial_fix(&trial);
    sumi_node table = trial_input(&trial, SHAPE(4, 3), -1, 1);
    trial_check_gradient(&trial, sumi_op_gather(trial.graph, table, indices), 2);
    trial_end(&trial);
    trial_start(&trial, false);
    indices = trial_given(&trial, SHAPE(5), NUMBERS(2, 0, 2, 3, 2));
    trial_fix(&trial);
    sumi_node rows = trial_input(&trial, SHAPE(5, 3), -1, 1);
    trial_check_gradient(&trial, ops_scatter_add(trial.graph, rows, indices, 4), 2);
    trial_end(&trial);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node table = trial_input(&trial, SHAPE(3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_gather(trial.graph, table, table),
                         "gather: the table [rows, d] cannot be of shape [3]");
    trial_end(&trial);
    trial_start(&trial, false);
    table = trial_input(&trial, SHAPE(3, 2), 0, 1);
    trial_expect_refusal(&trial, sumi_op_gather(trial.graph, table, table),
                         "gather: the list of indices [n] cannot be of shape [3, 2]");
    trial_end(&trial);
    trial_start(&trial, false);
    table = trial_input(&trial, SHAPE(3, 2), 0, 1);
    sumi_node indices = trial_input(&trial, SHAPE(2), 0, 1);
    trial_expect_refusal(&trial, ops_scatter_add(trial.graph, table, indices, 4),
                         "scatter_add: [3, 2] and [2] do not fit: each row needs one index");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_taken_by_number),
        cmocka_unit_test(rows_are_added_at_numbers),
        cmocka_unit_test(numbers_out_of_range_mean_the_nearest_row),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
