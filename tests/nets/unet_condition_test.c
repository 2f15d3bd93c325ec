/* SPDX-License-Identifier: Apache-2.0 */
/* UNet2DConditionModel: what it sees of a text, and configs that cannot be. The numbers that
   diffusers gives are compared by nets/vectors_test.c. */
#include "trial.h"

#define TINY                                                                                       \
    "\"sample_size\": 4, \"in_channels\": 2, \"out_channels\": 2, \"norm_num_groups\": 2, "        \
    "\"block_out_channels\": [4, 8], \"layers_per_block\": 1, \"cross_attention_dim\": 3, "        \
    "\"attention_head_dim\": 2"
#define BLOCKS(down, up)                                                                           \
    ", \"down_block_types\": [\"" down "\", \"DownBlock2D\"], \"up_block_types\": "                \
    "[\"UpBlock2D\", \"" up "\"]"
#define CLASS "\"_class_name\": \"UNet2DConditionModel\", "
#define WITH(more)                                                                                 \
    "{" CLASS "\"block_out_channels\": [32, 64]" BLOCKS("CrossAttnDownBlock2D",                    \
                                                        "CrossAttnUpBlock2D") ", " more "}"
static const char transformers[] =
    "{" CLASS TINY BLOCKS("CrossAttnDownBlock2D", "CrossAttnUpBlock2D") "}";

static void parse(const char *json, sumi_context **context, struct net **net)
{
    assert_int_equal(sumi_context_create(NULL, context), SUMI_OK);
    CHECK_OK(*context, net_parse(*context, json, "config", net));
}

/* Stable Diffusion's layers depend on the text: another state changes the picture, and a token that
   the mask hides does not. */
static void hidden_tokens_do_not_matter_and_others_do(void **state)
{
    (void)state;
    enum { TOKENS = 3, WIDTH = 3, SIZE = 4 * 4 * 2 };
    sumi_context *context = NULL;
    struct net *net = NULL;
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    sumi_plan *plan = NULL;
    float outputs[3][SIZE];
    parse(transformers, &context, &net);
    CHECK_OK(context, sumi_weights_create(context, 7, &weights));
    CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
    int states = net_find_input(net, "states"), mask = net_find_input(net, "states_mask");
    struct shape shapes[NET_INPUTS] = {{4, {1, 4, 4, 2}}};
    struct net_nodes nodes;
    shapes[states] = (struct shape){3, {1, TOKENS, WIDTH}};
    shapes[mask] = (struct shape){2, {1, TOKENS}};
    net_add_inputs(net, graph, 1, shapes, &nodes);
    sumi_node output = net_build(net, graph, &nodes);
    CHECK_OK(context, sumi_plan_create(graph, 1, &output, &plan));
    for (int i = 0; i < 3; i++) {
        float *text = sumi_plan_data(plan, nodes.at[states]);
        float *seen = sumi_plan_data(plan, nodes.at[mask]);
        for (int k = 0; k < SIZE; k++)
            sumi_plan_data(plan, nodes.at[NET_X])[k] = (float)cos(0.9 * k);
        sumi_plan_data(plan, nodes.at[NET_TIMES])[0] = 5;
        for (int k = 0; k < TOKENS; k++) seen[k] = k < TOKENS - 1;
        for (int k = 0; k < TOKENS * WIDTH; k++) text[k] = (float)sin(0.7 * k);
        if (i) text[i == 1 ? TOKENS * WIDTH - 1 : 0] += 3;
        CHECK_OK(context, sumi_plan_run(plan, 0, 0));
        memcpy(outputs[i], sumi_plan_data(plan, output), sizeof outputs[i]);
    }
    for (int k = 0; k < SIZE; k++) CHECK_CLOSE(outputs[1][k], outputs[0][k], 1e-6);
    double largest = 0;
    for (int k = 0; k < SIZE; k++)
        largest = fmax(largest, fabs((double)outputs[2][k] - outputs[0][k]));
    assert_true(largest > 1e-4);
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    net_free(net);
    sumi_context_free(context);
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    trial_refuse(WITH("\"attention_head_dim\": [2, 2, 2]"), SUMI_ERROR_FORMAT,
                 "\"attention_head_dim\" should be one value or 2");
    trial_refuse(WITH("\"attention_head_dim\": 33"), SUMI_ERROR_FORMAT, "33 heads");
    trial_refuse(WITH("\"cross_attention_dim\": [3, 4]"), SUMI_ERROR_FORMAT, "should be equal");
    trial_refuse(WITH("\"transformer_layers_per_block\": [[1], [1]]"), SUMI_ERROR_FORMAT,
                 "entry 0 of \"transformer_layers_per_block\"");
    trial_refuse(WITH("\"only_cross_attention\": [true, 1]"), SUMI_ERROR_FORMAT,
                 "entry 1 of \"only_cross");
    trial_refuse(WITH("\"dual_cross_attention\": true"), SUMI_ERROR_FORMAT,
                 "\"dual_cross_attention\"");
    trial_refuse(WITH("\"addition_embed_type\": \"text\""), SUMI_ERROR_FORMAT,
                 "\"addition_embed_type\"");
    trial_refuse(WITH("\"addition_embed_type\": \"text_time\""), SUMI_ERROR_FORMAT,
                 "\"addition_time_embed_dim\"");
    trial_refuse(WITH("\"addition_embed_type\": \"text_time\", \"addition_time_embed_dim\": 8, "
                      "\"projection_class_embeddings_input_dim\": 8"),
                 SUMI_ERROR_FORMAT, "should be above \"addition_time_embed_dim\" 8");
    trial_refuse(WITH("\"class_embed_type\": \"projection\""), SUMI_ERROR_FORMAT,
                 "\"projection_class_embeddings_input_dim\"");
    trial_refuse(WITH("\"conv_in_kernel\": 4"), SUMI_ERROR_FORMAT,
                 "\"conv_in_kernel\" should be odd");
    trial_refuse(WITH("\"act_fn\": \"mish\""), SUMI_ERROR_FORMAT, "\"act_fn\"");
    trial_refuse(WITH("\"mid_block_type\": \"MidBlock\""), SUMI_ERROR_FORMAT, "\"mid_block_type\"");
    trial_refuse("{" CLASS TINY BLOCKS("SkipDownBlock2D", "UpBlock2D") "}", SUMI_ERROR_FORMAT,
                 "is not a block of \"down_block_types\"");
}

