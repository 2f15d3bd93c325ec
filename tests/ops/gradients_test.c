/* SPDX-License-Identifier: Apache-2.0 */
/* Differentiation of whole graphs, compared with derivatives computed by hand. */
#include "ops/check_gradient.h"

/* The gradient of `loss` by one node. */
static sumi_node gradient_by(struct trial *trial, sumi_node loss, sumi_node x)
{
    sumi_node gradient = -1;
    CHECK_OK(trial->context, sumi_graph_gradients(trial->graph, loss, 1, &x, &gradient));
    return gradient;
}

static void a_loss_has_slope_one_by_itself(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1, 1), NUMBERS(5));
    trial_expect(&trial, gradient_by(&trial, x, x), SHAPE(1, 1), NUMBERS(1));
    trial_end(&trial);
}

static void inputs_the_loss_does_not_use_get_zeros_of_their_shape(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SCALAR, NUMBERS(2));
    sumi_node unused = trial_given(&trial, SHAPE(2, 2), NUMBERS(1, 2, 3, 4));
    sumi_node loss = sumi_op_multiply(trial.graph, x, x);
    sumi_node later = trial_given(&trial, SHAPE(3), NUMBERS(1, 2, 3));
    trial_expect(&trial, gradient_by(&trial, loss, unused), SHAPE(2, 2), NUMBERS(0, 0, 0, 0));
    trial_expect(&trial, gradient_by(&trial, loss, later), SHAPE(3), NUMBERS(0, 0, 0));
    trial_end(&trial);
}

static void a_node_given_to_an_op_twice_counts_twice(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SCALAR, NUMBERS(3));
    sumi_node square = sumi_op_multiply(trial.graph, x, x);
    sumi_node fourth = sumi_op_multiply(trial.graph, square, square);
    trial_expect(&trial, gradient_by(&trial, square, x), SCALAR, NUMBERS(6));
    trial_expect(&trial, gradient_by(&trial, fourth, x), SCALAR, NUMBERS(108));
    trial_end(&trial);
}

static void paths_through_a_shared_expression_are_added(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* s = 2x, loss = s^2 + 5s + x: slope 2 (2s + 5) + 1 = 8x + 11. */
    sumi_node x = trial_given(&trial, SCALAR, NUMBERS(3));
    sumi_node s = sumi_op_affine(trial.graph, x, 2, 0);
    sumi_node loss = sumi_op_add(trial.graph, sumi_op_multiply(trial.graph, s, s),
                                 sumi_op_affine(trial.graph, s, 5, 0));
    loss = sumi_op_add(trial.graph, loss, x);
    trial_expect(&trial, gradient_by(&trial, loss, x), SCALAR, NUMBERS(35));
    trial_end(&trial);
}

static void an_intermediate_node_and_its_input_each_get_their_whole_slope(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* y = x^2, loss = x y: by y it is x, by x it is 3 x^2, whether asked for together or not. */
    sumi_node x = trial_given(&trial, SCALAR, NUMBERS(3));
    sumi_node y = sumi_op_multiply(trial.graph, x, x);
    sumi_node loss = sumi_op_multiply(trial.graph, x, y);
    sumi_node wrt[2] = {y, x}, gradients[2];
    CHECK_OK(trial.context, sumi_graph_gradients(trial.graph, loss, 2, wrt, gradients));
    trial_expect(&trial, gradients[0], SCALAR, NUMBERS(3));
    trial_expect(&trial, gradients[1], SCALAR, NUMBERS(27));
    trial_expect(&trial, gradient_by(&trial, loss, y), SCALAR, NUMBERS(3));
    trial_end(&trial);
}

static void the_same_node_may_be_requested_twice(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SCALAR, NUMBERS(3));
    sumi_node loss = sumi_op_multiply(trial.graph, x, x), wrt[2] = {x, x}, gradients[2];
    CHECK_OK(trial.context, sumi_graph_gradients(trial.graph, loss, 2, wrt, gradients));
    for (int i = 0; i < 2; i++) trial_expect(&trial, gradients[i], SCALAR, NUMBERS(6));
    trial_end(&trial);
}

static void gradients_can_be_differentiated_again_and_again(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    /* sin, cos, -sin, -cos, sin at 1 */
    sumi_node x = trial_given(&trial, SCALAR, NUMBERS(1));
    sumi_node y = sumi_op_sin(trial.graph, x);
    const double sine = 0.8414709848078965, cosine = 0.5403023058681398;
    const double expected[4] = {cosine, -sine, -cosine, sine};
    for (int order = 0; order < 4; order++) {
        y = gradient_by(&trial, y, x);
        trial_expect(&trial, y, SCALAR, &expected[order]);
    }
    trial_end(&trial);
}

/* From the second derivative on, fused ops are differentiated through their expansions. */
static void third_derivatives_of_fused_ops_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_graph *graph = trial.graph;
    sumi_node x = trial_input(&trial, SHAPE(1, 2, 4), -1, 1);
    sumi_node scale = trial_input(&trial, SHAPE(4), 0.5, 1.5);
    sumi_node shift = trial_input(&trial, SHAPE(4), -1, 1);
    sumi_node y = sumi_op_group_norm(graph, x, scale, shift, 2, 0.1, true);
    y = sumi_op_attention(graph, y, x, y, 2, 0.5);
    sumi_node slope = gradient_by(&trial, trial_sum_all(&trial, sumi_op_sin(graph, y)), x);
    trial_check_gradient(&trial, slope, 2);
    trial_end(&trial);
}

static void a_loss_of_several_numbers_is_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2), 0, 1), gradient = -1;
    assert_int_equal(sumi_graph_gradients(trial.graph, x, 1, &x, &gradient), SUMI_ERROR_ARGUMENT);
    trial_expect_refusal(&trial, gradient, "gradients: the loss must be a node with one element");
    trial_end(&trial);
}

static void nodes_that_are_not_there_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(1), 0, 1), gradients[2] = {-1, -1};
    sumi_node wrt[2] = {x, 17};
    assert_int_equal(sumi_graph_gradients(trial.graph, x, 2, wrt, gradients), SUMI_ERROR_ARGUMENT);
    trial_expect_refusal(&trial, gradients[0], "gradients: number 1 is not a node of this graph");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_has_slope_one_by_itself),
        cmocka_unit_test(inputs_the_loss_does_not_use_get_zeros_of_their_shape),
        cmocka_unit_test(a_node_given_to_an_op_twice_counts_twice),
        cmocka_unit_test(paths_through_a_shared_expression_are_added),
        cmocka_unit_test(an_intermediate_node_and_its_input_each_get_their_whole_slope),
        cmocka_unit_test(the_same_node_may_be_requested_twice),
        cmocka_unit_test(gradients_can_be_differentiated_again_and_again),
        cmocka_unit_test(third_derivatives_of_fused_ops_agree_with_finite_differences),
        cmocka_unit_test(a_loss_of_several_numbers_is_refused),
        cmocka_unit_test(nodes_that_are_not_there_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
