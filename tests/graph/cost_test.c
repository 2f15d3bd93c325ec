/* SPDX-License-Identifier: Apache-2.0 */
/* What ops say they cost, against counts made one by one. */
#include "ops/attention.h"
#include "ops/check_gradient.h"
#include "ops/convolution.h"
#include "ops/group_norm.h"

static struct cost cost_of(const sumi_graph *graph, sumi_node node)
{
    assert_int_equal(sumi_graph_status(graph), SUMI_OK);
    return graph_cost(graph, graph_node(graph, node));
}

static void check_cost(const sumi_graph *graph, sumi_node node, double operations, double numbers)
{
    struct cost cost = cost_of(graph, node);
    CHECK_CLOSE(cost.operations, operations, 0);
    CHECK_CLOSE(cost.bytes, numbers * 4, 0);
}

static sumi_node input(sumi_graph *graph, int rank, const int64_t *shape)
{
    return sumi_graph_input(graph, "x", rank, shape);
}

static void elementwise_ops_cost_one_operation_for_each_element(void **state)
{
    (void)state;
    struct trial t;
    trial_start(&t, false);
    sumi_node a = input(t.graph, SHAPE(3, 5)), b = input(t.graph, SHAPE(5));
    check_cost(t.graph, sumi_op_add(t.graph, a, b), 15, 15 + 5 + 15);
    check_cost(t.graph, sumi_op_exp(t.graph, a), 15, 15 + 15);
    trial_end(&t);
}

static void moving_costs_no_operation(void **state)
{
    (void)state;
    struct trial t;
    trial_start(&t, true);
    sumi_node a = input(t.graph, SHAPE(3, 5)), row = input(t.graph, SHAPE(2));
    check_cost(t.graph, sumi_op_permute(t.graph, a, (int[]){1, 0}), 0, 30);
    check_cost(t.graph, sumi_op_concat(t.graph, a, a, 0), 0, 60);
    check_cost(t.graph, sumi_op_pad(t.graph, a, 0, 1, 1), 0, 15 + 25);
    check_cost(t.graph, sumi_op_slice(t.graph, a, 0, 1, 1), 0, 5 + 5);
    check_cost(t.graph, sumi_op_gather(t.graph, a, row), 0, 2 + 10 + 10);
    check_cost(t.graph, sumi_op_broadcast(t.graph, row, SHAPE(4, 2)), 0, 2 + 8);
    trial_end(&t);
}

static void sums_cost_an_addition_for_each_term(void **state)
{
    (void)state;
    struct trial t;
    trial_start(&t, false);
    sumi_node a = input(t.graph, SHAPE(3, 5)), image = input(t.graph, SHAPE(1, 4, 4, 2));
    check_cost(t.graph, sumi_op_sum(t.graph, a, 1), 15, 15 + 5);
    check_cost(t.graph, sumi_op_block_sum(t.graph, image, 2, 2), 32, 32 + 8);
    trial_end(&t);
}

static void a_product_costs_two_operations_for_each_term(void **state)
{
    (void)state;
    struct trial t;
    trial_start(&t, false);
    sumi_node a = input(t.graph, SHAPE(2, 3, 5)), b = input(t.graph, SHAPE(2, 7, 5));
    sumi_node product = sumi_op_matmul(t.graph, a, b, false, true);
    check_cost(t.graph, product, 2 * 2 * 3 * 5 * 7, 30 + 70 + 42);
    sumi_node transposed = sumi_op_matmul(t.graph, a, product, true, false);
    check_cost(t.graph, transposed, 2 * 2 * 5 * 3 * 7, 30 + 42 + 70);
    trial_end(&t);
}

/* x[2, 3, 5, 8] in four groups; counted as the ops' files say. */
static void normalisations_cost_a_few_operations_for_each_element(void **state)
{
    (void)state;
    for (int silu = 0; silu <= 1; silu++) {
        struct trial t;
        trial_start(&t, false);
        struct attributes norm = {.norm = {4, 1e-5, silu}};
        sumi_node x = input(t.graph, SHAPE(2, 3, 5, 8)), moments = input(t.graph, SHAPE(2, 4, 2));
        sumi_node scale = input(t.graph, SHAPE(8)), sums = input(t.graph, SHAPE(2, 2, 8));
        const sumi_node inputs[] = {x, moments, scale, scale, x, sums};
        check_cost(t.graph, graph_append(t.graph, &op_group_moments, 1, &x, &norm), 3 * 240,
                   240 + 16);
        check_cost(t.graph, graph_append(t.graph, &op_group_norm, 4, inputs, &norm),
                   (silu ? 3 : 2) * 240, 2 * 240 + 16 + 2 * 8);
        check_cost(t.graph, graph_append(t.graph, &op_group_norm_sums, 5, inputs, &norm),
                   (silu ? 11 : 5) * 240, 2 * 240 + 16 + 2 * 8 + 32);
        check_cost(t.graph, graph_append(t.graph, &op_group_norm_data_gradient, 6, inputs, &norm),
                   (silu ? 13 : 7) * 240, 3 * 240 + 16 + 2 * 8 + 32);
        check_cost(t.graph, sumi_op_softmax(t.graph, x), 4 * 240, 2 * 240);
        trial_end(&t);
    }
}

