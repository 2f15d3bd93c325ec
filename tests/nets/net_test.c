/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: their classes, the saved form of a config, and the checks of inputs of a forward
   pass. */
#include "failing_allocator.h"
#include "trial.h"

/* As diffusers 0.42.1 saves UNet2DModel(sample_size=16, block_out_channels=(32, 64),
   layers_per_block=1, down_block_types=("SkipDownBlock2D", "AttnSkipDownBlock2D"),
   up_block_types=("AttnSkipUpBlock2D", "SkipUpBlock2D"), time_embedding_type="fourier",
   attention_head_dim=None, num_train_timesteps=10). */
static const char saved_by_diffusers[] = "{\n"
                                         "  \"_class_name\": \"UNet2DModel\",\n"
                                         "  \"_diffusers_version\": \"0.42.1\",\n"
                                         "  \"act_fn\": \"silu\",\n"
                                         "  \"add_attention\": true,\n"
                                         "  \"attention_head_dim\": null,\n"
                                         "  \"attn_norm_num_groups\": null,\n"
                                         "  \"block_out_channels\": [\n"
                                         "    32,\n"
                                         "    64\n"
                                         "  ],\n"
                                         "  \"center_input_sample\": false,\n"
                                         "  \"class_embed_type\": null,\n"
                                         "  \"down_block_types\": [\n"
                                         "    \"SkipDownBlock2D\",\n"
                                         "    \"AttnSkipDownBlock2D\"\n"
                                         "  ],\n"
                                         "  \"downsample_padding\": 1,\n"
                                         "  \"downsample_type\": \"conv\",\n"
                                         "  \"dropout\": 0.0,\n"
                                         "  \"flip_sin_to_cos\": true,\n"
                                         "  \"freq_shift\": 0,\n"
                                         "  \"in_channels\": 3,\n"
                                         "  \"layers_per_block\": 1,\n"
                                         "  \"mid_block_scale_factor\": 1,\n"
                                         "  \"mid_block_type\": \"UNetMidBlock2D\",\n"
                                         "  \"norm_eps\": 1e-05,\n"
                                         "  \"norm_num_groups\": 32,\n"
                                         "  \"num_class_embeds\": null,\n"
                                         "  \"num_train_timesteps\": 10,\n"
                                         "  \"out_channels\": 3,\n"
                                         "  \"resnet_time_scale_shift\": \"default\",\n"
                                         "  \"sample_size\": 16,\n"
                                         "  \"time_embedding_dim\": null,\n"
                                         "  \"time_embedding_type\": \"fourier\",\n"
                                         "  \"up_block_types\": [\n"
                                         "    \"AttnSkipUpBlock2D\",\n"
                                         "    \"SkipUpBlock2D\"\n"
                                         "  ],\n"
                                         "  \"upsample_type\": \"conv\"\n"
                                         "}\n";
static const char given[] =
    "{\"_class_name\": \"UNet2DModel\", \"sample_size\": 16, \"block_out_channels\": [32, 64],"
    " \"layers_per_block\": 1, \"time_embedding_type\": \"fourier\", \"num_train_timesteps\": 10,"
    " \"down_block_types\": [\"SkipDownBlock2D\", \"AttnSkipDownBlock2D\"],"
    " \"up_block_types\": [\"AttnSkipUpBlock2D\", \"SkipUpBlock2D\"],"
    " \"attention_head_dim\": null, \"_name_or_path\": \"x\", \"a key of the future\": [1, {}]}";

static const char small[] =
    "{\"sample_size\": [8, 12], \"block_out_channels\": [4, 8], \"norm_num_groups\": 2,"
    " \"down_block_types\": [\"DownBlock2D\", \"AttnDownBlock2D\"], \"layers_per_block\": 1,"
    " \"up_block_types\": [\"AttnUpBlock2D\", \"UpBlock2D\"], \"num_class_embeds\": 10}";

static void a_config_is_saved_with_every_key_as_diffusers_saves_it(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, given);
    assert_string_equal(t.net->config, saved_by_diffusers);
    trial_release(&t);
    trial_parse(&t, saved_by_diffusers);
    assert_string_equal(t.net->config, saved_by_diffusers);
    trial_release(&t);
}

static void the_description_has_shapes_and_classes(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, small);
    assert_string_equal(t.net->type->class_name, "UNet2DModel");
    assert_int_equal(t.net->item_rank, 3);
    assert_int_equal(t.net->item_shape[0], 8);
    assert_int_equal(t.net->item_shape[1], 12);
    assert_int_equal(t.net->item_shape[2], 3);
    assert_int_equal(t.net->out_channels, 3);
    assert_int_equal(t.net->kind, SUMI_PICTURE);
    assert_int_equal(t.net->input_count, 3);
    assert_string_equal(t.net->inputs[NET_X].name, "x");
    assert_string_equal(t.net->inputs[NET_TIMES].name, "times");
    assert_string_equal(t.net->inputs[2].name, "class");
    assert_int_equal(t.net->inputs[2].element, SUMI_INT32);
    assert_int_equal(t.net->inputs[2].limit, 10);
    assert_int_equal(net_classes(t.net), 10);
    trial_release(&t);
}

