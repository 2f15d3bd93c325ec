/* SPDX-License-Identifier: Apache-2.0 */
/* The sums of layer normalisation as a side output of its gradient by x. */
#include "cpu/fused_ways.h"
#include "ops/layer_norm.h"
#include "ops/one_graph.h"

/* y and the gradients of a linear function of it by x, scale and shift. */
static void norm_with_gradients(int64_t rows, bool by_item, sumi_node outputs[4])
{
    sumi_node scale = by_item ? INPUT(3, 40) : INPUT(40);
    sumi_node shift = by_item ? INPUT(3, 40) : INPUT(40);
    sumi_node wrt[3] = {INPUT(3, rows, 40), scale, shift};
    outputs[0] = sumi_op_layer_norm(graph, wrt[0], scale, shift, 1e-5);
    sumi_node product = sumi_op_multiply(graph, outputs[0], INPUT(3, rows, 40));
    sumi_node loss = sumi_op_sum(graph, product, 7);
    CHECK_OK(context, sumi_graph_gradients(graph, loss, 3, wrt, outputs + 1));
}

static void one_pass_gives_all_gradients(void **state)
{
    (void)state;
    for (int form = 0; form < 8; form++) {
        sumi_graph_free(graph);
        CHECK_OK(context, sumi_context_set_threads(context, form & 1 ? 4 : 1));
        CHECK_OK(context, sumi_graph_create(context, NULL, true, &graph));
        sumi_node outputs[4];
        norm_with_gradients(form & 2 ? 130 : 1, form & 4, outputs);
        const struct fused_steps steps[] = {{&op_layer_norm_sums, 1, 0},
                                            {&op_layer_norm_gradient, 1, 1}};
        check_fused(graph, 4, outputs, 1e-5, 2, steps);
    }
}

static void sums_alone_stay_an_op_of_their_own(void **state)
{
    (void)state;
    sumi_node outputs[4];
    norm_with_gradients(20, false, outputs);
    const struct fused_steps steps[] = {{&op_layer_norm_sums, 1, 1},
                                        {&op_layer_norm_gradient, 0, 0}};
    check_fused(graph, 2, outputs + 2, 1e-5, 2, steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(one_pass_gives_all_gradients),
        GRAPH_TEST(sums_alone_stay_an_op_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
