/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout and the mask it multiplies by. */
#include "base/philox.h"
#include "ops/check_gradient.h"

enum { COUNT = 40000 };

static void dropout_is_the_identity_unless_training(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(3, 2), -1, 1);
    assert_int_equal(sumi_op_dropout(trial.graph, x, 0.5), x);
    trial_end(&trial);
    trial_start(&trial, true);
    x = trial_input(&trial, SHAPE(3, 2), -1, 1);
    assert_int_equal(sumi_op_dropout(trial.graph, x, 0), x);
    trial_end(&trial);
}

static void elements_are_zero_or_scaled_in_the_right_proportion(void **state)
{
    (void)state;
    static double numbers[COUNT];
    struct trial trial;
    trial_start(&trial, true);
    sumi_node x = trial_input(&trial, SHAPE(COUNT), 1, 1);
    sumi_node y = sumi_op_dropout(trial.graph, x, 0.2);
    trial_evaluate(&trial, 1, &y, numbers);
    double dropped = 0;
    for (int i = 0; i < COUNT; i++) {
        if (numbers[i] == 0) dropped++;
        else CHECK_CLOSE(numbers[i], 1.25, 1e-12);
    }
    CHECK_CLOSE(dropped / COUNT, 0.2, 5 * sqrt(0.2 * 0.8 / COUNT)); /* five standard errors */
    trial_end(&trial);
}

static void masks_are_drawn_by_philox_from_seed_step_and_number(void **state)
{
    (void)state;
    enum { SIZE = 100 };
    static double masks[2 * SIZE];
    struct trial trial;
    trial_start(&trial, true);
    sumi_node x = trial_input(&trial, SHAPE(SIZE), 1, 1);
    sumi_node y[2];
    for (int i = 0; i < 2; i++) y[i] = sumi_op_dropout(trial.graph, x, 0.5);
    trial_evaluate(&trial, 2, y, masks);
    const philox_stream stream = {TRIAL_KEY.seed, PURPOSE_DROPOUT, TRIAL_KEY.step};
    for (uint64_t i = 0; i < 2 * SIZE; i++) {
        uint64_t mask = i / SIZE, element = i % SIZE;
        float draw = philox_uniform(&stream, (mask << 32) + element);
        CHECK_CLOSE(masks[i], draw < 0.5f ? 0 : 2, 0);
    }
    trial_end(&trial);
}

static void gradients_see_the_mask_of_the_forward_pass(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, true);
    sumi_node x = trial_input(&trial, SHAPE(3, 5), -1, 1);
    sumi_node y = sumi_op_dropout(trial.graph, sumi_op_sin(trial.graph, x), 0.4);
    trial_check_gradient(&trial, y, 2);
    trial_end(&trial);
}

static void probabilities_that_are_none_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, true);
    sumi_node x = trial_input(&trial, SHAPE(3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_dropout(trial.graph, x, 1),
                         "dropout: the probability is from 0 to below 1, not 1");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropout_is_the_identity_unless_training),
        cmocka_unit_test(elements_are_zero_or_scaled_in_the_right_proportion),
        cmocka_unit_test(masks_are_drawn_by_philox_from_seed_step_and_number),
        cmocka_unit_test(gradients_see_the_mask_of_the_forward_pass),
        cmocka_unit_test(probabilities_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
