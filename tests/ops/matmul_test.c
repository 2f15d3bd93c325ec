/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products and the linear layer made of them. */
#include "ops/check_gradient.h"

static void products_match_hand_computed_ones(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node a = trial_given(&trial, SHAPE(2, 2), NUMBERS(1, 2, 3, 4));
    sumi_node b = trial_given(&trial, SHAPE(2, 2), NUMBERS(5, 6, 7, 8));
    sumi_graph *graph = trial.graph;
    trial_expect(&trial, sumi_op_matmul(graph, a, b, false, false), SHAPE(2, 2),
                 NUMBERS(19, 22, 43, 50));
    trial_expect(&trial, sumi_op_matmul(graph, a, b, true, false), SHAPE(2, 2),
                 NUMBERS(26, 30, 38, 44));
    trial_expect(&trial, sumi_op_matmul(graph, a, b, false, true), SHAPE(2, 2),
                 NUMBERS(17, 23, 39, 53));
    trial_expect(&trial, sumi_op_matmul(graph, a, b, true, true), SHAPE(2, 2),
                 NUMBERS(23, 31, 34, 46));
    trial_end(&trial);
}

static void each_matrix_of_a_batch_meets_its_partner(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node a = trial_given(&trial, SHAPE(2, 1, 2), NUMBERS(1, 2, 3, 4));
    sumi_node b = trial_given(&trial, SHAPE(2, 2, 1), NUMBERS(5, 6, 7, 8));
    trial_expect(&trial, sumi_op_matmul(trial.graph, a, b, false, false), SHAPE(2, 1, 1),
                 NUMBERS(17, 53));
    trial_end(&trial);
}

static void check(int64_t batch, int64_t m, int64_t k, int64_t n, bool ta, bool tb)
{
    struct trial trial;
    trial_start(&trial, false);
    int64_t a_size[3] = {batch, ta ? k : m, ta ? m : k};
    int64_t b_size[3] = {batch, tb ? n : k, tb ? k : n};
    int first = batch ? 0 : 1; /* no batch: plain matrices */
    sumi_node a = trial_input(&trial, 3 - first, a_size + first, -1, 1);
    sumi_node b = trial_input(&trial, 3 - first, b_size + first, -1, 1);
    trial_check_gradient(&trial, sumi_op_matmul(trial.graph, a, b, ta, tb), 2);
    trial_end(&trial);
}

static void derivatives_agree_for_all_transposes(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        check(0, 2, 3, 5, i & 1, i & 2);
        check(2, 3, 1, 2, i & 1, i & 2);
        check(3, 1, 4, 1, i & 1, i & 2);
    }
}

static void linear_multiplies_by_the_transposed_weight_and_adds_the_bias(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 1, 2), NUMBERS(1, 2, 3, 4));
    sumi_node weight = trial_given(&trial, SHAPE(3, 2), NUMBERS(1, 0, 0, 1, 1, 1));
    sumi_node bias = trial_given(&trial, SHAPE(3), NUMBERS(10, 20, 30));
    trial_expect(&trial, sumi_op_linear(trial.graph, x, weight, bias), SHAPE(2, 1, 3),
                 NUMBERS(11, 22, 33, 13, 24, 37));
    trial_expect(&trial, sumi_op_linear(trial.graph, x, weight, -1), SHAPE(2, 1, 3),
                 NUMBERS(1, 2, 3, 3, 4, 7));
    trial_end(&trial);
}

static void derivatives_of_linear_agree_with_finite_differences(void **state)
{
    (void)state;
    static const int64_t sizes[] = {2, 3, 4};
    for (int rank = 1; rank <= 3; rank++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node x = trial_input(&trial, rank, sizes + 3 - rank, -1, 1);
        sumi_node weight = trial_input(&trial, SHAPE(5, 4), -1, 1);
        sumi_node bias = trial_input(&trial, SHAPE(5), -1, 1);
        trial_check_gradient(&trial, sumi_op_linear(trial.graph, x, weight, bias), 2);
        trial_end(&trial);
    }
}

static void refuse_matmul(int rank_a, const int64_t *a_size, int rank_b, const int64_t *b_size,
                          const char *sentence)
{
    struct trial trial;
    trial_start(&trial, false);
    sumi_node a = trial_input(&trial, rank_a, a_size, 0, 1);
    sumi_node b = trial_input(&trial, rank_b, b_size, 0, 1);
    trial_expect_refusal(&trial, sumi_op_matmul(trial.graph, a, b, false, false), sentence);
    trial_end(&trial);
}

static void matrices_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    refuse_matmul(SHAPE(2, 3), SHAPE(4, 5),
                  "matmul: inner sizes 3 and 4 of [2, 3] and [4, 5] differ");
    refuse_matmul(SHAPE(2, 2, 3), SHAPE(3, 3, 5),
                  "matmul: [2, 2, 3] and [3, 3, 5] do not fit: the leading dimensions differ");
    refuse_matmul(SHAPE(3), SHAPE(3),
                  "matmul: [3] and [3] do not fit: both need the same number of dimensions, at "
                  "least 2");
    refuse_matmul(SHAPE(1, 2, 3), SHAPE(3, 5),
                  "matmul: [1, 2, 3] and [3, 5] do not fit: both need the same number of "
                  "dimensions, at least 2");
}

static void linear_layers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    sumi_node weight = trial_input(&trial, SHAPE(5, 4), 0, 1);
    trial_expect_refusal(&trial, sumi_op_linear(trial.graph, x, weight, -1),
                         "linear: [2, 3] and [5, 4] do not fit: the input is [..., in] and the "
                         "weight [out, in]");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 4), 0, 1), weight = trial_input(&trial, SHAPE(5, 4), 0, 1);
    sumi_node bias = trial_input(&trial, SHAPE(4), 0, 1);
    trial_expect_refusal(&trial, sumi_op_linear(trial.graph, x, weight, bias),
                         "linear: [5, 4] and [4] do not fit: the weight is [out, in] and the bias "
                         "[out]");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_match_hand_computed_ones),
        cmocka_unit_test(each_matrix_of_a_batch_meets_its_partner),
        cmocka_unit_test(derivatives_agree_for_all_transposes),
        cmocka_unit_test(linear_multiplies_by_the_transposed_weight_and_adds_the_bias),
        cmocka_unit_test(derivatives_of_linear_agree_with_finite_differences),
        cmocka_unit_test(matrices_that_do_not_fit_are_refused),
        cmocka_unit_test(linear_layers_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
