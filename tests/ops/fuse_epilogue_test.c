/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and factors that move into convolutions and matrix products. */
#include "cpu/fused_ways.h"
#include "ops/linear.h"
#include "ops/one_graph.h"

static const sumi_convolution SAME = {{1, 1}, {1, 1}, {1, 1}};

enum { ITEMS = 3 };

/* A convolution of a new input to [ITEMS, 5, 7, 12]. */
static sumi_node convolution(bool bias)
{
    sumi_node x = INPUT(ITEMS, 5, 7, 6), w = INPUT(12, 6, 3, 3);
    return sumi_op_convolution(graph, x, w, bias ? INPUT(12) : -1, &SAME);
}

static void check_sums(sumi_node y, int sums_before, int sums_after)
{
    const struct fused_steps steps[] = {{&op_add, sums_before, sums_after},
                                        {&op_convolution, 1, 1}};
    check_fused(graph, 1, &y, 1e-5, 2, steps);
}

static void a_number_for_each_item_and_channel_moves_into_the_convolution(void **state)
{
    (void)state;
    sumi_node time = sumi_op_reshape(graph, INPUT(ITEMS, 12), 4, (int64_t[]){ITEMS, 1, 1, 12});
    check_sums(sumi_op_add(graph, convolution(true), time), 1, 0);
}

static void a_residual_moves_into_the_convolution_from_either_side(void **state)
{
    (void)state;
    sumi_node x = INPUT(ITEMS, 5, 7, 12);
    check_sums(sumi_op_add(graph, x, convolution(true)), 1, 0);
    sumi_graph_free(graph);
    CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
    x = INPUT(ITEMS, 5, 7, 12);
    check_sums(sumi_op_add(graph, convolution(false), x), 1, 0);
}

static void all_parts_and_a_factor_make_one_op(void **state)
{
    (void)state;
    sumi_node x = INPUT(ITEMS, 5, 7, 12), time = INPUT(ITEMS, 1, 1, 12), bias = INPUT(12);
    sumi_node y = sumi_op_add(graph, convolution(false), time);
    y = sumi_op_add(graph, sumi_op_add(graph, x, y), bias);
    y = sumi_op_affine(graph, y, 0.5, 0);
    y = sumi_op_affine(graph, y, -3, 0);
    const struct fused_steps steps[] = {{NULL, 6, 1}, {&op_convolution, 1, 1}};
    check_fused(graph, 1, &y, 1e-5, 2, steps);
}

static void of_one_item_a_second_row_of_channels_finds_room_too(void **state)
{
    (void)state;
    sumi_node x = INPUT(1, 5, 7, 6), w = INPUT(12, 6, 3, 3);
    sumi_node y = sumi_op_convolution(graph, x, w, INPUT(12), &SAME);
    check_sums(sumi_op_add(graph, y, INPUT(1, 1, 1, 12)), 1, 0);
}

/* Each would be wrong, or would compute something twice. */
static void what_does_not_fit_stays_apart(void **state)
{
    (void)state;
    sumi_node y = convolution(true);
    check_sums(sumi_op_add(graph, y, INPUT(5, 7, 12)), 1, 1);       /* broadcast over items */
    check_sums(sumi_op_add(graph, y, INPUT(ITEMS, 5, 7, 1)), 1, 1); /* over channels */
    check_sums(sumi_op_add(graph, y, y), 1, 1);                     /* itself */
    check_sums(sumi_op_add(graph, y, sumi_op_exp(graph, y)), 1, 1); /* read twice */
    check_sums(sumi_op_add(graph, sumi_op_affine(graph, y, 2, 0), INPUT(12)), 1, 1);
    check_sums(
        sumi_op_add(graph, sumi_op_add(graph, y, INPUT(ITEMS, 5, 7, 12)), INPUT(ITEMS, 5, 7, 12)),
        2, 1);                                                /* a second residual */
    sumi_node both[] = {y, sumi_op_add(graph, y, INPUT(12))}; /* an output itself */
    const struct fused_steps steps[] = {{&op_add, 1, 1}, {&op_convolution, 1, 1}};
    check_fused(graph, 2, both, 1e-5, 2, steps);
    sumi_node shifted = sumi_op_affine(graph, y, 1, 0.5);
    check_fused(graph, 1, &shifted, 1e-5, 1, (struct fused_steps[]){{&op_affine, 1, 1}});
}

