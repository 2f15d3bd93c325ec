/* SPDX-License-Identifier: Apache-2.0 */
/* How fresh networks start: torch's initial values, and dropout in training graphs alone. */
#include "ops/ops.h"
#include "trial.h"

static const char config[] =
    "{\"block_out_channels\": [16, 32], \"norm_num_groups\": 4, \"layers_per_block\": 1,"
    " \"down_block_types\": [\"DownBlock2D\", \"DownBlock2D\"], \"dropout\": 0.1,"
    " \"up_block_types\": [\"UpBlock2D\", \"UpBlock2D\"], \"time_embedding_type\": \"fourier\","
    " \"num_class_embeds\": 50}";

static const struct weight *find(const trial *t, const char *name)
{
    int64_t number = weights_find(t->weights, name);
    if (number < 0) fail_msg("%s: no such parameter", name);
    return &t->weights->items[number];
}

static double deviation(const struct weight *weight)
{
    double squares = 0;
    int64_t count = shape_count(&weight->shape);
    for (int64_t i = 0; i < count; i++) squares += (double)weight->data[i] * weight->data[i];
    return sqrt(squares / (double)count);
}

static double largest(const struct weight *weight)
{
    double size = 0;
    for (int64_t i = 0; i < shape_count(&weight->shape); i++) {
        size = fmax(size, fabs((double)weight->data[i]));
    }
    return size;
}

/* Uniform within 1/sqrt(fan): all within, some near, and the deviation of that distribution. */
static void check_uniform(const trial *t, const char *name, double fan)
{
    const struct weight *weight = find(t, name);
    double bound = 1 / sqrt(fan);
    double spread = 4 / sqrt((double)shape_count(&weight->shape));
    assert_true(largest(weight) <= bound * (1 + 1e-6));
    CHECK_CLOSE(deviation(weight) * sqrt(3) / bound, 1, spread);
}

static void check_constant(const trial *t, const char *name, float value)
{
    const struct weight *weight = find(t, name);
    for (int64_t i = 0; i < shape_count(&weight->shape); i++) {
        assert_true(weight->data[i] == value);
    }
}

static void fresh_weights_have_the_distributions_of_torch(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, config);
    trial_build(&t, (int64_t[]){1, 4, 4, 3});
    check_uniform(&t, "conv_in.weight", 3 * 9);
    check_uniform(&t, "conv_in.bias", 3 * 9);
    check_uniform(&t, "mid_block.resnets.0.conv1.weight", 32 * 9);
    check_uniform(&t, "mid_block.resnets.0.time_emb_proj.weight", 64);
    check_uniform(&t, "mid_block.resnets.0.time_emb_proj.bias", 64);
    check_uniform(&t, "down_blocks.1.resnets.0.conv_shortcut.weight", 16);
    check_constant(&t, "conv_norm_out.weight", 1);
    check_constant(&t, "conv_norm_out.bias", 0);
    CHECK_CLOSE(deviation(find(&t, "class_embedding.weight")), 1, 0.06);
    trial_release(&t);
}

static void random_frequencies_have_deviation_16_and_are_not_trained(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, config);
    trial_build(&t, (int64_t[]){1, 4, 4, 3});
    assert_false(find(&t, "time_proj.weight")->trainable);
    CHECK_CLOSE(deviation(find(&t, "time_proj.weight")) / 16, 1, 0.75);
    assert_true(find(&t, "time_embedding.linear_1.weight")->trainable);
    trial_release(&t);
}

/* Values that change from one step to the next: the masks of dropout. */
static int count_masks(bool training)
{
    trial t;
    sumi_graph *graph = NULL;
    int masks = 0;
    trial_parse(&t, config);
    CHECK_OK(t.context, sumi_graph_create(t.context, t.weights, training, &graph));
    struct net_nodes inputs = net_nodes_of(sumi_graph_input(graph, "x", 4, (int64_t[]){1, 4, 4, 3}),
                                           sumi_graph_input(graph, "times", 1, (int64_t[]){1}));
    inputs.at[NET_TIMES + 1] = sumi_graph_input(graph, "class", 1, (int64_t[]){1});
    assert_true(net_build(t.net, graph, &inputs) >= 0);
    for (sumi_node n = 0; n < graph->count; n++) {
        masks += graph_node(graph, n)->op == &op_dropout_mask;
    }
    sumi_graph_free(graph);
    trial_release(&t);
    return masks;
}

static void dropout_is_in_every_residual_layer_of_a_training_graph_and_no_other(void **state)
{
    (void)state;
    assert_int_equal(count_masks(true), 2 + 2 + 4); /* down, middle, up */
    assert_int_equal(count_masks(false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_weights_have_the_distributions_of_torch),
        cmocka_unit_test(random_frequencies_have_deviation_16_and_are_not_trained),
        cmocka_unit_test(dropout_is_in_every_residual_layer_of_a_training_graph_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
