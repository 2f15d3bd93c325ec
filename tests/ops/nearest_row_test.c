/* SPDX-License-Identifier: Apache-2.0 */
/* The number of the nearest row of a table. */
#include "ops/check_gradient.h"

static void each_row_gets_the_number_of_the_nearest(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(4, 2), NUMBERS(0.1, 0, 3, 3, -9, 2, 0.9, 1.2));
    sumi_node table = trial_given(&trial, SHAPE(3, 2), NUMBERS(0, 0, 1, 1, 4, 4));
    trial_expect(&trial, ops_nearest_row(trial.graph, x, table), SHAPE(4), NUMBERS(0, 2, 0, 1));
    trial_end(&trial);
}

static void of_rows_equally_near_the_first_counts(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 1), NUMBERS(0, 5));
    sumi_node table = trial_given(&trial, SHAPE(4, 1), NUMBERS(1, -1, 6, 4));
    trial_expect(&trial, ops_nearest_row(trial.graph, x, table), SHAPE(2), NUMBERS(0, 2));
    trial_end(&trial);
}

static void no_derivative_goes_through_the_number(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 2), NUMBERS(0.1, 0, 3, 3));
    sumi_node table = trial_given(&trial, SHAPE(2, 2), NUMBERS(0, 0, 4, 4)), slopes[2];
    sumi_node sum = sumi_op_sum(trial.graph, ops_nearest_row(trial.graph, x, table), 1);
    assert_int_equal(sumi_graph_gradients(trial.graph, sum, 2, (sumi_node[]){x, table}, slopes),
                     SUMI_OK);
    trial_expect(&trial, slopes[0], SHAPE(2, 2), NUMBERS(0, 0, 0, 0));
    trial_expect(&trial, slopes[1], SHAPE(2, 2), NUMBERS(0, 0, 0, 0));
    trial_end(&trial);
}

static void rows_of_another_length_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 2), NUMBERS(0, 0, 3, 3));
    sumi_node table = trial_given(&trial, SHAPE(2, 3), NUMBERS(0, 0, 4, 4, 5, 6));
    trial_expect_refusal(&trial, ops_nearest_row(trial.graph, x, table),
                         "nearest_row: [2, 2] and [2, 3] do not fit: rows must be equally long");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_gets_the_number_of_the_nearest),
        cmocka_unit_test(of_rows_equally_near_the_first_counts),
        cmocka_unit_test(no_derivative_goes_through_the_number),
        cmocka_unit_test(rows_of_another_length_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