/* Twice the taps that fall on the picture, for each pair of channels. */
static double count_by_taps(const sumi_convolution *geometry, const struct shape *x,
                            const struct shape *weight)
{
    struct convolution_sizes sizes = convolution_sizes_of(geometry, x, weight);
    struct convolution_tap tap;
    double count = 0;
    for (int64_t i = 0; i < convolution_taps(&sizes); i++) {
        count += convolution_tap_at(&sizes, i, &tap);
    }
    return 2 * count * (double)(sizes.in * sizes.out);
}

static void convolutions_cost_the_taps_that_fall_on_the_picture(void **state)
{
    (void)state;
    static const sumi_convolution geometries[] = {{{1, 1}, {1, 1}, {1, 1}},
                                                  {{2, 2}, {0, 0}, {1, 1}},
                                                  {{2, 3}, {1, 4}, {2, 0}},
                                                  {{1, 1}, {5, 0}, {5, 0}},
                                                  {{1, 1}, {0, 0}, {0, 0}}};
    for (size_t i = 0; i < sizeof geometries / sizeof *geometries; i++) {
        struct trial t;
        trial_start(&t, false);
        const struct shape x_shape = {4, {2, 7, 6, 3}}, w_shape = {4, {4, 3, 3, 3}};
        sumi_node x = input(t.graph, 4, x_shape.size), weight = input(t.graph, 4, w_shape.size);
        sumi_node y = sumi_op_convolution(t.graph, x, weight, -1, &geometries[i]);
        double taps = count_by_taps(&geometries[i], &x_shape, &w_shape);
        CHECK_CLOSE(cost_of(t.graph, y).operations, taps, 0);
        sumi_node dx = sumi_op_convolution_transposed(t.graph, y, weight, &geometries[i], 7, 6);
        CHECK_CLOSE(cost_of(t.graph, dx).operations, taps, 0);
        sumi_node dw = ops_convolution_weight_gradient(t.graph, x, y, &geometries[i], 3, 3);
        CHECK_CLOSE(cost_of(t.graph, dw).operations, taps, 0);
        trial_end(&t);
    }
}

/* Two products for the result, five for the three gradients. */
static void attention_costs_its_products_and_little_more(void **state)
{
    (void)state;
    struct trial t;
    trial_start(&t, false);
    const double scores = 2 * 2 * 5 * 7, d = 64;
    sumi_node q = input(t.graph, SHAPE(2, 5, 128)), k = input(t.graph, SHAPE(2, 7, 128));
    sumi_node v = input(t.graph, SHAPE(2, 7, 128));
    sumi_node y = sumi_op_attention(t.graph, q, k, v, 2, 0.125);
    double forward = cost_of(t.graph, y).operations;
    assert_true(forward > 4 * d * scores && forward < 4.2 * d * scores);
    struct attributes attributes = {.attention = {.heads = 2, .scale = 0.125}};
    sumi_node inputs[] = {q, k, v, q};
    sumi_node all = graph_append(t.graph, &op_attention_gradient, 4, inputs, &attributes);
    double backward = cost_of(t.graph, all).operations;
    assert_true(backward > 10 * d * scores && backward < 10.3 * d * scores);
    trial_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise_ops_cost_one_operation_for_each_element),
        cmocka_unit_test(moving_costs_no_operation),
        cmocka_unit_test(sums_cost_an_addition_for_each_term),
        cmocka_unit_test(a_product_costs_two_operations_for_each_term),
        cmocka_unit_test(normalisations_cost_a_few_operations_for_each_element),
        cmocka_unit_test(convolutions_cost_the_taps_that_fall_on_the_picture),
        cmocka_unit_test(attention_costs_its_products_and_little_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
