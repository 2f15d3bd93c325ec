/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of transformers against the reference kernels of their ops, on odd sizes, at one and
   several threads, forward and through the gradients. */
#include "cpu/both_ways.h"
#include "ops/activation.h"
#include "ops/one_graph.h"

static void start_over(int threads)
{
    sumi_graph_free(graph);
    CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
    CHECK_OK(context, sumi_context_set_threads(context, threads));
}

/* A mean far from zero is where careless variances fail. */
static void layer_norm_and_gradients_agree_with_the_reference(void **state)
{
    (void)state;
    for (int form = 0; form < 16; form++) {
        bool by_item = form & 1, rms = form & 2, one = form & 4;
        start_over(form & 8 ? 3 : 1);
        int64_t n = one ? 1 : 4, d = 133;
        sumi_node x = sumi_op_affine(graph, INPUT(n, 70, d), 0.5, rms ? 0 : 20);
        sumi_node scale = by_item ? INPUT(n, d) : INPUT(d);
        sumi_node shift = by_item ? INPUT(n, d) : INPUT(d);
        sumi_node y = rms ? sumi_op_rms_norm(graph, x, scale, 1e-5)
                          : sumi_op_layer_norm(graph, x, scale, shift, 1e-5);
        check_with_gradients(graph, y, rms ? 2 : 3, (sumi_node[]){x, scale, shift}, 1e-4);
    }
    start_over(2);
    sumi_node x = INPUT(70, 3);
    check_with_gradients(graph, sumi_op_layer_norm(graph, x, -1, -1, 1e-5), 1, &x, 1e-4);
}

static void activations_and_gates_agree_with_the_reference(void **state)
{
    (void)state;
    for (int form = ACTIVATION_GELU; form <= ACTIVATION_SILU; form++) {
        for (int threads = 1; threads <= 2; threads++) {
            start_over(threads);
            sumi_node input = INPUT(37, 502), x = sumi_op_affine(graph, input, 3, 0.25);
            sumi_node y = ops_activate(graph, (enum activation_form)form, x);
            check_with_gradients(graph, y, 1, &input, 1e-6);
            start_over(threads);
            input = INPUT(37, 502), x = sumi_op_affine(graph, input, 3, 0.25);
            y = ops_gate(graph, (enum activation_form)form, x);
            check_with_gradients(graph, y, 1, &input, 1e-6);
        }
    }
}

static void rotary_positions_agree_with_the_reference(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        start_over(threads);
        sumi_node x = INPUT(2, 37, 3 * 2 * 11), cosine = INPUT(37, 11), sine = INPUT(37, 11);
        check_with_gradients(graph, sumi_op_rotary(graph, x, cosine, sine, 3), 1, &x, 1e-6);
    }
}

static void patches_agree_with_the_reference(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        start_over(threads);
        sumi_node x = INPUT(3, 34, 51, 7);
        sumi_node patches = sumi_op_patchify(graph, x, 2, 3);
        check_with_gradients(graph, patches, 1, &x, 1e-7);
        start_over(threads);
        x = INPUT(3, 17 * 17, 2 * 3 * 7);
        check_with_gradients(graph, sumi_op_unpatchify(graph, x, 34, 51, 2, 3), 1, &x, 1e-7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(layer_norm_and_gradients_agree_with_the_reference),
        GRAPH_TEST(activations_and_gates_agree_with_the_reference),
        GRAPH_TEST(rotary_positions_agree_with_the_reference),
        GRAPH_TEST(patches_agree_with_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
