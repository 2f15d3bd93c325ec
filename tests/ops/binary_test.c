/* SPDX-License-Identifier: Apache-2.0 */
/* The ops of two inputs that work element by element, and their broadcasting. */
#include "ops/check_gradient.h"

typedef sumi_node (*builder)(sumi_graph *graph, sumi_node a, sumi_node b);
static const builder BUILDERS[] = {sumi_op_add, sumi_op_subtract, sumi_op_multiply, sumi_op_divide};

static void arithmetic_is_done_element_by_element(void **state)
{
    (void)state;
    static const double expected[4][2] = {{10, 7}, {6, -3}, {16, 10}, {4, 0.4}};
    for (int i = 0; i < 4; i++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node a = trial_given(&trial, SHAPE(2), NUMBERS(8, 2));
        sumi_node b = trial_given(&trial, SHAPE(2), NUMBERS(2, 5));
        trial_expect(&trial, BUILDERS[i](trial.graph, a, b), SHAPE(2), expected[i]);
        trial_end(&trial);
    }
}

static void missing_axes_and_axes_of_size_one_repeat(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node column = trial_given(&trial, SHAPE(2, 1), NUMBERS(10, 20));
    sumi_node row = trial_given(&trial, SHAPE(3), NUMBERS(1, 2, 3));
    trial_expect(&trial, sumi_op_add(trial.graph, column, row), SHAPE(2, 3),
                 NUMBERS(11, 12, 13, 21, 22, 23));
    trial_expect(&trial, sumi_op_subtract(trial.graph, row, column), SHAPE(2, 3),
                 NUMBERS(-9, -8, -7, -19, -18, -17));
    trial_end(&trial);
}

static void check(int rank_a, const int64_t *a_size, int rank_b, const int64_t *b_size)
{
    for (int i = 0; i < 4; i++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node a = trial_input(&trial, rank_a, a_size, -2, 2);
        sumi_node b = trial_input(&trial, rank_b, b_size, 0.8, 2);
        trial_check_gradient(&trial, BUILDERS[i](trial.graph, a, b), 2);
        trial_end(&trial);
    }
}

static void derivatives_agree_for_every_kind_of_broadcasting(void **state)
{
    (void)state;
    check(SHAPE(3, 5), SHAPE(3, 5));
    check(SHAPE(3, 5), SHAPE(5));
    check(SHAPE(5), SHAPE(3, 5));
    check(SHAPE(2, 1, 3), SHAPE(2, 4, 3));
    check(SHAPE(2, 1, 3), SHAPE(4, 1));
    check(SHAPE(1, 3), SHAPE(1, 3));
    check(SHAPE(2, 3), SCALAR);
    check(SCALAR, SHAPE(3));
    check(SCALAR, SCALAR);
    check(SHAPE(1), SCALAR);
}

static void derivatives_of_a_node_used_twice_are_added(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node x = trial_input(&trial, SHAPE(2, 3), 0.5, 2);
        trial_check_gradient(&trial, BUILDERS[i](trial.graph, x, x), 2);
        trial_end(&trial);
    }
}

static void shapes_that_do_not_broadcast_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node a = trial_input(&trial, SHAPE(2, 3), 0, 1);
    sumi_node b = trial_input(&trial, SHAPE(4, 2), 0, 1);
    trial_expect_refusal(&trial, sumi_op_multiply(trial.graph, a, b),
                         "multiply: [2, 3] and [4, 2] do not fit: each pair of sizes must be equal "
                         "or have a 1");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_is_done_element_by_element),
        cmocka_unit_test(missing_axes_and_axes_of_size_one_repeat),
        cmocka_unit_test(derivatives_agree_for_every_kind_of_broadcasting),
        cmocka_unit_test(derivatives_of_a_node_used_twice_are_added),
        cmocka_unit_test(shapes_that_do_not_broadcast_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
