/* SPDX-License-Identifier: Apache-2.0 */
/* Every CPU kernel against the reference kernel of its op, on odd sizes, at one and several
   threads, forward and through the gradient ops. */
#include "cpu/both_ways.h"
#include "ops/ops.h"
#include "ops/one_graph.h"

static void start_over(int threads)
{
    sumi_graph_free(graph);
    CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
    CHECK_OK(context, sumi_context_set_threads(context, threads));
}

static void binary_kernels_broadcast_like_the_reference(void **state)
{
    (void)state;
    const struct {
        int rank_a, rank_b;
        int64_t a[4], b[4];
    } cases[] = {
        {1, 1, {5}, {5}},
        {2, 2, {300, 700}, {300, 700}},
        {4, 1, {3, 5, 7, 33}, {33}},
        {4, 4, {3, 5, 7, 33}, {3, 1, 1, 33}},
        {4, 4, {3, 1, 1, 33}, {3, 5, 7, 33}},
        {4, 4, {2, 1, 7, 1}, {1, 5, 1, 9}},
        {2, 0, {40, 50}, {0}},
        {0, 2, {0}, {40, 50}},
        {2, 2, {64, 1}, {64, 1000}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int threads = 1; threads <= 3; threads += 2) {
            start_over(threads);
            sumi_node a = sumi_graph_input(graph, "a", cases[i].rank_a, cases[i].a);
            sumi_node b = sumi_graph_input(graph, "b", cases[i].rank_b, cases[i].b);
            sumi_node safe = sumi_op_affine(graph, sumi_op_sigmoid(graph, b), 1, 1);
            sumi_node outputs[] = {sumi_op_add(graph, a, b), sumi_op_subtract(graph, a, b),
                                   sumi_op_multiply(graph, a, b), sumi_op_divide(graph, a, safe)};
            check_both_ways(graph, 4, outputs, 2e-6);
        }
    }
}

static void unary_kernels_agree_with_the_reference(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        start_over(threads);
        sumi_node x = sumi_op_affine(graph, INPUT(37, 501), 3, 0.25);
        sumi_node positive = sumi_op_affine(graph, sumi_op_multiply(graph, x, x), 1, 1e-3);
        sumi_node outputs[] = {
            sumi_op_exp(graph, x),  sumi_op_sigmoid(graph, x),    sumi_op_tanh(graph, x),
            sumi_op_silu(graph, x), sumi_op_softplus(graph, x),   sumi_op_erf(graph, x),
            sumi_op_relu(graph, x), sumi_op_step(graph, x),       sumi_op_sin(graph, x),
            sumi_op_cos(graph, x),  sumi_op_log(graph, positive), sumi_op_sqrt(graph, positive),
            sumi_op_gelu(graph, x), sumi_op_mish(graph, x)};
        check_both_ways(graph, 14, outputs, 1e-6);
    }
}

/* The exponential loop on the whole float range, against the C library in double. */
static void the_exponential_is_within_two_units_in_the_last_place(void **state)
{
    (void)state;
    const struct loops *loops = loops_select();
    for (double x = -87; x <= 88.6; x += 0.0137) {
        float in = (float)x, out = 0;
        loops->exp(1, &in, &out);
        double exact = exp((double)in);
        CHECK_CLOSE(out / exact, 1, 2.4e-7);
    }
    float ends[] = {-INFINITY, -200, 200, INFINITY}, results[4];
    loops->exp(4, ends, results);
    assert_true(results[0] < 1e-37f && results[1] < 1e-37f);
    assert_true(results[2] > 1e38f && results[3] > 1e38f);
}

static void uniform_draws_in_a_row_are_those_drawn_one_by_one(void **state)
{
    (void)state;
    const philox_stream stream = {0, PURPOSE_DROPOUT, 0};
    float row[700];
    for (uint64_t first = 1980000; first < 1980009; first++) { /* 1980494 would round to 1 */
        loops_select()->uniform(700, &stream, first, row);
        for (int i = 0; i < 700; i++) {
            float one = philox_uniform(&stream, first + (uint64_t)i);
            assert_memory_equal(&row[i], &one, sizeof one);
        }
    }
}