/* x goes through two convolutions; the gradients that come back are summed in the second. */
static void gradients_from_two_readers_are_summed_on_the_way(void **state)
{
    (void)state;
    sumi_node x = INPUT(ITEMS, 5, 7, 6), v = INPUT(12, 6, 3, 3), w = INPUT(12, 6, 3, 3);
    sumi_node u = sumi_op_convolution(graph, x, v, -1, &SAME);
    sumi_node y = sumi_op_convolution(graph, x, w, -1, &SAME);
    sumi_node loss = sumi_op_sum(graph, sumi_op_multiply(graph, u, y), 15), gradient = -1;
    CHECK_OK(context, sumi_graph_gradients(graph, loss, 1, &x, &gradient));
    const struct fused_steps steps[] = {{&op_add, 1, 0}, {&op_convolution_data_gradient, 2, 2}};
    check_fused(graph, 1, &gradient, 1e-5, 2, steps);
}

static void a_linear_layer_with_its_residual_is_one_op(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        CHECK_OK(context, sumi_context_set_threads(context, threads));
        sumi_node x = INPUT(ITEMS, 70, 33), w = INPUT(24, 33), image = INPUT(ITEMS, 7, 10, 24);
        sumi_node h = sumi_op_linear(graph, x, w, INPUT(24));
        h = sumi_op_reshape(graph, h, 4, (int64_t[]){ITEMS, 7, 10, 24});
        sumi_node y = sumi_op_affine(graph, sumi_op_add(graph, h, image), 0.7, 0);
        const struct fused_steps steps[] = {{NULL, 4, 1}, {&op_linear_whole, 0, 1}};
        check_fused(graph, 1, &y, 1e-5, 2, steps);
    }
}

/* The gradient by what three layers read is the sum of three products, as before an attention. */
static void the_gradients_of_layers_with_one_input_are_summed_in_the_products(void **state)
{
    (void)state;
    sumi_node x = INPUT(ITEMS, 70, 33), y = -1;
    for (int i = 0; i < 3; i++) {
        sumi_node one = sumi_op_tanh(graph, sumi_op_linear(graph, x, INPUT(24, 33), INPUT(24)));
        y = i ? sumi_op_multiply(graph, y, one) : one;
    }
    sumi_node gradient = -1, loss = sumi_op_sum(graph, y, 7);
    CHECK_OK(context, sumi_graph_gradients(graph, loss, 1, &x, &gradient));
    /* three sums of biases forward, two of gradients backward */
    const struct fused_steps steps[] = {
        {&op_add, 5, 0}, {&op_matmul, 6, 1}, {&op_linear_whole, 0, 5}};
    check_fused(graph, 1, &gradient, 1e-5, 3, steps);
}

/* What is summed over rows and channels, or repeated over them, is no bias of a layer. */
static void other_sums_of_a_product_stay_apart(void **state)
{
    (void)state;
    sumi_node a = INPUT(12, 33), b = INPUT(33, 24), y = sumi_op_matmul(graph, a, b, false, false);
    sumi_node outputs[] = {sumi_op_add(graph, y, INPUT(12, 1)), sumi_op_add(graph, y, y)};
    check_fused(graph, 2, outputs, 1e-5, 1, (struct fused_steps[]){{&op_add, 2, 2}});
    sumi_node wide =
        sumi_op_add(graph, sumi_op_matmul(graph, a, b, false, false), INPUT(5, 12, 24));
    check_fused(graph, 1, &wide, 1e-5, 1, (struct fused_steps[]){{&op_add, 1, 1}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(a_number_for_each_item_and_channel_moves_into_the_convolution),
        GRAPH_TEST(a_residual_moves_into_the_convolution_from_either_side),
        GRAPH_TEST(all_parts_and_a_factor_make_one_op),
        GRAPH_TEST(of_one_item_a_second_row_of_channels_finds_room_too),
        GRAPH_TEST(what_does_not_fit_stays_apart),
        GRAPH_TEST(gradients_from_two_readers_are_summed_on_the_way),
        GRAPH_TEST(a_linear_layer_with_its_residual_is_one_op),
        GRAPH_TEST(the_gradients_of_layers_with_one_input_are_summed_in_the_products),
        GRAPH_TEST(other_sums_of_a_product_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
