/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax along the last axis. */
#include "ops/check_gradient.h"

static void rows_become_shares_of_one(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 3), NUMBERS(0, log(2), log(5), 7, 7, 7));
    trial_expect(&trial, sumi_op_softmax(trial.graph, x), SHAPE(2, 3),
                 NUMBERS(1 / 8.0, 2 / 8.0, 5 / 8.0, 1 / 3.0, 1 / 3.0, 1 / 3.0));
    trial_end(&trial);
}

static void large_numbers_do_not_overflow(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2), NUMBERS(5000, 5000 + log(3)));
    trial_expect(&trial, sumi_op_softmax(trial.graph, x), SHAPE(2), NUMBERS(0.25, 0.75));
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    static const int64_t sizes[] = {2, 3, 5};
    for (int rank = 1; rank <= 3; rank++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node x = trial_input(&trial, rank, sizes + 3 - rank, -2, 2);
        trial_check_gradient(&trial, sumi_op_softmax(trial.graph, x), 2);
        trial_end(&trial);
    }
}

static void a_single_number_is_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SCALAR, 0, 1);
    trial_expect_refusal(&trial, sumi_op_softmax(trial.graph, x),
                         "softmax: a single number has no last axis");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_shares_of_one),
        cmocka_unit_test(large_numbers_do_not_overflow),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(a_single_number_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