static void sums_and_broadcasts_agree_with_the_reference(void **state)
{
    (void)state;
    for (unsigned axes = 1; axes < 16; axes++) {
        for (int threads = 1; threads <= 3; threads += 2) {
            start_over(threads);
            sumi_node x = INPUT(5, 6, 37, 41);
            sumi_node sum = sumi_op_sum(graph, x, axes);
            sumi_node wide = sumi_op_broadcast(graph, sum, SHAPE(5, 6, 37, 41));
            check_both_ways(graph, 2, (sumi_node[]){sum, wide}, 1e-5);
        }
    }
}

static void a_long_sum_keeps_its_accuracy(void **state)
{
    (void)state;
    start_over(2);
    sumi_node x = sumi_op_affine(graph, INPUT(1 << 20), 1, 100);
    check_both_ways(graph, 1, (sumi_node[]){sumi_op_sum(graph, x, 1)}, 1e-6);
}

static void moving_kernels_agree_with_the_reference(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        start_over(threads);
        sumi_node x = INPUT(3, 8, 10, 17), y = INPUT(3, 8, 5, 17);
        sumi_node outputs[] = {sumi_op_permute(graph, x, (int[]){0, 3, 1, 2}),
                               sumi_op_permute(graph, x, (int[]){2, 1, 0, 3}),
                               sumi_op_slice(graph, x, 3, 4, 9),
                               sumi_op_slice(graph, x, 1, 7, 1),
                               sumi_op_pad(graph, x, 2, 1, 3),
                               sumi_op_concat(graph, x, y, 2),
                               sumi_op_upsample(graph, x, 2, 3),
                               sumi_op_block_sum(graph, x, 4, 5),
                               ops_window(graph, x, 1000, &(struct shape){2, {6, 7}})};
        check_both_ways(graph, 9, outputs, 1e-6);
    }
}

static void pools_agree_with_the_reference(void **state)
{
    (void)state;
    static const int64_t three[2] = {3, 3}, wide[2] = {2, 5};
    static const sumi_convolution inside = {{2, 2}, {0, 0}, {0, 0}};
    static const sumi_convolution padded = {{1, 1}, {1, 1}, {1, 1}};
    static const sumi_convolution uneven = {{1, 3}, {0, 2}, {1, 0}};
    for (int threads = 1; threads <= 2; threads++) {
        start_over(threads);
        sumi_node x = INPUT(3, 9, 13, 17);
        sumi_node outputs[] = {ops_pool(graph, x, POOL_LARGEST, three, &inside),
                               ops_pool(graph, x, POOL_LARGEST, three, &padded),
                               ops_pool(graph, x, POOL_MEAN, three, &padded),
                               ops_pool(graph, x, POOL_MEAN, wide, &uneven)};
        check_both_ways(graph, 4, outputs, 1e-6);
    }
}

static void arrays_of_eight_axes_agree_with_the_reference(void **state)
{
    (void)state;
    start_over(2);
    sumi_node x = INPUT(2, 3, 2, 1, 3, 2, 2, 5), row = INPUT(2, 1, 2, 1, 3, 1, 2, 1);
    sumi_node outputs[] = {sumi_op_multiply(graph, x, row),
                           sumi_op_sum(graph, x, 1u << 1 | 1u << 4 | 1u << 7),
                           sumi_op_permute(graph, x, (int[]){7, 0, 6, 1, 5, 2, 4, 3}),
                           sumi_op_broadcast(graph, row, SHAPE(2, 3, 2, 2, 3, 2, 2, 5)),
                           sumi_op_slice(graph, x, 6, 1, 1),
                           sumi_op_pad(graph, x, 3, 1, 2),
                           sumi_op_concat(graph, x, x, 7)};
    check_both_ways(graph, 7, outputs, 2e-6);
}

static void products_agree_with_the_reference(void **state)
{
    (void)state;
    for (int transposes = 0; transposes < 4; transposes++) {
        for (int threads = 1; threads <= 2; threads++) {
            bool first = transposes & 1, second = transposes & 2;
            start_over(threads);
            sumi_node a = first ? INPUT(6, 2, 40, 33) : INPUT(6, 2, 33, 40);
            sumi_node b = second ? INPUT(6, 2, 29, 40) : INPUT(6, 2, 40, 29);
            sumi_node y = sumi_op_matmul(graph, a, b, first, second);
            check_with_gradients(graph, y, 2, (sumi_node[]){a, b}, 1e-5);
        }
    }
    start_over(2);
    sumi_node x = INPUT(4, 9, 31), w = INPUT(18, 31), b = INPUT(18);
    check_with_gradients(graph, sumi_op_linear(graph, x, w, b), 3, (sumi_node[]){x, w, b}, 1e-5);
}