static void blocks_that_attend_to_a_text_need_the_class_that_has_one(void **state)
{
    (void)state;
    trial_refuse("{\"_class_name\": \"UNet2DModel\", \"block_out_channels\": [32, 64]" BLOCKS(
                     "CrossAttnDownBlock2D", "UpBlock2D") "}",
                 SUMI_ERROR_FORMAT,
                 "\"CrossAttnDownBlock2D\" is not a block of \"down_block_types\"");
}

static void numbers_of_added_conditions_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    struct net *net = NULL;
    sumi_graph *graph = NULL;
    sumi_weights *weights = NULL;
    parse(WITH("\"addition_embed_type\": \"text_time\", \"addition_time_embed_dim\": 4, "
               "\"projection_class_embeddings_input_dim\": 13"),
          &context, &net);
    CHECK_OK(context, sumi_weights_create(context, 7, &weights));
    CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
    struct shape shapes[NET_INPUTS] = {{4, {1, 4, 4, 2}}};
    struct net_nodes nodes;
    shapes[NET_X].size[3] = 4;
    shapes[net_find_input(net, "states")] = (struct shape){3, {1, 2, 1280}};
    shapes[net_find_input(net, "pooled")] = (struct shape){2, {1, 6}};
    shapes[net_find_input(net, "time_ids")] = (struct shape){2, {1, 2}};
    net_add_inputs(net, graph, 1, shapes, &nodes);
    assert_int_equal(net_build(net, graph, &nodes), -1);
    assert_non_null(strstr(sumi_context_message(context), "\"pooled\" has 6 numbers"));
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    net_free(net);
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_tokens_do_not_matter_and_others_do),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
        cmocka_unit_test(blocks_that_attend_to_a_text_need_the_class_that_has_one),
        cmocka_unit_test(numbers_of_added_conditions_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
