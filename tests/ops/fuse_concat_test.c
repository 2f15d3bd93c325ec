/* SPDX-License-Identifier: Apache-2.0 */
/* Concatenations of channels that their readers do without. */
#include "cpu/fused_ways.h"
#include "ops/linear.h"
#include "ops/one_graph.h"

static const sumi_convolution POINT = {{1, 1}, {0, 0}, {0, 0}}, SAME = {{1, 1}, {1, 1}, {1, 1}};

enum { ITEMS = 2, C = 24, OUT = 8 };

/* The inputs of a residual layer of a U-Net's way up. */
struct layer {
    sumi_node h, skip, scale, shift, weight, bias, shortcut, shortcut_bias, result;
};

/* h and skip, concatenated, through a norm and a convolution; on the other way a convolution of
   `kernel` places. */
static struct layer residual_layer(int64_t kernel)
{
    struct layer l = {.h = sumi_op_affine(graph, INPUT(ITEMS, 9, 11, 14), 2, 1),
                      .skip = sumi_op_affine(graph, INPUT(ITEMS, 9, 11, 10), 0.5, -1),
                      .scale = INPUT(C),
                      .shift = INPUT(C),
                      .weight = INPUT(OUT, C, 3, 3),
                      .bias = INPUT(OUT),
                      .shortcut = INPUT(OUT, C, kernel, kernel),
                      .shortcut_bias = INPUT(OUT)};
    sumi_node x = sumi_op_concat(graph, l.h, l.skip, 3);
    sumi_node y = sumi_op_group_norm(graph, x, l.scale, l.shift, 8, 1e-5, true);
    y = sumi_op_convolution(graph, y, l.weight, l.bias, &SAME);
    x = sumi_op_convolution(graph, x, l.shortcut, l.shortcut_bias, kernel == 1 ? &POINT : &SAME);
    l.result = sumi_op_add(graph, x, y);
    return l;
}

static sumi_node linear_loss(sumi_node y)
{
    struct shape shape = *graph_shape(graph, y);
    sumi_node direction = sumi_graph_input(graph, "direction", shape.rank, shape.size);
    sumi_node product = sumi_op_multiply(graph, y, direction);
    return sumi_op_sum(graph, product, (1u << shape.rank) - 1);
}

static void a_residual_layer_reads_two_arrays_and_gives_two_gradients(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        sumi_graph_free(graph);
        CHECK_OK(context, sumi_context_set_threads(context, threads));
        CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
        struct layer l = residual_layer(1);
        sumi_node wrt[] = {l.h,      l.skip, l.scale,    l.shift,
                           l.weight, l.bias, l.shortcut, l.shortcut_bias};
        sumi_node outputs[9] = {l.result};
        CHECK_OK(context, sumi_graph_gradients(graph, linear_loss(l.result), 8, wrt, outputs + 1));
        const struct fused_steps steps[] = {{&op_concat, 1, 0},
                                            {&op_slice, 2, 0},
                                            {&op_add, 2, 0},
                                            {&op_linear_whole, 0, 1},
                                            {&op_linear_weight_gradient, 0, 1},
                                            {&op_convolution, 2, 1}};
        check_fused(graph, 9, outputs, 1e-4, 6, steps);
    }
}

/* The bias of what made h wants the sums over pixels of its share of the gradient. */
static void sums_of_the_first_gradient_are_found_behind_the_parting(void **state)
{
    (void)state;
    sumi_node x = INPUT(ITEMS, 9, 11, 5), w = INPUT(14, 5, 3, 3), bias = INPUT(14);
    sumi_node h = sumi_op_convolution(graph, x, w, bias, &SAME), skip = INPUT(ITEMS, 9, 11, 10);
    sumi_node y = sumi_op_group_norm(graph, sumi_op_concat(graph, h, skip, 3), INPUT(C), INPUT(C),
                                     8, 1e-5, true);
    sumi_node wrt[] = {w, bias, skip}, outputs[4] = {y};
    CHECK_OK(context, sumi_graph_gradients(graph, linear_loss(y), 3, wrt, outputs + 1));
    const struct fused_steps steps[] = {{&op_concat, 1, 0}, {&op_slice, 2, 0}, {&op_sum, 1, 1}};
    check_fused(graph, 4, outputs, 1e-4, 3, steps);
}

/* One reader that needs the whole is enough, for then reading it again costs nothing. */
static void a_concatenation_that_is_needed_whole_stays(void **state)
{
    (void)state;
    struct layer l = residual_layer(3);
    const struct fused_steps stays[] = {{&op_concat, 1, 1}};
    check_fused(graph, 1, &l.result, 1e-4, 1, stays);
    sumi_node x = sumi_op_concat(graph, l.h, l.skip, 3);
    sumi_node y = sumi_op_group_norm(graph, x, l.scale, l.shift, 8, 1e-5, true);
    check_fused(graph, 2, (sumi_node[]){x, y}, 1e-4, 1, stays);
    sumi_node tall = sumi_op_concat(graph, l.h, l.h, 1);
    y = sumi_op_group_norm(graph, tall, INPUT(14), INPUT(14), 7, 1e-5, true);
    check_fused(graph, 1, &y, 1e-4, 1, stays);
}

static void the_layer_of_two_arrays_agrees_with_its_reference(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        sumi_graph_free(graph);
        CHECK_OK(context, sumi_context_set_threads(context, threads));
        CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
        sumi_node x = INPUT(ITEMS, 130, 14), second = INPUT(ITEMS, 130, 10), w = INPUT(OUT, C);
        sumi_node bias = INPUT(OUT), residual = INPUT(ITEMS, 130, OUT);
        struct attributes attributes = {.epilogue.scale = 0.5,
                                        .matmul.transpose_b = true,
                                        .epilogue.parts =
                                            LINEAR_SECOND | EPILOGUE_BIAS | EPILOGUE_RESIDUAL,
                                        .shape = {3, {ITEMS, 130, OUT}}};
        sumi_node y = graph_append(graph, &op_linear_whole, 5,
                                   (sumi_node[]){x, w, bias, residual, second}, &attributes);
        attributes.matmul.transpose_b = false;
        sumi_node turned =
            graph_append(graph, &op_linear_whole, 5,
                         (sumi_node[]){x, INPUT(C, OUT), bias, residual, second}, &attributes);
        attributes = (struct attributes){.shape = {2, {OUT, C}}};
        sumi_node dw = graph_append(graph, &op_linear_weight_gradient, 3,
                                    (sumi_node[]){residual, x, second}, &attributes);
        check_both_ways(graph, 3, (sumi_node[]){y, turned, dw}, 1e-5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(a_residual_layer_reads_two_arrays_and_gives_two_gradients),
        GRAPH_TEST(sums_of_the_first_gradient_are_found_behind_the_parting),
        GRAPH_TEST(a_concatenation_that_is_needed_whole_stays),
        GRAPH_TEST(the_layer_of_two_arrays_agrees_with_its_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