static void convolutions_and_gradients_agree_with_the_reference(void **state)
{
    (void)state;
    const struct {
        int64_t n, h, w, in, out, kernel_h, kernel_w;
        sumi_convolution geometry;
    } cases[] = {
        {2, 7, 9, 3, 5, 3, 3, {{1, 1}, {1, 1}, {1, 1}}},
        {2, 8, 8, 16, 32, 3, 3, {{1, 1}, {1, 1}, {1, 1}}},
        {3, 7, 7, 64, 64, 3, 3, {{1, 1}, {1, 1}, {1, 1}}},
        {2, 8, 8, 16, 16, 3, 3, {{2, 2}, {1, 1}, {1, 1}}},
        {2, 8, 8, 16, 16, 3, 3, {{2, 2}, {0, 0}, {1, 1}}},
        {2, 7, 7, 8, 8, 3, 3, {{2, 2}, {0, 0}, {1, 1}}},
        {2, 7, 6, 20, 12, 1, 1, {{1, 1}, {0, 0}, {0, 0}}},
        {2, 1, 33, 6, 10, 1, 5, {{1, 1}, {0, 2}, {0, 2}}},
        {2, 1, 32, 16, 16, 1, 3, {{1, 2}, {0, 1}, {0, 1}}},
        {1, 12, 12, 1, 1, 4, 4, {{2, 2}, {1, 1}, {1, 1}}},
        {2, 28, 28, 1, 32, 3, 3, {{1, 1}, {1, 1}, {1, 1}}},
        {2, 28, 28, 32, 1, 3, 3, {{1, 1}, {1, 1}, {1, 1}}},
        {1, 9, 9, 4, 6, 4, 3, {{3, 2}, {2, 0}, {1, 1}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int threads = 1; threads <= 2; threads++) {
            start_over(threads);
            sumi_node x = INPUT(cases[i].n, cases[i].h, cases[i].w, cases[i].in);
            sumi_node w = INPUT(cases[i].out, cases[i].in, cases[i].kernel_h, cases[i].kernel_w);
            sumi_node b = INPUT(cases[i].out);
            sumi_node y = sumi_op_convolution(graph, x, w, b, &cases[i].geometry);
            check_with_gradients(graph, y, 3, (sumi_node[]){x, w, b}, 1e-5);
        }
    }
}

static void group_norm_and_gradients_agree_with_the_reference(void **state)
{
    (void)state;
    for (int form = 0; form < 8; form++) {
        bool silu = form & 1, each_item = form & 2;
        start_over(form & 4 ? 3 : 1);
        /* a mean far from zero is where careless variances fail */
        sumi_node x = sumi_op_affine(graph, INPUT(2, 9, 11, 24), 0.5, 20);
        sumi_node scale = each_item ? INPUT(2, 24) : INPUT(24);
        sumi_node shift = each_item ? INPUT(2, 24) : INPUT(24);
        sumi_node y = sumi_op_group_norm(graph, x, scale, shift, 8, 1e-5, silu);
        check_with_gradients(graph, y, 3, (sumi_node[]){x, scale, shift}, 1e-4);
    }
}

static void softmax_and_attention_agree_with_the_reference(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        start_over(threads);
        sumi_node x = INPUT(70, 65);
        check_with_gradients(graph, sumi_op_softmax(graph, x), 1, &x, 1e-5);
        start_over(threads);
        sumi_node q = INPUT(3, 49, 24), k = INPUT(3, 31, 24), v = INPUT(3, 31, 24);
        sumi_node y = sumi_op_attention(graph, q, k, v, 4, 0.4);
        check_with_gradients(graph, y, 3, (sumi_node[]){q, k, v}, 1e-5);
    }
}

