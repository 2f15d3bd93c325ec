/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of shape that gradient rules share. */
#include "ops/check_gradient.h"

static void unbroadcast_sums_what_broadcasting_added(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    const struct shape row = {1, {3}}, column = {2, {2, 1}}, one = {1, {1}}, none = {.rank = 0};
    const struct shape same = {2, {2, 3}};
    trial_expect(&trial, ops_unbroadcast(trial.graph, x, &row), SHAPE(3), NUMBERS(5, 7, 9));
    trial_expect(&trial, ops_unbroadcast(trial.graph, x, &column), SHAPE(2, 1), NUMBERS(6, 15));
    trial_expect(&trial, ops_unbroadcast(trial.graph, x, &one), SHAPE(1), NUMBERS(21));
    trial_expect(&trial, ops_unbroadcast(trial.graph, x, &none), SCALAR, NUMBERS(21));
    assert_int_equal(ops_unbroadcast(trial.graph, x, &same), x);
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unbroadcast_sums_what_broadcasting_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
