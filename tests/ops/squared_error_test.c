/* SPDX-License-Identifier: Apache-2.0 */
/* The loss whose gradient is computed with it: values by hand, and the same as from elementary
   ops. */
#include "cpu/both_ways.h"
#include "ops/check_gradient.h"
#include "ops/ops.h"

static void losses_and_gradient_are_those_of_the_formula(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(2, 2), NUMBERS(1, 2, 3, 4));
    sumi_node target = trial_given(&trial, SHAPE(2, 2), NUMBERS(0, 2, 5, 1));
    sumi_node c = trial_given(&trial, SHAPE(2), NUMBERS(10, 2)), losses, gradient;
    sumi_node loss = ops_squared_error(trial.graph, x, target, -1, &losses);
    trial_expect(&trial, losses, SHAPE(2), NUMBERS(0.5, 6.5));
    trial_expect(&trial, loss, 0, NULL, NUMBERS(3.5));
    loss = ops_squared_error(trial.graph, x, target, c, &losses);
    trial_expect(&trial, loss, 0, NULL, NUMBERS(18));
    CHECK_OK(trial.context, sumi_graph_gradients(trial.graph, loss, 1, &x, &gradient));
    trial_expect(&trial, gradient, SHAPE(2, 2), NUMBERS(10, 0, -4, 6));
    trial_end(&trial);
}

/* By all inputs, and a second time, through the loss and through the items' losses. */
static void derivatives_agree_with_finite_differences(void **state)
{
    (void)state;
    for (int form = 0; form < 3; form++) {
        struct trial trial;
        trial_start(&trial, false);
        sumi_node x = trial_input(&trial, SHAPE(3, 2, 4), 0, 1);
        sumi_node target = trial_input(&trial, SHAPE(3, 2, 4), 0, 1);
        sumi_node c = form ? trial_input(&trial, SHAPE(3), 1, 0.3) : -1, losses;
        sumi_node loss = ops_squared_error(trial.graph, x, target, c, &losses);
        sumi_node y = form == 2 ? sumi_op_multiply(trial.graph, losses, losses)
                                : sumi_op_multiply(trial.graph, loss, loss);
        trial_check_gradient(&trial, y, 2);
        trial_end(&trial);
    }
}

static void the_kernel_agrees_with_the_reference(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        sumi_context *context;
        sumi_graph *graph;
        assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
        CHECK_OK(context, sumi_context_set_threads(context, threads));
        CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
        const int64_t items = 5, shape[] = {5, 31, 37, 5};
        sumi_node x = sumi_graph_input(graph, "x", 4, shape);
        sumi_node target = sumi_graph_input(graph, "target", 4, shape);
        sumi_node c = sumi_graph_input(graph, "c", 1, &items), outputs[4];
        outputs[0] = ops_squared_error(graph, x, target, c, &outputs[1]);
        CHECK_OK(context, sumi_graph_gradients(graph, outputs[0], 1, &x, &outputs[2]));
        outputs[3] = ops_squared_error(graph, x, target, -1, &c);
        check_both_ways(graph, 4, outputs, 1e-6);
        sumi_graph_free(graph);
        sumi_context_free(context);
    }
}

/* Forward and backward together are one step of a plan. */
static void the_loss_and_its_gradient_are_one_step(void **state)
{
    (void)state;
    sumi_context *context;
    sumi_graph *graph;
    sumi_plan *plan;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
    const int64_t shape[] = {4, 8};
    sumi_node x = sumi_graph_input(graph, "x", 2, shape), losses, outputs[2];
    sumi_node target = sumi_graph_input(graph, "target", 2, shape);
    outputs[0] = ops_squared_error(graph, x, target, -1, &losses);
    CHECK_OK(context, sumi_graph_gradients(graph, outputs[0], 1, &x, &outputs[1]));
    CHECK_OK(context, sumi_plan_create(graph, 2, outputs, &plan));
    assert_int_equal(plan_steps(plan, NULL), 1);
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    sumi_context_free(context);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    sumi_node losses;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3), 0, 1),
              y = trial_input(&trial, SHAPE(3, 2), 0, 1);
    trial_expect_refusal(&trial, ops_squared_error(trial.graph, x, y, -1, &losses),
                         "squared_error: [2, 3] and [3, 2] do not fit: prediction and target have "
                         "one shape, [n, ...]");
    trial_end(&trial);
    trial_start(&trial, false);
    x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    y = trial_input(&trial, SHAPE(3), 0, 1);
    trial_expect_refusal(&trial, ops_squared_error(trial.graph, x, x, y, &losses),
                         "squared_error: [2, 3] and [3] do not fit: there is a number for each "
                         "item");
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_gradient_are_those_of_the_formula),
        cmocka_unit_test(derivatives_agree_with_finite_differences),
        cmocka_unit_test(the_kernel_agrees_with_the_reference),
        cmocka_unit_test(the_loss_and_its_gradient_are_one_step),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
