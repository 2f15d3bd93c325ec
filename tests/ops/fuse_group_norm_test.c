/* SPDX-License-Identifier: Apache-2.0 */
/* Group normalisation joined with its moments, its sums, residuals and the sums of its gradient. */
#include "cpu/fused_ways.h"
#include "ops/group_norm.h"
#include "ops/one_graph.h"

/* Another graph, for so many threads. */
static void begin(int threads)
{
    sumi_graph_free(graph);
    CHECK_OK(context, sumi_context_set_threads(context, threads));
    CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
}

enum { ITEMS = 2, C = 24 };

/* A random linear function of a node, as the loss to differentiate. */
static sumi_node linear_loss(sumi_node y)
{
    if (y < 0) fail_msg("%s", sumi_context_message(context));
    struct shape shape = *graph_shape(graph, y);
    sumi_node direction = sumi_graph_input(graph, "direction", shape.rank, shape.size);
    sumi_node product = sumi_op_multiply(graph, y, direction);
    return sumi_op_sum(graph, product, (1u << shape.rank) - 1);
}

static void the_norm_and_its_moments_are_one_op_forward_and_one_backward(void **state)
{
    (void)state;
    for (int form = 0; form < 8; form++) {
        bool silu = form & 1, each_item = form & 2;
        begin(form & 4 ? 3 : 1);
        sumi_node x = sumi_op_affine(graph, INPUT(ITEMS, 29, 31, C), 0.5, 20);
        sumi_node scale = each_item ? INPUT(ITEMS, C) : INPUT(C);
        sumi_node shift = each_item ? INPUT(ITEMS, C) : INPUT(C);
        sumi_node wrt[] = {x, scale, shift}, outputs[4];
        outputs[0] = sumi_op_group_norm(graph, x, scale, shift, 8, 1e-5, silu);
        CHECK_OK(context,
                 sumi_graph_gradients(graph, linear_loss(outputs[0]), 3, wrt, outputs + 1));
        const struct fused_steps steps[] = {{&op_group_moments, 1, 0},
                                            {&op_group_norm, 1, 0},
                                            {&op_group_norm_whole, 0, 1},
                                            {&op_group_norm_sums, 1, 0},
                                            {&op_group_norm_data_gradient, 1, 0},
                                            {&op_group_norm_backward, 0, 1}};
        check_fused(graph, 4, outputs, 1e-4, 6, steps);
    }
}

/* x and the norm of it, as in a residual layer: two contributions to the gradient by x. */
static void a_residual_is_added_where_the_gradient_is_made(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        begin(threads);
        sumi_node x = INPUT(ITEMS, 9, 31, C), scale = INPUT(C), shift = INPUT(C);
        sumi_node y = sumi_op_group_norm(graph, x, scale, shift, 8, 1e-5, true);
        sumi_node loss = linear_loss(sumi_op_add(graph, sumi_op_exp(graph, x), y));
        sumi_node wrt[] = {x, scale, shift}, outputs[3];
        loss = sumi_op_add(graph, loss, linear_loss(x));
        CHECK_OK(context, sumi_graph_gradients(graph, loss, 3, wrt, outputs));
        const struct fused_steps steps[] = {{&op_add, 2, 1}, {&op_group_norm_backward, 0, 1}};
        check_fused(graph, 3, outputs, 1e-4, 2, steps);
    }
}

/* A convolution with a bias and a number for each item before a norm: both gradients are sums over
   pixels of what the norm passes on. */
static void sums_over_pixels_come_from_the_gradient_itself(void **state)
{
    (void)state;
    const sumi_convolution same = {{1, 1}, {1, 1}, {1, 1}};
    for (int threads = 1; threads <= 3; threads += 2) {
        begin(threads);
        sumi_node x = INPUT(ITEMS, 19, 31, 4), w = INPUT(C, 4, 3, 3), bias = INPUT(C);
        sumi_node time = INPUT(ITEMS, 1, 1, C), scale = INPUT(C), shift = INPUT(C);
        sumi_node h = sumi_op_add(graph, sumi_op_convolution(graph, x, w, bias, &same), time);
        h = sumi_op_group_norm(graph, h, scale, shift, 8, 1e-5, true);
        sumi_node wrt[] = {w, bias, time}, outputs[3];
        CHECK_OK(context, sumi_graph_gradients(graph, linear_loss(h), 3, wrt, outputs));
        /* that of each item is gone, that of all has a row for each item left to sum */
        const struct fused_steps steps[] = {{&op_sum, 2, 1}, {&op_group_norm_backward, 0, 1}};
        check_fused(graph, 3, outputs, 1e-4, 2, steps);
    }
}

