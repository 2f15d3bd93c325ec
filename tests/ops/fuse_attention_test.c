/* SPDX-License-Identifier: Apache-2.0 */
/* Attention with a side output of its rows' statistics for its gradient, in blocks of queries and
   keys. */
#include "cpu/fused_ways.h"
#include "ops/attention.h"
#include "ops/one_graph.h"

static sumi_node numbers(int64_t items, int64_t length, int64_t channels)
{
    return sumi_graph_input(graph, "x", 3, (int64_t[]){items, length, channels});
}

/* y and the gradients of a linear function of it by q, k and v; q, k and v are not leaves, so that
   there are nodes that nobody needs. */
static void attention_with_gradients(int64_t length, int64_t keys, double scale,
                                     sumi_node outputs[4])
{
    sumi_node wrt[3] = {numbers(2, length, 24), numbers(2, keys, 24), numbers(2, keys, 24)};
    sumi_op_exp(graph, wrt[0]);
    sumi_node y = outputs[0] = sumi_op_attention(graph, wrt[0], wrt[1], wrt[2], 4, scale);
    sumi_node product = sumi_op_multiply(graph, y, numbers(2, length, 24));
    sumi_node loss = sumi_op_sum(graph, product, 7);
    CHECK_OK(context, sumi_graph_gradients(graph, loss, 3, wrt, outputs + 1));
}

/* Lengths below, at and above a block's 256; scores so large that sums are corrected by much. */
static void blocks_add_up_to_the_whole(void **state)
{
    (void)state;
    const struct {
        int64_t length, keys;
        double scale;
    } cases[] = {{49, 31, 0.4}, {256, 256, 0.4}, {300, 70, 0.4}, {70, 531, 0.4}, {270, 300, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int threads = 1; threads <= 3; threads++) {
            sumi_graph_free(graph);
            CHECK_OK(context, sumi_context_set_threads(context, threads));
            CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
            sumi_node outputs[4];
            attention_with_gradients(cases[i].length, cases[i].keys, cases[i].scale, outputs);
            check_fused(graph, 4, outputs, 1e-5, 0, NULL);
        }
    }
}

/* y of a masked attention and its gradients by q, k, v and, if there is one, the bias. Returns how
   many outputs. */
static int masked_with_gradients(int64_t length, int64_t keys, const struct shape *bias,
                                 bool causal, sumi_node outputs[5])
{
    sumi_node wrt[4] = {numbers(2, length, 24), numbers(2, keys, 24), numbers(2, keys, 24), -1};
    if (bias) wrt[3] = sumi_graph_input(graph, "x", 4, bias->size);
    sumi_op_exp(graph, wrt[0]);
    sumi_node y = outputs[0] =
        sumi_op_attention_masked(graph, wrt[0], wrt[1], wrt[2], wrt[3], causal, 4, 0.4);
    sumi_node product = sumi_op_multiply(graph, y, numbers(2, length, 24));
    sumi_node loss = sumi_op_sum(graph, product, 7);
    CHECK_OK(context, sumi_graph_gradients(graph, loss, 3 + (bias != NULL), wrt, outputs + 1));
    return 4 + (bias != NULL);
}

/* Lengths below, at and above a block's 256, so that of causal ones blocks are whole, cut and left
   out. */
static void blocks_of_masked_attention_add_up_to_the_whole(void **state)
{
    (void)state;
    const struct {
        int64_t length, keys, bias[3];
        bool causal;
    } cases[] = {{49, 31, {2, 1, 1}, false},
                 {300, 270, {1, 4, 300}, false},
                 {256, 256, {0}, true},
                 {600, 600, {0}, true},
                 {270, 270, {2, 4, 1}, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int threads = 1; threads <= 3; threads += 2) {
            sumi_graph_free(graph);
            CHECK_OK(context, sumi_context_set_threads(context, threads));
            CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
            sumi_node outputs[5];
            const int64_t *bias = cases[i].bias;
            struct shape shape = {4, {bias[0], bias[1], bias[2], cases[i].keys}};
            int count = masked_with_gradients(cases[i].length, cases[i].keys,
                                              bias[0] ? &shape : NULL, cases[i].causal, outputs);
            check_fused(graph, count, outputs, 1e-5, 0, NULL);
        }
    }
}

