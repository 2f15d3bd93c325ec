/* SPDX-License-Identifier: Apache-2.0 */
/* scale * x + shift. */
#include "ops/check_gradient.h"

static void numbers_are_scaled_then_shifted(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(3), NUMBERS(-1, 0, 2));
    trial_expect(&trial, sumi_op_affine(trial.graph, x, 3, -1), SHAPE(3), NUMBERS(-4, -1, 5));
    trial_end(&trial);
}

static void the_identity_adds_no_node(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(3), 0, 1);
    assert_int_equal(sumi_op_affine(trial.graph, x, 1, 0), x);
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(3, 5), -1, 1);
    trial_check_gradient(&trial, sumi_op_affine(trial.graph, x, -1.7, 0.3), 2);
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_scaled_then_shifted),
        cmocka_unit_test(the_identity_adds_no_node),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
