/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: where values live in memory, outputs that are leaves or views, and threads. */
#include "graph/plan.h"
#include "ops/ops.h"
#include "one_context.h"

/* A graph over weights of its own. */
struct bench {
    sumi_weights *weights;
    sumi_graph *graph;
    sumi_plan *plan;
};

static void bench_begin(struct bench *bench)
{
    *bench = (struct bench){0};
    CHECK_OK(context, sumi_weights_create(context, 1, &bench->weights));
    CHECK_OK(context, sumi_graph_create(context, bench->weights, false, &bench->graph));
}

static void bench_end(struct bench *bench)
{
    sumi_plan_free(bench->plan);
    sumi_graph_free(bench->graph);
    sumi_weights_free(bench->weights);
}

/* The window's storage is as large as the sum and read for the last time, yet each of its elements
   is needed by many of the sum. */
static void a_sum_does_not_overwrite_what_it_repeats(void **state)
{
    (void)state;
    enum { COUNT = 1 << 14 };
    static float ramp[COUNT];
    for (int i = 0; i < COUNT; i++) ramp[i] = (float)i;
    struct bench b;
    bench_begin(&b);
    const int64_t count = COUNT;
    const struct shape one = {.rank = 1, .size = {1}};
    sumi_node x = sumi_graph_input(b.graph, "x", 1, &count);
    sumi_node twice = sumi_op_affine(b.graph, x, 2, 0);
    sumi_node second = ops_window(b.graph, twice, 1, &one);
    sumi_node sum = sumi_op_add(b.graph, second, sumi_graph_constant(b.graph, 1, &count, ramp));
    CHECK_OK(context, sumi_plan_create(b.graph, 1, &sum, &b.plan));
    memcpy(sumi_plan_data(b.plan, x), ramp, sizeof ramp);
    CHECK_OK(context, sumi_plan_run(b.plan, 0, 0));
    for (int i = 0; i < COUNT; i++) assert_true(sumi_plan_data(b.plan, sum)[i] == ramp[i] + 2);
    bench_end(&b);
}

static void outputs_may_be_leaves_views_of_them_and_named_twice(void **state)
{
    (void)state;
    struct bench b;
    bench_begin(&b);
    const int64_t size[] = {2, 2}, four = 4;
    const float values[] = {1, 2, 3, 4};
    sumi_node x = sumi_graph_input(b.graph, "x", 2, size);
    sumi_node constant = sumi_graph_constant(b.graph, 2, size, values);
    sumi_node weight = sumi_graph_weight(b.graph, "w", 2, size, SUMI_START_ONE, 0);
    sumi_node flat = sumi_op_reshape(b.graph, x, 1, &four);
    sumi_node flat_weight = sumi_op_reshape(b.graph, weight, 1, &four);
    sumi_node root = sumi_op_exp(b.graph, flat); /* the last reader, which must leave x alone */
    const sumi_node outputs[] = {x, constant, weight, flat, flat_weight, root, root};
    CHECK_OK(context, sumi_plan_create(b.graph, 7, outputs, &b.plan));
    memcpy(sumi_plan_data(b.plan, x), values, sizeof values);
    for (int run = 0; run < 2; run++) CHECK_OK(context, sumi_plan_run(b.plan, 0, 0));
    assert_memory_equal(sumi_plan_data(b.plan, x), values, sizeof values);
    assert_memory_equal(sumi_plan_data(b.plan, constant), values, sizeof values);
    assert_memory_equal(sumi_plan_data(b.plan, flat), values, sizeof values);
    for (int i = 0; i < 4; i++) {
        assert_true(sumi_plan_data(b.plan, weight)[i] == 1);
        assert_true(sumi_plan_data(b.plan, flat_weight)[i] == 1);
        CHECK_CLOSE(sumi_plan_data(b.plan, root)[i], exp(values[i]), 1e-5 * exp(values[i]));
    }
    assert_null(sumi_plan_data(b.plan, -1));
    bench_end(&b);
}

