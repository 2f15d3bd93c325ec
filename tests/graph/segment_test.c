/* SPDX-License-Identifier: Apache-2.0 */
/* Segments, and derivatives that compute the values inside them again. */
#include "ops/check_gradient.h"

static void nodes_lie_between_the_marks_around_them(void **state)
{
    (void)state;
    struct trial trial;
    sumi_node first = -1, end = -1, nodes[300];
    trial_start(&trial, false);
    sumi_node x = trial_input(&trial, SHAPE(2), 0, 1);
    sumi_graph_mark(trial.graph);
    sumi_graph_mark(trial.graph); /* nothing between: as one */
    for (int i = 0; i < 300; i++) {
        x = nodes[i] = sumi_op_sin(trial.graph, x);
        if (i % 3 == 2) sumi_graph_mark(trial.graph);
    }
    sumi_node last = sumi_op_sin(trial.graph, x);
    assert_false(graph_find_segment(trial.graph, 0, &first, &end));
    assert_false(graph_find_segment(trial.graph, last, &first, &end));
    for (int i = 0; i < 300; i++) {
        assert_true(graph_find_segment(trial.graph, nodes[i], &first, &end));
        assert_int_equal(first, nodes[i - i % 3]);
        assert_int_equal(end, nodes[i - i % 3] + 3);
    }
    trial_end(&trial);
}

/* Three segments of rules by value, of fused ops and of views, and one value that skips two. */
static sumi_node build_segments(struct trial *trial)
{
    sumi_graph *graph = trial->graph;
    sumi_node x = trial_input(trial, SHAPE(1, 2, 4), -1, 1);
    sumi_node scale = trial_input(trial, SHAPE(4), 0.5, 1.5);
    sumi_node shift = trial_input(trial, SHAPE(4), -1, 1);
    sumi_graph_mark(graph);
    sumi_node y = sumi_op_sin(graph, sumi_op_multiply(graph, x, x)), skip = y;
    y = sumi_op_group_norm(graph, y, scale, shift, 2, 0.1, true);
    sumi_graph_mark(graph);
    y = sumi_op_attention(graph, y, sumi_op_tanh(graph, y), y, 2, 0.5);
    const int64_t flat[] = {8}, shape[] = {1, 2, 4};
    y = sumi_op_reshape(graph, sumi_op_exp(graph, sumi_op_reshape(graph, y, 1, flat)), 3, shape);
    sumi_graph_mark(graph);
    y = sumi_op_add(graph, y, sumi_op_dropout(graph, sumi_op_sigmoid(graph, y), 0.3));
    sumi_graph_mark(graph);
    return sumi_op_multiply(graph, y, skip);
}

static void derivatives_through_values_computed_again_agree_with_finite_differences(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, true);
    sumi_graph_set_recompute(trial.graph, true);
    trial_check_gradient(&trial, build_segments(&trial), 2);
    trial_end(&trial);
}

/* Nodes of the graph that are not leaves, of an op or of any. */
static int count_nodes(const sumi_graph *graph, const struct op *op)
{
    int count = 0;
    for (sumi_node n = 0; n < graph->count; n++) {
        const struct node *node = graph_node(graph, n);
        if (op ? node->op == op : node->op->reference != NULL) count++;
    }
    return count;
}

static void values_computed_again_give_the_same_bits_with_the_same_masks(void **state)
{
    (void)state;
    double slopes[2][8];
    int masks[2];
    for (int again = 0; again < 2; again++) {
        struct trial trial;
        trial_start(&trial, true);
        sumi_graph_set_recompute(trial.graph, again);
        sumi_node loss = trial_sum_all(&trial, build_segments(&trial)), slope = -1;
        CHECK_OK(trial.context,
                 sumi_graph_gradients(trial.graph, loss, 1, &trial.inputs[0], &slope));
        trial_evaluate(&trial, 1, &slope, slopes[again]);
        masks[again] = count_nodes(trial.graph, &op_dropout_mask);
        trial_end(&trial);
    }
    assert_memory_equal(slopes[1], slopes[0], sizeof slopes[0]);
    assert_int_equal(masks[0], 1);
    assert_int_equal(masks[1], 2);
}

/* y = exp(sin x), z = y^2 behind a mark: y crosses, so that only the sine is copied. */
static void values_that_are_read_outside_are_not_computed_again(void **state)
{
    (void)state;
    struct trial trial;
    trial_start(&trial, false);
    sumi_graph *graph = trial.graph;
    sumi_graph_set_recompute(graph, true);
    sumi_node x = trial_given(&trial, SCALAR, NUMBERS(0.5)), slope = -1;
    sumi_graph_mark(graph);
    sumi_node y = sumi_op_exp(graph, sumi_op_sin(graph, x));
    sumi_graph_mark(graph);
    sumi_node z = sumi_op_multiply(graph, y, y);
    CHECK_OK(trial.context, sumi_graph_gradients(graph, z, 1, &x, &slope));
    assert_int_equal(count_nodes(graph, &op_sin), 2);
    assert_int_equal(count_nodes(graph, &op_exp), 1);
    const double expected = 2 * exp(2 * sin(0.5)) * cos(0.5);
    trial_expect(&trial, slope, SCALAR, &expected);
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_lie_between_the_marks_around_them),
        cmocka_unit_test(derivatives_through_values_computed_again_agree_with_finite_differences),
        cmocka_unit_test(values_computed_again_give_the_same_bits_with_the_same_masks),
        cmocka_unit_test(values_that_are_read_outside_are_not_computed_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