static void each_kind_of_class_input_is_declared(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, "{\"_class_name\": \"SumiMLPModel\", \"class_embed_type\": \"timestep\"}");
    assert_string_equal(t.net->inputs[2].name, "class_time");
    assert_int_equal(t.net->inputs[2].element, SUMI_FLOAT32);
    assert_int_equal(net_classes(t.net), 0);
    trial_release(&t);
    trial_parse(&t, "{\"_class_name\": \"SumiMLPModel\", \"class_embed_type\": \"identity\"}");
    assert_string_equal(t.net->inputs[2].name, "embedding");
    assert_int_equal(t.net->inputs[2].shape[1], 4 * 128);
    trial_release(&t);
}

static void a_missing_sample_size_is_left_open(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, "{}");
    assert_int_equal(t.net->item_shape[0], 0);
    assert_int_equal(t.net->item_shape[1], 0);
    assert_int_equal(t.net->item_shape[2], 3);
    trial_release(&t);
}

static void an_unknown_class_is_refused_and_the_nearest_named(void **state)
{
    (void)state;
    trial_refuse("{\"_class_name\": \"UNet2DModle\"}", SUMI_ERROR_UNSUPPORTED,
                 "the nearest supported class is \"UNet2DModel\"");
    trial_refuse("{\"_class_name\": 3}", SUMI_ERROR_FORMAT, "_class_name");
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    trial_refuse("[1, 2]", SUMI_ERROR_FORMAT, "should be a JSON object");
    trial_refuse("null", SUMI_ERROR_FORMAT, "should be a JSON object");
    trial_refuse("{\"sample_size\": 32", SUMI_ERROR_FORMAT, "not JSON");
    trial_refuse("", SUMI_ERROR_FORMAT, "not JSON");
}

/* Builds `small` on inputs of these shapes (a rank of 0: none) and looks for the sentence. */
static void check_inputs(int x_rank, const int64_t *x, int64_t times, int class_rank,
                         const char *part)
{
    trial t;
    trial_parse(&t, small);
    struct net_nodes inputs = net_nodes_of(sumi_graph_input(t.graph, "x", x_rank, x),
                                           sumi_graph_input(t.graph, "times", 1, &times));
    if (class_rank) {
        inputs.at[2] = sumi_graph_input(t.graph, "class", class_rank, (int64_t[]){2, 2});
    }
    assert_int_equal(net_build(t.net, t.graph, &inputs), -1);
    assert_int_equal(sumi_graph_status(t.graph), SUMI_ERROR_ARGUMENT);
    if (!strstr(sumi_context_message(t.context), part)) {
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(t.context), part);
    }
    trial_release(&t);
}

static void inputs_of_other_shapes_are_refused(void **state)
{
    (void)state;
    check_inputs(3, (int64_t[]){2, 8, 3}, 2, 1, "\"x\" should be of shape [2, 0, 0, 3]");
    check_inputs(4, (int64_t[]){2, 8, 8, 1}, 2, 1, "[2, 8, 8, 1]");
    check_inputs(4, (int64_t[]){2, 8, 8, 3}, 3, 1, "\"times\" should be of shape [2]");
    check_inputs(4, (int64_t[]){2, 8, 8, 3}, 2, 2, "\"class\" should be of shape [2]");
    check_inputs(4, (int64_t[]){2, 8, 8, 3}, 2, 0, "needs its input \"class\"");
    check_inputs(4, (int64_t[]){2, 7, 8, 3}, 2, 1, "multiple of 2");
}

static void inputs_that_a_network_does_not_declare_are_refused(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, "{\"_class_name\": \"SumiMLPModel\"}");
    struct net_nodes inputs = net_nodes_of(sumi_graph_input(t.graph, "x", 2, (int64_t[]){4, 2}),
                                           sumi_graph_input(t.graph, "times", 1, (int64_t[]){4}));
    inputs.at[2] = sumi_graph_input(t.graph, "class", 1, (int64_t[]){4});
    assert_int_equal(net_build(t.net, t.graph, &inputs), -1);
    assert_non_null(strstr(sumi_context_message(t.context), "takes 2 inputs"));
    trial_release(&t);
}

static sumi_status parse_and_build(sumi_context *context, void *user)
{
    struct net *net = NULL;
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    sumi_status status = net_parse(context, user, "config", &net);
    if (status == SUMI_OK) status = sumi_weights_create(context, 1, &weights);
    if (status == SUMI_OK) status = sumi_graph_create(context, weights, true, &graph);
    if (status == SUMI_OK) {
        struct net_nodes inputs =
            net_nodes_of(sumi_graph_input(graph, "x", 4, (int64_t[]){1, 8, 8, 3}),
                         sumi_graph_input(graph, "times", 1, (int64_t[]){1}));
        inputs.at[NET_TIMES + 1] = sumi_graph_input(graph, "class", 1, (int64_t[]){1});
        net_build(net, graph, &inputs);
        status = sumi_graph_status(graph);
    }
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    net_free(net);
    return status;
}

static void failing_memory_is_reported_and_leaves_nothing_behind(void **state)
{
    (void)state;
    for_each_failure(parse_and_build, (void *)(uintptr_t)small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_is_saved_with_every_key_as_diffusers_saves_it),
        cmocka_unit_test(the_description_has_shapes_and_classes),
        cmocka_unit_test(each_kind_of_class_input_is_declared),
        cmocka_unit_test(a_missing_sample_size_is_left_open),
        cmocka_unit_test(an_unknown_class_is_refused_and_the_nearest_named),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(inputs_of_other_shapes_are_refused),
        cmocka_unit_test(inputs_that_a_network_does_not_declare_are_refused),
        cmocka_unit_test(failing_memory_is_reported_and_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
