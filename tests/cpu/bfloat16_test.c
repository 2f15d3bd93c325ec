/* SPDX-License-Identifier: Apache-2.0 */
/* Group normalisations, and sums and products with broadcasting, that accept bfloat16; products of
   matrices are tested in typed_products_test.c. */
#include "cpu/typed_kernel.h"
#include "ops/group_norm.h"
#include "ops/ops.h"

static void check_bf16(sumi_node n, unsigned bf16, unsigned written, int roundings,
                       double arithmetic)
{
    check_typed(
        n, (struct typed){
               .bf16 = bf16, .written = written, .roundings = roundings, .arithmetic = arithmetic});
}

/* ---- group normalisation ---- */

static void group_norms_forward_round_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        for (int silu = 0; silu <= 1; silu++) {
            start_over(threads);
            struct attributes norm = {.norm = {4, 1e-5, silu}};
            sumi_node x = INPUT(3, 9, 10, 24), moments = INPUT(3, 4, 2), scale = INPUT(24);
            sumi_node shift = INPUT(24), second = INPUT(3, 9, 10, 16), wide = INPUT(40);
            const sumi_node inputs[] = {x, moments, scale, shift};
            const sumi_node pair[] = {x, moments, wide, wide, second};
            check_bf16(graph_append(graph, &op_group_moments, 1, &x, &norm), BF16_INPUT(0), 0, 1,
                       1e-5);
            check_bf16(graph_append(graph, &op_group_norm, 4, inputs, &norm),
                       BF16_INPUT(0) | BF16_OUTPUT, 0, 1, 1e-5);
            check_bf16(graph_append(graph, &op_group_norm_whole, 4, inputs, &norm),
                       BF16_INPUT(0) | BF16_OUTPUT, BF16_INPUT(1), 1, 1e-5);
            check_bf16(graph_append(graph, &op_group_norm_whole, 5, pair, &norm),
                       BF16_INPUT(0) | BF16_INPUT(4) | BF16_OUTPUT, BF16_INPUT(1), 1, 1e-5);
        }
    }
}

/* The slope of the activation lies in the result's memory between the two sweeps. */
static void group_norms_backward_round_twice(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        start_over(threads);
        struct attributes norm = {.norm = {4, 1e-5, true}};
        sumi_node x = INPUT(3, 9, 10, 24), moments = INPUT(3, 4, 2), scale = INPUT(24);
        sumi_node shift = INPUT(24), upstream = INPUT(3, 9, 10, 24), sums = INPUT(2, 3, 24);
        sumi_node residual = INPUT(3, 9, 10, 24), columns = INPUT(3, 1, 1, 24);
        const sumi_node half[] = {x, moments, scale, shift, upstream, sums};
        const sumi_node whole[] = {upstream, x, moments, scale, shift, sums, residual, columns};
        check_bf16(graph_append(graph, &op_group_norm_sums, 5, half, &norm),
                   BF16_INPUT(0) | BF16_INPUT(4), 0, 1, 1e-5);
        check_bf16(graph_append(graph, &op_group_norm_data_gradient, 6, half, &norm),
                   BF16_INPUT(0) | BF16_INPUT(4) | BF16_OUTPUT, 0, 2, 1e-5);
        norm.epilogue.parts = BACKWARD_RESIDUAL | BACKWARD_COLUMNS;
        check_bf16(graph_append(graph, &op_group_norm_backward, 8, whole, &norm),
                   BF16_INPUT(0) | BF16_INPUT(1) | BF16_INPUT(6) | BF16_OUTPUT, BF16_INPUT(5), 2,
                   1e-5);
    }
}

static void group_norms_of_two_arrays_backward_round_twice(void **state)
{
    (void)state;
    start_over(2);
    struct attributes norm = {.norm = {4, 1e-5, true}, .epilogue.parts = BACKWARD_SECOND};
    sumi_node x = INPUT(3, 9, 10, 24), moments = INPUT(3, 4, 2), scale = INPUT(40);
    sumi_node shift = INPUT(40), upstream = INPUT(3, 9, 10, 40), sums = INPUT(2, 3, 40);
    sumi_node second = INPUT(3, 9, 10, 16), room = INPUT(3, 9, 10, 16);
    const sumi_node inputs[] = {upstream, x, moments, scale, shift, sums, second, room};
    check_bf16(graph_append(graph, &op_group_norm_backward, 8, inputs, &norm),
               BF16_INPUT(0) | BF16_INPUT(1) | BF16_INPUT(6) | BF16_INPUT(7) | BF16_OUTPUT,
               BF16_INPUT(5) | BF16_INPUT(7), 2, 1e-5);
}

/* ---- two operands, element by element ---- */

/* Rows longer and shorter than what is widened at a time; each of the operands of either type. */
static void sums_and_products_with_broadcasting_round_once(void **state)
{
    (void)state;
    static const struct {
        int64_t a[3], b[3];
    } cases[] = {{{3, 50, 48}, {3, 50, 48}},
                 {{2, 5, 2500}, {2, 1, 2500}},
                 {{2, 1, 2500}, {2, 5, 2500}},
                 {{2, 700, 1}, {1, 1, 9}},
                 {{40, 50, 3}, {1, 1, 1}}};
    const unsigned all[] = {BF16_INPUT(0), BF16_INPUT(1), BF16_OUTPUT};
    for (unsigned i = 0; i < 8 * sizeof cases / sizeof *cases; i++) {
        const int64_t *a = cases[i / 8].a, *b = cases[i / 8].b;
        struct typed t = {.roundings = 1, .arithmetic = 1e-6};
        for (unsigned bit = 0; bit < 3; bit++) t.bf16 |= i >> bit & 1 ? all[bit] : 0;
        start_over(1 + (int)i % 3);
        sumi_node x = sumi_graph_input(graph, "a", 3, a), y = sumi_graph_input(graph, "b", 3, b);
        check_typed(sumi_op_add(graph, x, y), t);
        check_typed(sumi_op_subtract(graph, x, y), t);
        check_typed(sumi_op_multiply(graph, x, y), t);
        check_typed(sumi_op_divide(graph, x, y), t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(group_norms_forward_round_once),
        GRAPH_TEST(group_norms_backward_round_twice),
        GRAPH_TEST(group_norms_of_two_arrays_backward_round_twice),
        GRAPH_TEST(sums_and_products_with_broadcasting_round_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