static void masks_and_rows_agree_with_the_reference(void **state)
{
    (void)state;
    start_over(2);
    sumi_node x = INPUT(40, 50), table = INPUT(10, 6);
    float rows[] = {3, 0, 9, 3};
    sumi_node indices = sumi_graph_constant(graph, SHAPE(4), rows);
    sumi_node dropped = sumi_op_dropout(graph, x, 0.3);
    sumi_node gathered = sumi_op_gather(graph, table, indices);
    check_both_ways(graph, 2, (sumi_node[]){dropped, gathered}, 1e-6);
    check_with_gradients(graph, gathered, 1, &table, 1e-6);
}

static void nearest_rows_are_those_of_the_reference(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        start_over(threads);
        sumi_node x = INPUT(200, 5), table = INPUT(70, 5);
        sumi_node numbers = ops_nearest_row(graph, x, table);
        check_both_ways(graph, 1, &numbers, 0);
    }
}

/* A residual network in miniature: values that live long, that are overwritten, that are views. */
static void a_plan_shares_memory_without_mixing_values(void **state)
{
    (void)state;
    start_over(2);
    sumi_node x = INPUT(2, 6, 6, 8), scale = INPUT(8), shift = INPUT(8), w = INPUT(8, 8, 3, 3);
    sumi_convolution same = {{1, 1}, {1, 1}, {1, 1}};
    sumi_node kept[4], h = x;
    for (int i = 0; i < 4; i++) {
        kept[i] = h;
        sumi_node n = sumi_op_group_norm(graph, h, scale, shift, 4, 1e-5, true);
        n = sumi_op_convolution(graph, n, w, -1, &same);
        h = sumi_op_add(graph, h, sumi_op_affine(graph, n, 0.1, 0));
    }
    for (int i = 3; i >= 0; i--) {
        sumi_node both = sumi_op_concat(graph, h, kept[i], 3);
        h = sumi_op_add(graph, sumi_op_slice(graph, both, 3, 4, 8), sumi_op_silu(graph, h));
        h = sumi_op_reshape(graph, sumi_op_reshape(graph, h, SHAPE(2, 288)), SHAPE(2, 6, 6, 8));
    }
    check_with_gradients(graph, h, 4, (sumi_node[]){x, scale, shift, w}, 1e-4);
}

static void second_derivatives_run_on_the_backend(void **state)
{
    (void)state;
    start_over(2);
    sumi_node x = INPUT(2, 4, 4, 8), scale = INPUT(8), shift = INPUT(8), w = INPUT(4, 8, 3, 3);
    sumi_convolution same = {{1, 1}, {1, 1}, {1, 1}};
    sumi_node y = sumi_op_group_norm(graph, x, scale, shift, 2, 1e-5, true);
    y = sumi_op_tanh(graph, sumi_op_convolution(graph, y, w, -1, &same));
    sumi_node first = -1;
    CHECK_OK(context, sumi_graph_gradients(graph, sumi_op_sum(graph, y, 15), 1, &x, &first));
    check_with_gradients(graph, first, 2, (sumi_node[]){x, w}, 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(binary_kernels_broadcast_like_the_reference),
        GRAPH_TEST(unary_kernels_agree_with_the_reference),
        cmocka_unit_test(the_exponential_is_within_two_units_in_the_last_place),
        cmocka_unit_test(uniform_draws_in_a_row_are_those_drawn_one_by_one),
        GRAPH_TEST(sums_and_broadcasts_agree_with_the_reference),
        GRAPH_TEST(a_long_sum_keeps_its_accuracy),
        GRAPH_TEST(moving_kernels_agree_with_the_reference),
        GRAPH_TEST(pools_agree_with_the_reference),
        GRAPH_TEST(arrays_of_eight_axes_agree_with_the_reference),
        GRAPH_TEST(products_agree_with_the_reference),
        GRAPH_TEST(convolutions_and_gradients_agree_with_the_reference),
        GRAPH_TEST(group_norm_and_gradients_agree_with_the_reference),
        GRAPH_TEST(softmax_and_attention_agree_with_the_reference),
        GRAPH_TEST(masks_and_rows_agree_with_the_reference),
        GRAPH_TEST(nearest_rows_are_those_of_the_reference),
        GRAPH_TEST(a_plan_shares_memory_without_mixing_values),
        GRAPH_TEST(second_derivatives_run_on_the_backend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