static sumi_node side_output(int rank, const int64_t *size)
{
    sumi_node node = graph_append(graph, &op_side_output, 0, NULL, NULL);
    graph->nodes[node].shape.rank = rank;
    for (int i = 0; i < rank; i++) graph->nodes[node].shape.size[i] = size[i];
    return node;
}

/* Fails unless a plan finds all elements of the two nodes within a tolerance of zero. */
static void check_zero(const sumi_node nodes[2], const double tolerance[2])
{
    sumi_plan *plan = NULL;
    double **values = calloc((size_t)graph->count, sizeof *values);
    CHECK_OK(context, sumi_plan_create(graph, 2, nodes, &plan));
    fill_inputs(graph, plan, values);
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    for (int k = 0; k < 2; k++) {
        int64_t count = shape_count(graph_shape(graph, nodes[k]));
        const float *data = sumi_plan_data(plan, nodes[k]);
        for (int64_t i = 0; i < count; i++) CHECK_CLOSE(data[i], 0, tolerance[k]);
    }
    for (sumi_node n = 0; n < graph->count; n++) free(values[n]);
    free(values);
    sumi_plan_free(plan);
}

/* Channels 0 to 13 in one array and 14 to 23 in another, where a group of three lies in both. */
static void two_arrays_of_channels_are_normalised_as_one(void **state)
{
    (void)state;
    for (int form = 0; form < 16; form++) {
        bool silu = form & 1, each_item = form & 2;
        begin(form & 4 ? 3 : 1);
        unsigned mask = BACKWARD_SECOND | (form & 8 ? BACKWARD_RESIDUAL | BACKWARD_COLUMNS : 0);
        const struct attributes attributes = {.norm = {8, 1e-5, silu}, .epilogue.parts = mask};
        sumi_node x = INPUT(ITEMS, 21, 31, 14), second = INPUT(ITEMS, 21, 31, 10);
        sumi_node scale = each_item ? INPUT(ITEMS, C) : INPUT(C);
        sumi_node shift = each_item ? INPUT(ITEMS, C) : INPUT(C);
        sumi_node moments = side_output(SHAPE(ITEMS, 8, 2)), sums = side_output(SHAPE(2, ITEMS, C));
        sumi_node other = side_output(SHAPE(ITEMS, 21, 31, 10)),
                  columns = side_output(SHAPE(ITEMS, 14));
        sumi_node y = graph_append(graph, &op_group_norm_whole, 5,
                                   (sumi_node[]){x, moments, scale, shift, second}, &attributes);
        sumi_node upstream = INPUT(ITEMS, 21, 31, C), residual = INPUT(ITEMS, 21, 31, C);
        sumi_node inputs[] = {upstream, x,      moments, scale,    shift,
                              sums,     second, other,   residual, columns};
        sumi_node dx =
            graph_append(graph, &op_group_norm_backward, form & 8 ? 10 : 8, inputs, &attributes);
        check_both_ways(graph, form & 8 ? 6 : 5,
                        (sumi_node[]){y, dx, moments, sums, other, columns}, 1e-5);
        /* the same of one array, by the unfused ops */
        sumi_node whole = sumi_op_concat(graph, x, second, 3);
        sumi_node expected = sumi_op_group_norm(graph, whole, scale, shift, 8, 1e-5, silu);
        sumi_node difference = sumi_op_subtract(graph, y, expected);
        sumi_node product = sumi_op_multiply(graph, expected, upstream), gradient = -1;
        sumi_node loss = sumi_op_sum(graph, product, 15);
        CHECK_OK(context, sumi_graph_gradients(graph, loss, 1, &whole, &gradient));
        if (form & 8) gradient = sumi_op_add(graph, gradient, residual);
        sumi_node both = sumi_op_concat(graph, dx, other, 3);
        sumi_node apart = sumi_op_subtract(graph, both, gradient);
        check_zero((sumi_node[]){difference, apart}, (double[]){2e-6, 2e-5});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(the_norm_and_its_moments_are_one_op_forward_and_one_backward),
        GRAPH_TEST(a_residual_is_added_where_the_gradient_is_made),
        GRAPH_TEST(sums_over_pixels_come_from_the_gradient_itself),
        GRAPH_TEST(two_arrays_of_channels_are_normalised_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
