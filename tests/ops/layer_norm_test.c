/* SPDX-License-Identifier: Apache-2.0 */
/* Layer and RMS normalisation: values by hand, derivatives by finite differences, refusals. */
#include "ops/check_gradient.h"
#include "ops/layer_norm.h"

static void rows_are_normalised_scaled_and_shifted(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* Rows (1, 5) and (3, 9): means 3 and 6, variances 4 and 9; epsilon 12 makes 4 and sqrt(21). */
    sumi_node x = trial_given(&trial, SHAPE(1, 2, 2), NUMBERS(1, 5, 3, 9));
    sumi_node scale = trial_given(&trial, SHAPE(2), NUMBERS(2, 4));
    sumi_node shift = trial_given(&trial, SHAPE(2), NUMBERS(1, -1));
    sumi_node y = sumi_op_layer_norm(trial.graph, x, scale, shift, 12);
    double r = 3 / sqrt(21);
    trial_expect(&trial, y, SHAPE(1, 2, 2), NUMBERS(0, 1, 1 - 2 * r, 4 * r - 1));
    y = sumi_op_layer_norm(trial.graph, x, -1, -1, 12);
    trial_expect(&trial, y, SHAPE(1, 2, 2), NUMBERS(-0.5, 0.5, -r, r));
    y = sumi_op_layer_norm(trial.graph, x, -1, shift, 12);
    trial_expect(&trial, y, SHAPE(1, 2, 2), NUMBERS(0.5, -0.5, 1 - r, r - 1));
    trial_end(&trial);
}

static void each_item_may_have_its_own_scale_and_shift(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 1, 2), NUMBERS(1, 5, 3, 9));
    sumi_node scale = trial_given(&trial, SHAPE(2, 2), NUMBERS(1, 2, 3, 4));
    sumi_node shift = trial_given(&trial, SHAPE(2, 2), NUMBERS(0, 1, 2, 3));
    sumi_node y = sumi_op_layer_norm(trial.graph, x, scale, shift, 0);
    trial_expect(&trial, y, SHAPE(2, 1, 2), NUMBERS(-1, 3, -1, 7));
    trial_end(&trial);
}

static void rms_normalisation_leaves_the_mean(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* The mean square of (1, 7) is 25. */
    sumi_node x = trial_given(&trial, SHAPE(1, 2), NUMBERS(1, 7));
    sumi_node scale = trial_given(&trial, SHAPE(2), NUMBERS(2, 3));
    sumi_node y = sumi_op_rms_norm(trial.graph, x, scale, 0);
    trial_expect(&trial, y, SHAPE(1, 2), NUMBERS(0.4, 4.2));
    trial_end(&trial);
}

static void check(int rank, const int64_t *size, int parameters, bool by_item, bool rms)
{
    struct trial trial;
    trial_start(&trial, false);
    int64_t parameter[2] = {size[0], size[rank - 1]};
    int parameter_rank = by_item ? 2 : 1;
    const int64_t *parameter_size = by_item ? parameter : parameter + 1;
    sumi_node scale = -1, shift = -1, x = trial_input(&trial, rank, size, -2, 2);
    if (parameters > 0) scale = trial_input(&trial, parameter_rank, parameter_size, 0.5, 1.5);
    if (parameters > 1) shift = trial_input(&trial, parameter_rank, parameter_size, -1, 1);
    sumi_node y = rms ? sumi_op_rms_norm(trial.graph, x, scale, 1e-2)
                      : sumi_op_layer_norm(trial.graph, x, scale, shift, 1e-2);
    trial_check_gradient(&trial, y, 2);
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    check(SHAPE(2, 3, 4), 2, false, false);
    check(SHAPE(2, 3, 4), 2, true, false);
    check(SHAPE(2, 2, 2, 3), 1, true, false);
    check(SHAPE(3, 4), 0, false, false);
    check(SHAPE(3, 4), 2, true, false);
    check(SHAPE(5), 2, false, false);
    check(SHAPE(2, 3, 4), 1, false, true);
    check(SHAPE(2, 3), 0, false, true);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3, 4), 0, 1);
    sumi_node scale = trial_input(&trial, SHAPE(3, 4), 0, 1);
    trial_expect_refusal(&trial, sumi_op_layer_norm(trial.graph, x, scale, -1, 1e-5),
                         "layer_norm: [2, 3, 4] and [3, 4] do not fit: the input is [n, ..., d], "
                         "and scale and shift are [d] or [n, d]");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SCALAR, 0, 1);
    trial_expect_refusal(&trial, sumi_op_layer_norm(trial.graph, x, -1, -1, 1e-5),
                         "layer_norm: a single number has no last axis");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_normalised_scaled_and_shifted),
        cmocka_unit_test(each_item_may_have_its_own_scale_and_shift),
        cmocka_unit_test(rms_normalisation_leaves_the_mean),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