/* Of the first block of 256 keys no query sees any. */
static void keys_hidden_by_minus_infinity_do_not_count(void **state)
{
    (void)state;
    enum { KEYS = 300, SEEN = 280 };
    sumi_node q = numbers(1, 3, 4), k = numbers(1, KEYS, 4), v = numbers(1, KEYS, 4), outputs[2];
    float bias[KEYS];
    for (int i = 0; i < KEYS; i++) bias[i] = i < SEEN ? -INFINITY : 0;
    sumi_node hidden = sumi_graph_constant(graph, 4, (int64_t[]){1, 1, 1, KEYS}, bias);
    outputs[0] = sumi_op_attention_masked(graph, q, k, v, hidden, false, 2, 1);
    k = sumi_op_slice(graph, k, 1, SEEN, KEYS - SEEN);
    v = sumi_op_slice(graph, v, 1, SEEN, KEYS - SEEN);
    outputs[1] = sumi_op_attention(graph, q, k, v, 2, 1);
    check_both_ways(graph, 2, outputs, 1e-5);
    sumi_plan *plan = NULL;
    double *values[16] = {NULL};
    CHECK_OK(context, sumi_plan_create(graph, 2, outputs, &plan));
    fill_inputs(graph, plan, values);
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    for (int i = 0; i < 12; i++)
        assert_float_equal(sumi_plan_data(plan, outputs[0])[i], sumi_plan_data(plan, outputs[1])[i],
                           1e-6);
    for (int i = 0; i < 16; i++) free(values[i]);
    sumi_plan_free(plan);
}

static void the_gradient_takes_the_rows_of_the_forward_pass(void **state)
{
    (void)state;
    sumi_node outputs[4];
    attention_with_gradients(20, 30, 0.4, outputs);
    const struct fusion_rule *rules[] = {&fuse_rows, NULL};
    size_t size = (size_t)graph->count * sizeof(struct node);
    struct node *nodes = malloc(size);
    for (int forward = 0; forward < 2; forward++) { /* without y there is nothing to take */
        memcpy(nodes, graph->nodes, size);
        CHECK_OK(context,
                 fuse(context, nodes, graph->count, 4 - !forward, outputs + !forward, rules));
        int found = 0;
        for (sumi_node n = 0; n < graph->count; n++) {
            if (nodes[n].op != &op_attention_gradient) continue;
            found++;
            assert_int_equal(nodes[n].input_count, forward ? 6 : 4);
            if (!forward) continue;
            assert_int_equal(nodes[n].inputs[ATTENTION_GRADIENT_RESULT], outputs[0]);
            sumi_node rows = nodes[n].inputs[ATTENTION_GRADIENT_ROWS];
            assert_ptr_equal(nodes[rows].op, &op_side_output);
            assert_int_equal(nodes[outputs[0]].inputs[ATTENTION_ROWS], rows);
        }
        assert_int_equal(found, 1);
    }
    free(nodes);
}

/* A plan's scratch for attention over four times the pixels grows with their number alone. */
/* A vector that is added to all keys does not change the weights. With values that have much in
   common, the mean slope is large, and its rounding must not show in the gradient by that vector.
 */
static void a_bias_of_all_keys_has_no_gradient(void **state)
{
    (void)state;
    enum { LENGTH = 40, WIDTH = 24 };
    sumi_node in[4], dk;
    sumi_plan *plan = NULL;
    for (int i = 0; i < 4; i++) in[i] = numbers(1, LENGTH, WIDTH);
    sumi_node y = sumi_op_attention(graph, in[0], in[1], in[2], 4, 0.4);
    sumi_node loss = sumi_op_sum(graph, sumi_op_multiply(graph, y, in[3]), 7);
    CHECK_OK(context, sumi_graph_gradients(graph, loss, 1, &in[1], &dk));
    const sumi_node outputs[2] = {dk, y};
    CHECK_OK(context, sumi_plan_create(graph, 2, outputs, &plan));
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < LENGTH * WIDTH; j++)
            sumi_plan_data(plan, in[i])[j] = (float)(sin(1.7 * j + i) + (i == 2 ? 100 : 0));
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    const float *gradient = sumi_plan_data(plan, dk);
    for (int c = 0; c < WIDTH; c++) {
        double sum = 0, magnitudes = 0;
        for (int j = 0; j < LENGTH; j++) {
            sum += gradient[j * WIDTH + c];
            magnitudes += fabs(gradient[j * WIDTH + c]);
        }
        CHECK_CLOSE(sum, 0, 3e-7 * magnitudes);
    }
    sumi_plan_free(plan);
}

static void no_matrix_of_all_scores_is_kept(void **state)
{
    (void)state;
    size_t bytes[2];
    CHECK_OK(context, sumi_context_set_threads(context, 1));
    for (int i = 0; i < 2; i++) {
        sumi_graph_free(graph);
        CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
        sumi_node outputs[4];
        attention_with_gradients(1024 << (2 * i), 1024 << (2 * i), 1, outputs);
        sumi_plan *plan = NULL;
        CHECK_OK(context, sumi_plan_create(graph, 4, outputs, &plan));
        bytes[i] = plan_memory(plan);
        sumi_plan_free(plan);
    }
    assert_true(bytes[1] < 4 * bytes[0]);
    assert_true(bytes[1] < 4096 * (size_t)4096 * sizeof(float) / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(blocks_add_up_to_the_whole),
        GRAPH_TEST(blocks_of_masked_attention_add_up_to_the_whole),
        GRAPH_TEST(keys_hidden_by_minus_infinity_do_not_count),
        GRAPH_TEST(the_gradient_takes_the_rows_of_the_forward_pass),
        GRAPH_TEST(a_bias_of_all_keys_has_no_gradient),
        GRAPH_TEST(no_matrix_of_all_scores_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
