/* SPDX-License-Identifier: Apache-2.0 */
/* Upsampling by repetition and its transpose, the sum over blocks. */
#include "ops/check_gradient.h"

static void each_pixel_is_repeated_down_and_across(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 2, 1, 2), NUMBERS(1, 2, 3, 4));
    trial_expect(&trial, sumi_op_upsample(trial.graph, x, 1, 3), SHAPE(1, 2, 3, 2),
                 NUMBERS(1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4));
    trial_expect(&trial, sumi_op_upsample(trial.graph, x, 2, 1), SHAPE(1, 4, 1, 2),
                 NUMBERS(1, 2, 1, 2, 3, 4, 3, 4));
    trial_end(&trial);
}

static void blocks_are_summed(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 2, 4, 1), NUMBERS(1, 2, 3, 4, 5, 6, 7, 8));
    trial_expect(&trial, sumi_op_block_sum(trial.graph, x, 2, 2), SHAPE(1, 1, 2, 1),
                 NUMBERS(14, 22));
    trial_expect(&trial, sumi_op_block_sum(trial.graph, x, 1, 4), SHAPE(1, 2, 1, 1),
                 NUMBERS(10, 26));
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3, 2, 2), -1, 1);
    trial_check_gradient(&trial, sumi_op_upsample(trial.graph, x, 2, 3), 2);
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 4, 3, 2), -1, 1);
    trial_check_gradient(&trial, sumi_op_block_sum(trial.graph, x, 2, 3), 2);
    trial_end(&trial);
}

static void shapes_and_factors_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3, 2), 0, 1);
    trial_expect_refusal(&trial, sumi_op_upsample(trial.graph, x, 2, 2),
                         "upsample: the input [n, h, w, c] cannot be of shape [2, 3, 2]");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(1, 2, 3, 2), 0, 1);
    trial_expect_refusal(&trial, sumi_op_upsample(trial.graph, x, 2, 0),
                         "upsample: a factor of 0 is not possible");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(1, 2, 3, 2), 0, 1);
    trial_expect_refusal(&trial, sumi_op_block_sum(trial.graph, x, 2, 2),
                         "block_sum: 3 pixels do not divide into blocks of 2");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pixel_is_repeated_down_and_across),
        cmocka_unit_test(blocks_are_summed),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(shapes_and_factors_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
