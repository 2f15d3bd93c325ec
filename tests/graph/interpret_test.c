/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation in double: computed values, values of the caller, and release. */
#include "ops/check_gradient.h"

enum { NODES = 64 };

struct fixture {
    sumi_context *context;
    sumi_weights *weights;
    sumi_graph *graph;
    double *values[NODES];
    bool owned[NODES];
};

static void start(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    assert_int_equal(sumi_context_create(NULL, &fixture->context), SUMI_OK);
    CHECK_OK(fixture->context, sumi_weights_create(fixture->context, 1, &fixture->weights));
    CHECK_OK(fixture->context,
             sumi_graph_create(fixture->context, fixture->weights, false, &fixture->graph));
}

static void end(struct fixture *fixture)
{
    sumi_graph_free(fixture->graph);
    sumi_weights_free(fixture->weights);
    sumi_context_free(fixture->context);
}

static sumi_status evaluate(struct fixture *fixture, sumi_node output)
{
    return interpret(fixture->graph, 1, &output, fixture->values, fixture->owned, &TRIAL_KEY);
}

static void only_what_the_outputs_need_is_computed(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    double number = 2;
    sumi_node x = sumi_graph_input(fixture.graph, "x", SCALAR);
    sumi_node unfilled = sumi_graph_input(fixture.graph, "unfilled", SCALAR);
    sumi_node aside = sumi_op_exp(fixture.graph, unfilled);
    sumi_node y = sumi_op_affine(fixture.graph, x, 3, 1);
    fixture.values[x] = &number;
    CHECK_OK(fixture.context, evaluate(&fixture, y));
    CHECK_CLOSE(*fixture.values[y], 7, 0);
    assert_null(fixture.values[aside]);
    assert_true(fixture.owned[y] && !fixture.owned[x]);
    interpret_release(fixture.graph, fixture.values, fixture.owned);
    assert_null(fixture.values[y]);
    assert_ptr_equal(fixture.values[x], &number);
    end(&fixture);
}

static void weights_are_read_unless_the_caller_overrides_them(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    double number = 1e-3; /* not a float */
    sumi_node w = sumi_graph_weight(fixture.graph, "w", SHAPE(1), SUMI_START_ONE, 0);
    sumi_node y = sumi_op_affine(fixture.graph, w, 5, 0);
    CHECK_OK(fixture.context, evaluate(&fixture, y));
    CHECK_CLOSE(*fixture.values[y], 5, 0);
    interpret_release(fixture.graph, fixture.values, fixture.owned);
    fixture.values[w] = &number;
    CHECK_OK(fixture.context, evaluate(&fixture, y));
    CHECK_CLOSE(*fixture.values[y], 5e-3, 1e-17);
    interpret_release(fixture.graph, fixture.values, fixture.owned);
    end(&fixture);
}

static void an_input_without_values_is_named(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    sumi_node x = sumi_graph_input(fixture.graph, "photograph", SCALAR);
    sumi_node y = sumi_op_exp(fixture.graph, x);
    assert_int_equal(evaluate(&fixture, y), SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(fixture.context),
                        "input \"photograph\" was given no values");
    for (int i = 0; i < NODES; i++) assert_null(fixture.values[i]);
    end(&fixture);
}

static void a_graph_that_failed_is_not_evaluated(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    sumi_node one = sumi_graph_number(fixture.graph, 1);
    sumi_op_softmax(fixture.graph, one);
    assert_int_equal(evaluate(&fixture, one), SUMI_ERROR_ARGUMENT);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_outputs_need_is_computed),
        cmocka_unit_test(weights_are_read_unless_the_caller_overrides_them),
        cmocka_unit_test(an_input_without_values_is_named),
        cmocka_unit_test(a_graph_that_failed_is_not_evaluated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
