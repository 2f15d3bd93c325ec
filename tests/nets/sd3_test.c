/* SPDX-License-Identifier: Apache-2.0 */
/* SD3Transformer2DModel and PixArtTransformer2DModel: stored positions, inputs, and configs that
   cannot be. The numbers that diffusers gives are compared by nets/vectors_test.c. */
#include "nets/positions.h"
#include "trial.h"

#define SD3                                                                                        \
    "\"_class_name\": \"SD3Transformer2DModel\", \"num_attention_heads\": 2, "                     \
    "\"attention_head_dim\": 4, \"in_channels\": 2, \"out_channels\": 2, \"num_layers\": 1, "      \
    "\"sample_size\": 8, \"joint_attention_dim\": 5, \"pooled_projection_dim\": 6"
#define PIXART                                                                                     \
    "\"_class_name\": \"PixArtTransformer2DModel\", \"num_attention_heads\": 2, "                  \
    "\"attention_head_dim\": 6, \"in_channels\": 2, \"num_layers\": 1"

/* Adds the network's inputs for one picture of that size and a text of `tokens`, and builds it. */
static sumi_node build(trial *t, int64_t height, int64_t width, int64_t tokens, int64_t mask)
{
    struct shape shapes[NET_INPUTS] = {{0}};
    for (int i = 0; i < t->net->input_count; i++) shapes[i] = net_input_shape(t->net, i, 1);
    shapes[NET_X].size[1] = height;
    shapes[NET_X].size[2] = width;
    shapes[NET_TIMES + 1].size[1] = tokens;
    if (mask) shapes[NET_TIMES + 2].size[1] = mask;
    net_add_inputs(t->net, t->graph, 1, shapes, &t->inputs);
    return net_build(t->net, t->graph, &t->inputs);
}

static void positions_start_as_a_table_that_is_not_trained(void **state)
{
    (void)state;
    trial t;
    float table[36 * 8];
    trial_parse(&t, "{" SD3 ", \"caption_projection_dim\": 8, \"pos_embed_max_size\": 6}");
    assert_true(build(&t, 8, 8, 3, 0) >= 0);
    int64_t number = weights_find(t.weights, "pos_embed.pos_embed");
    assert_true(number >= 0);
    const struct weight *weight = &t.weights->items[number];
    assert_false(weight->trainable);
    positions_of_grid(&(struct position_grid){6, 6, 4, 1}, 8, table); /* 8 / 2 patches a side */
    assert_memory_equal(weight->data, table, sizeof table);
    trial_release(&t);
}

static void pictures_beyond_the_stored_positions_are_refused(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, "{" SD3 ", \"caption_projection_dim\": 8, \"pos_embed_max_size\": 6}");
    assert_true(build(&t, 8, 14, 3, 0) < 0);
    assert_string_equal(sumi_context_message(t.context),
                        "SD3Transformer2DModel: a picture of 8x14 has more patches than the 6 of a "
                        "side for which there are positions (\"pos_embed_max_size\")");
    trial_release(&t);
}

static void a_mask_is_as_long_as_the_text(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, "{" PIXART ", \"sample_size\": 8, \"cross_attention_dim\": 5}");
    assert_true(build(&t, 8, 8, 3, 4) < 0);
    assert_string_equal(sumi_context_message(t.context),
                        "PixArtTransformer2DModel: \"states_mask\" is for 4 tokens, but \"states\" "
                        "has 3");
    trial_release(&t);
}

static void pictures_of_1024_pixels_come_with_their_size(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, "{" PIXART ", \"cross_attention_dim\": 5}"); /* sample_size 128 */
    assert_true(net_find_input(t.net, "resolution") > 0);
    assert_true(net_find_input(t.net, "aspect_ratio") > 0);
    trial_release(&t);
    trial_parse(&t, "{" PIXART ", \"cross_attention_dim\": 5, \"sample_size\": 64}");
    assert_int_equal(net_find_input(t.net, "resolution"), -1);
    trial_release(&t);
}

#define OF_CLASSES "{" SD3 ", \"caption_projection_dim\": 8, \"_num_classes\": 3}"

static void classes_take_the_place_of_the_text(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, OF_CLASSES);
    assert_int_equal(t.net->input_count, NET_TIMES + 2);
    assert_int_equal(net_find_input(t.net, "class"), NET_TIMES + 1);
    assert_int_equal(net_classes(t.net), 3);
    assert_int_equal(net_null_class(t.net), 3);
    assert_non_null(strstr(t.net->config, "\"_num_classes\""));
    trial_release(&t);
    trial_parse(&t, "{" SD3 ", \"caption_projection_dim\": 8}");
    assert_int_equal(net_find_input(t.net, "class"), -1);
    assert_null(strstr(t.net->config, "_num_classes"));
    trial_release(&t);
}

static void gradients_with_classes_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, OF_CLASSES);
    trial_build(&t, (int64_t[]){2, 4, 6, 2});
    trial_fill_inputs(&t);
    t.condition[0] = 3; /* the null class */
    trial_move_weights(&t);
    assert_true(weights_find(t.weights, "class_states.weight") >= 0);
    assert_true(weights_find(t.weights, "class_pooled.weight") >= 0);
    trial_check_gradients(&t);
    trial_release(&t);
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    trial_refuse("{" SD3 "}", SUMI_ERROR_FORMAT,
                 "\"caption_projection_dim\" should be 8, the width of the "
                 "tokens, not 1152");
    trial_refuse("{" SD3 ", \"caption_projection_dim\": 8, \"pos_embed_max_size\": 3}",
                 SUMI_ERROR_FORMAT,
                 "\"pos_embed_max_size\" is 3, but \"sample_size\" has 4 patches");
    trial_refuse("{" SD3 ", \"caption_projection_dim\": 8, \"qk_norm\": \"l2\"}", SUMI_ERROR_FORMAT,
                 "\"qk_norm\" cannot be \"l2\"; did you mean \"rms_norm\"?");
    trial_refuse("{" SD3 ", \"caption_projection_dim\": 8, \"dual_attention_layers\": [1]}",
                 SUMI_ERROR_FORMAT,
                 "entry 0 of \"dual_attention_layers\" should be from 0 to 0, not 1");
    trial_refuse("{" SD3 ", \"caption_projection_dim\": 8, \"_num_classes\": 0}", SUMI_ERROR_FORMAT,
                 "\"_num_classes\" should be from 1 to 16777216, not 0");
    trial_refuse("{" PIXART ", \"caption_channels\": 5}", SUMI_ERROR_FORMAT,
                 "\"cross_attention_dim\" should be 12, the width to which "
                 "\"caption_channels\" are projected, not 1152");
    trial_refuse("{" PIXART ", \"cross_attention_dim\": 5, \"attention_type\": \"gated\"}",
                 SUMI_ERROR_FORMAT,
                 "\"attention_type\" cannot be \"gated\"; did you mean \"default\"?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_start_as_a_table_that_is_not_trained),
        cmocka_unit_test(pictures_beyond_the_stored_positions_are_refused),
        cmocka_unit_test(a_mask_is_as_long_as_the_text),
        cmocka_unit_test(pictures_of_1024_pixels_come_with_their_size),
        cmocka_unit_test(classes_take_the_place_of_the_text),
        cmocka_unit_test(gradients_with_classes_are_the_slopes_of_the_loss),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
