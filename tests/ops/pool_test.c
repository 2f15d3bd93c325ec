/* SPDX-License-Identifier: Apache-2.0 */
/* The largest and the mean number of windows. */
#include "ops/check_gradient.h"

static const sumi_convolution inside = {{2, 2}, {0, 0}, {0, 0}};
static const sumi_convolution padded = {{1, 1}, {1, 1}, {1, 1}};
static const int64_t three[2] = {3, 3}, flat[2] = {1, 3};

static void the_largest_number_of_each_window_is_found_for_each_channel(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 3, 5, 1),
                              NUMBERS(1, 2, 3, 4, 5, 9, -8, 7, -6, 5, 0, 1, 0, -1, 0));
    trial_expect(&trial, ops_pool(trial.graph, x, POOL_LARGEST, three, &inside), SHAPE(1, 1, 2, 1),
                 NUMBERS(9, 7));
    x = trial_given(&trial, SHAPE(1, 1, 3, 2), NUMBERS(1, -5, 2, -6, 3, -4));
    const sumi_convolution one = {{1, 1}, {0, 0}, {0, 0}};
    trial_expect(&trial, ops_pool(trial.graph, x, POOL_LARGEST, flat, &one), SHAPE(1, 1, 1, 2),
                 NUMBERS(3, -4));
    trial_end(&trial);
}

static void places_on_the_padding_do_not_count(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 2, 2, 1), NUMBERS(-1, -2, -3, -6));
    trial_expect(&trial, ops_pool(trial.graph, x, POOL_LARGEST, three, &padded), SHAPE(1, 2, 2, 1),
                 NUMBERS(-1, -1, -1, -1));
    trial_expect(&trial, ops_pool(trial.graph, x, POOL_MEAN, three, &padded), SHAPE(1, 2, 2, 1),
                 NUMBERS(-3, -3, -3, -3));
    x = trial_given(&trial, SHAPE(1, 1, 3, 1), NUMBERS(1, 2, 6));
    trial_expect(&trial, ops_pool(trial.graph, x, POOL_MEAN, three, &padded), SHAPE(1, 1, 3, 1),
                 NUMBERS(1.5, 3, 4));
    trial_end(&trial);
}

static void windows_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(1, 2, 2, 1), 0, 1);
    trial_expect_refusal(&trial, ops_pool(trial.graph, x, POOL_MEAN, three, &inside),
                         "pool: a window of 3 x 3 does not fit");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 2, 1), 0, 1);
    trial_expect_refusal(&trial, ops_pool(trial.graph, x, POOL_MEAN, three, &padded),
                         "pool: the input [n, h, w, c] cannot be of shape [2, 2, 1]");
    trial_end(&trial);
}

static void a_derivative_is_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(1, 3, 3, 1), 0, 1), gradient;
    sumi_node sum = sumi_op_sum(trial.graph, ops_pool(trial.graph, x, POOL_MEAN, three, &padded),
                                1u << 1 | 1u << 2);
    sum = sumi_op_reshape(trial.graph, sum, 0, NULL);
    assert_int_equal(sumi_graph_gradients(trial.graph, sum, 1, &x, &gradient), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(trial.context), "no derivatives"));
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_number_of_each_window_is_found_for_each_channel),
        cmocka_unit_test(places_on_the_padding_do_not_count),
        cmocka_unit_test(windows_that_do_not_fit_are_refused),
        cmocka_unit_test(a_derivative_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
