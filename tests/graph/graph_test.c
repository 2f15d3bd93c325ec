/* SPDX-License-Identifier: Apache-2.0 */
/* Building graphs: nodes and their shapes, leaves, failures, and memory that runs out. */
#include "ops/check_gradient.h"

static void nodes_report_their_shape(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    int64_t size[SUMI_MAX_RANK];
    sumi_node x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    assert_int_equal(sumi_graph_shape(trial.graph, x, size), 2);
    assert_int_equal(size[0], 2);
    assert_int_equal(size[1], 3);
    assert_int_equal(sumi_graph_shape(trial.graph, sumi_graph_number(trial.graph, 1), size), 0);
    assert_int_equal(sumi_graph_shape(trial.graph, -1, size), -1);
    assert_int_equal(sumi_graph_shape(trial.graph, 99, size), -1);
    trial_end(&trial);
}

static void the_first_failure_stays_and_all_later_calls_give_minus_one(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2, 3), 0, 1);
    sumi_node bad = sumi_op_reshape(trial.graph, x, SHAPE(5));
    assert_int_equal(sumi_op_linear(trial.graph, bad, x, -1), -1);
    assert_int_equal(sumi_op_group_norm(trial.graph, bad, x, x, 1, 0, true), -1);
    assert_int_equal(sumi_op_mean(trial.graph, bad, 1), -1);
    assert_int_equal(sumi_op_dropout(trial.graph, bad, 0.5), -1);
    assert_int_equal(sumi_op_permute(trial.graph, bad, (int[]){0}), -1);
    assert_int_equal(sumi_op_exp(trial.graph, x), -1);
    assert_int_equal(sumi_graph_number(trial.graph, 1), -1);
    sumi_node gradient;
    assert_int_equal(sumi_graph_gradients(trial.graph, x, 1, &x, &gradient), SUMI_ERROR_ARGUMENT);
    trial_expect_refusal(&trial, bad,
                         "reshape: [2, 3] and [5] do not fit: the numbers of elements differ");
    trial_end(&trial);
}

static void results_too_large_for_any_memory_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = sumi_graph_number(trial.graph, 1);
    sumi_node tall = sumi_op_broadcast(trial.graph, x, SHAPE(1 << 20, 1, 1));
    sumi_node wide = sumi_op_broadcast(trial.graph, x, SHAPE(1, 1 << 20, 2));
    trial_expect_refusal(&trial, sumi_op_add(trial.graph, tall, wide),
                         "add: a result of shape [1048576, 1048576, 2] is not possible");
    trial_end(&trial);
}

static void leaves_with_impossible_shapes_are_refused(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    trial_expect_refusal(&trial, sumi_graph_input(trial.graph, "x", SHAPE(2, 0)),
                         "input: dimension 1 cannot be 0");
    trial_end(&trial);
    trial_start(&trial, false);
    trial_expect_refusal(&trial,
                         sumi_graph_constant(trial.graph, SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 1), NULL),
                         "constant: has 0 to 8 dimensions, not 9");
    trial_end(&trial);
    trial_start(&trial, false);
    trial_expect_refusal(&trial, sumi_graph_input(trial.graph, "x", SHAPE(INT64_MAX, 2)),
                         "input: dimension 0 cannot be 9223372036854775807");
    trial_end(&trial);
}

static void constants_are_copied(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    float numbers[3] = {1, 2, 3};
    sumi_node x = sumi_graph_constant(trial.graph, SHAPE(3), numbers);
    numbers[0] = 9;
    trial_expect(&trial, x, SHAPE(3), NUMBERS(1, 2, 3));
    trial_end(&trial);
}

static void graphs_grow_as_long_as_there_is_memory(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_node x = trial_given(&trial, SHAPE(1), NUMBERS(0)), y = x;
    for (int i = 0; i < 2000; i++) y = sumi_op_affine(trial.graph, y, 1, 1);
    trial_expect(&trial, y, SHAPE(1), NUMBERS(2000));
    trial_end(&trial);
}

/* An allocator that fails at one call, and counts what is out. */
struct failing {
    int calls, fail_at, out;
};

static void *failing_allocate(void *user, size_t size, size_t alignment)
{
    struct failing *failing = user;
    if (failing->calls++ == failing->fail_at) return NULL;
    failing->out++;
    return aligned_alloc(alignment, (size + alignment) / alignment * alignment);
}

static void failing_release(void *user, void *memory)
{
    ((struct failing *)user)->out--;
    free(memory);
}

/* A bit of everything: a small network and the gradient by one of its weights, evaluated. */
static sumi_status build_and_evaluate(sumi_context *context)
{
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    sumi_status status = sumi_weights_create(context, 1, &weights);
    if (status == SUMI_OK) status = sumi_graph_create(context, weights, true, &graph);
    if (status == SUMI_OK) {
        double x_values[24] = {0.5, -1, 2}, *values[1024] = {0};
        bool owned[1024];
        sumi_node x = sumi_graph_input(graph, "x", SHAPE(2, 3, 4));
        sumi_node w = sumi_graph_weight(graph, "w", SHAPE(4, 4), SUMI_START_FAN_IN, 4);
        sumi_node b = sumi_graph_weight(graph, "b", SHAPE(4), SUMI_START_ONE, 0);
        sumi_node y =
            sumi_op_group_norm(graph, sumi_op_linear(graph, x, w, b), b, b, 2, 1e-5, true);
        y = sumi_op_dropout(graph, sumi_op_attention(graph, y, x, y, 2, 0.5), 0.1);
        sumi_node loss = sumi_op_sum(graph, y, 7), gradient = -1;
        status = sumi_graph_gradients(graph, loss, 1, &w, &gradient);
        if (x >= 0) values[x] = x_values;
        if (status == SUMI_OK && graph->count <= 1024) {
            status = interpret(graph, 1, &gradient, values, owned, &TRIAL_KEY);
            if (status == SUMI_OK) interpret_release(graph, values, owned);
        }
    }
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    return status;
}

static void memory_that_runs_out_anywhere_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    sumi_status status = SUMI_ERROR_MEMORY;
    for (int fail_at = 0; status != SUMI_OK; fail_at++) {
        struct failing failing = {.fail_at = fail_at};
        const sumi_allocator allocator = {&failing, failing_allocate, failing_release};
        sumi_context *context = NULL;
        status = sumi_context_create(&allocator, &context);
        if (status == SUMI_OK) {
            status = build_and_evaluate(context);
            sumi_context_free(context);
        }
        assert_true(status == SUMI_OK || status == SUMI_ERROR_MEMORY);
        assert_int_equal(failing.out, 0);
        assert_true(fail_at < 5000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_report_their_shape),
        cmocka_unit_test(the_first_failure_stays_and_all_later_calls_give_minus_one),
        cmocka_unit_test(results_too_large_for_any_memory_are_refused),
        cmocka_unit_test(leaves_with_impossible_shapes_are_refused),
        cmocka_unit_test(constants_are_copied),
        cmocka_unit_test(graphs_grow_as_long_as_there_is_memory),
        cmocka_unit_test(memory_that_runs_out_anywhere_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
