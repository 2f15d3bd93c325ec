/* SPDX-License-Identifier: Apache-2.0 */
/* Group normalisation: its moments, the fused op, its fused gradients and their expansions. */
#include "ops/check_gradient.h"

static void moments_are_the_mean_and_the_inverse_deviation_of_each_group(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* Channel 0 holds 1 and 5 (variance 4), channel 1 holds 3 and 9 (variance 9). */
    sumi_node x = trial_given(&trial, SHAPE(1, 2, 2), NUMBERS(1, 3, 5, 9));
    struct attributes two = {.norm = {2, 0, false}}, one = {.norm = {1, 4, false}};
    sumi_node apart = graph_append(trial.graph, &op_group_moments, 1, &x, &two);
    trial_expect(&trial, apart, SHAPE(1, 2, 2), NUMBERS(3, 1 / 2.0, 6, 1 / 3.0));
    /* All four: mean 4.5, variance (12.25 + 2.25 + 0.25 + 20.25) / 4 = 8.75. */
    sumi_node together = graph_append(trial.graph, &op_group_moments, 1, &x, &one);
    trial_expect(&trial, together, SHAPE(1, 1, 2), NUMBERS(4.5, 1 / sqrt(12.75)));
    trial_end(&trial);
}

static void the_result_is_normalised_scaled_and_shifted(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 1, 2, 2), NUMBERS(1, 3, 5, 9));
    sumi_node scale = trial_given(&trial, SHAPE(2), NUMBERS(2, 3));
    sumi_node shift = trial_given(&trial, SHAPE(2), NUMBERS(1, -1));
    /* Epsilon 12 makes the deviation of channel 0 sqrt(4 + 12) = 4: xhat is -1/2 and 1/2. */
    sumi_node y = sumi_op_group_norm(trial.graph, x, scale, shift, 2, 12, false);
    double r = 3 / sqrt(21);
    trial_expect(&trial, y, SHAPE(1, 1, 2, 2), NUMBERS(0, -3 * r - 1, 2, 3 * r - 1));
    trial_end(&trial);
}

static void silu_follows_where_it_is_requested(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 2), NUMBERS(-1, 1, 4, 8));
    sumi_node scale = trial_given(&trial, SHAPE(2, 2), NUMBERS(1, 1, 2, 0));
    sumi_node shift = trial_given(&trial, SHAPE(2, 2), NUMBERS(0, 0, 3, 1));
    /* xhat is -1 and 1 in both items; z is -1, 1 and 1, 1. */
    sumi_node y = sumi_op_group_norm(trial.graph, x, scale, shift, 1, 0, true);
    const double one = 0.7310585786300049;
    trial_expect(&trial, y, SHAPE(2, 2), NUMBERS(one - 1, one, one, one));
    trial_end(&trial);
}

static void check(int rank, const int64_t *size, bool by_item, int64_t groups, bool silu)
{
    struct trial trial;
    trial_start(&trial, false);
    int64_t parameter[2] = {size[0], size[rank - 1]};
    sumi_node x = trial_input(&trial, rank, size, -2, 2);
    sumi_node scale =
        trial_input(&trial, by_item ? 2 : 1, by_item ? parameter : parameter + 1, 0.5, 1.5);
    sumi_node shift =
        trial_input(&trial, by_item ? 2 : 1, by_item ? parameter : parameter + 1, -1, 1);
    sumi_node y = sumi_op_group_norm(trial.graph, x, scale, shift, groups, 1e-2, silu);
    trial_check_gradient(&trial, y, 2);
    trial_end(&trial);
}

static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    check(SHAPE(2, 3, 1, 4), false, 2, false);
    check(SHAPE(2, 3, 1, 4), false, 2, true);
    check(SHAPE(2, 2, 2, 6), true, 3, true);
    check(SHAPE(1, 5, 3), true, 1, false);
    check(SHAPE(3, 4), false, 1, true);
    check(SHAPE(2, 5, 2), false, 2, true);
}

static void moments_have_derivatives_of_their_own(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    struct attributes attributes = {.norm = {2, 1e-2, false}};
    sumi_node x = trial_input(&trial, SHAPE(2, 3, 4), -1, 1);
    sumi_node moments = graph_append(trial.graph, &op_group_moments, 1, &x, &attributes);
    trial_check_gradient(&trial, moments, 2);
    trial_end(&trial);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3, 4), 0, 1),
              c = trial_input(&trial, SHAPE(4), 0, 1);
    trial_expect_refusal(&trial, sumi_op_group_norm(trial.graph, x, c, c, 3, 1e-5, false),
                         "group_norm: 4 channels do not divide into 3 groups");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3, 4), 0, 1), c = trial_input(&trial, SHAPE(4), 0, 1);
    sumi_node other = trial_input(&trial, SHAPE(3), 0, 1);
    trial_expect_refusal(&trial, sumi_op_group_norm(trial.graph, x, other, c, 2, 1e-5, false),
                         "group_norm: [2, 3, 4] and [3] do not fit: the input is [n, ..., c], and "
                         "scale and shift are both [c] or [n, c]");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(4), 0, 1), c = trial_input(&trial, SHAPE(4), 0, 1);
    trial_expect_refusal(&trial, sumi_op_group_norm(trial.graph, x, c, c, 2, 1e-5, false),
                         "group_norm: the input is [n, ..., c], not [4]");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_the_mean_and_the_inverse_deviation_of_each_group),
        cmocka_unit_test(the_result_is_normalised_scaled_and_shifted),
        cmocka_unit_test(silu_follows_where_it_is_requested),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(moments_have_derivatives_of_their_own),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