/* The gradient of a convolution's weight and a long sum both cut their work by threads. */
static void a_plan_gives_the_same_bits_whatever_threads_the_context_has_later(void **state)
{
    (void)state;
    static float before[8 * 8 * 3 * 3];
    struct bench b;
    bench_begin(&b);
    const int64_t image[] = {4, 32, 32, 8}, kernel[] = {8, 8, 3, 3};
    const sumi_convolution geometry = {{1, 1}, {1, 1}, {1, 1}};
    CHECK_OK(context, sumi_context_set_threads(context, 3));
    sumi_node x = sumi_graph_input(b.graph, "x", 4, image);
    sumi_node weight = sumi_graph_weight(b.graph, "w", 4, kernel, SUMI_START_FAN_IN, 72);
    sumi_node y = sumi_op_convolution(b.graph, x, weight, -1, &geometry), gradient;
    sumi_node loss = sumi_op_mean(b.graph, sumi_op_multiply(b.graph, y, y), 15);
    CHECK_OK(context, sumi_graph_gradients(b.graph, loss, 1, &weight, &gradient));
    const sumi_node outputs[] = {loss, gradient};
    CHECK_OK(context, sumi_plan_create(b.graph, 2, outputs, &b.plan));
    for (int i = 0; i < 4 * 32 * 32 * 8; i++) sumi_plan_data(b.plan, x)[i] = sinf((float)i);
    CHECK_OK(context, sumi_plan_run(b.plan, 0, 0));
    float first_loss = *sumi_plan_data(b.plan, loss);
    memcpy(before, sumi_plan_data(b.plan, gradient), sizeof before);
    for (int threads = 1; threads < 6; threads++) {
        CHECK_OK(context, sumi_context_set_threads(context, threads));
        CHECK_OK(context, sumi_plan_run(b.plan, 0, 0));
        assert_memory_equal(sumi_plan_data(b.plan, loss), &first_loss, sizeof first_loss);
        assert_memory_equal(sumi_plan_data(b.plan, gradient), before, sizeof before);
    }
    bench_end(&b);
}

static void spans_that_are_alive_together_never_overlap(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    struct span spans[COUNT];
    uint32_t word = 1;
    for (int i = 0; i < COUNT; i++) {
        word = word * 1664525u + 1013904223u;
        int32_t first = (int32_t)(word >> 24), length = (int32_t)(word >> 20 & 15);
        spans[i] = (struct span){1 + (word >> 8 & 4095), 0, first, first + length};
    }
    int64_t total = 0;
    CHECK_OK(context, memory_layout(context, spans, COUNT, &total));
    for (int i = 0; i < COUNT; i++) {
        assert_true(spans[i].offset % 64 == 0 && spans[i].offset + spans[i].bytes <= total);
        for (int j = 0; j < i; j++) {
            bool together = spans[i].first <= spans[j].last && spans[j].first <= spans[i].last;
            bool apart = spans[i].offset + spans[i].bytes <= spans[j].offset
                         || spans[j].offset + spans[j].bytes <= spans[i].offset;
            assert_true(apart || !together);
        }
    }
}

static void a_plan_of_nothing_or_of_strangers_is_refused(void **state)
{
    (void)state;
    struct bench b;
    bench_begin(&b);
    assert_int_equal(sumi_plan_create(b.graph, 0, NULL, &b.plan), SUMI_ERROR_ARGUMENT);
    assert_null(b.plan);
    bench_end(&b);
    bench_begin(&b);
    sumi_node stranger = 7;
    assert_int_equal(sumi_plan_create(b.graph, 1, &stranger, &b.plan), SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(context),
                        "plan: output 0 is not a node of this graph");
    bench_end(&b);
}

#define PLAN_TEST(name) CONTEXT_TEST(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAN_TEST(a_sum_does_not_overwrite_what_it_repeats),
        PLAN_TEST(outputs_may_be_leaves_views_of_them_and_named_twice),
        PLAN_TEST(a_plan_gives_the_same_bits_whatever_threads_the_context_has_later),
        PLAN_TEST(spans_that_are_alive_together_never_overlap),
        PLAN_TEST(a_plan_of_nothing_or_of_strangers_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
