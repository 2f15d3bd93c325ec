/* SPDX-License-Identifier: Apache-2.0 */
/* The U-Net for signals: gradients against difference quotients in double, names and shapes of its
   parameters. */
#include "trial.h"

static void fill_inputs(trial *t)
{
    trial_fill_inputs(t);
    if (t->condition) t->condition[1] = 2;
}

static void check_gradients(const char *members, int64_t channels)
{
    trial t;
    char config[1024];
    snprintf(config, sizeof config, "{\"_class_name\": \"SumiUNet1DModel\", %s}", members);
    trial_parse(&t, config);
    trial_build(&t, (int64_t[]){2, 8, channels});
    fill_inputs(&t);
    trial_check_gradients(&t);
    trial_release(&t);
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    check_gradients("\"block_out_channels\": [4, 6], \"norm_num_groups\": 2,"
                    " \"layers_per_block\": 1, \"attention_head_dim\": 3,"
                    " \"down_block_types\": [\"DownBlock1D\", \"AttnDownBlock1D\"],"
                    " \"up_block_types\": [\"AttnUpBlock1D\", \"UpBlock1D\"]",
                    1);
}

static void gradients_of_the_variants_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    check_gradients("\"block_out_channels\": [4, 4], \"norm_num_groups\": 2, \"kernel_size\": 5,"
                    " \"in_channels\": 2, \"out_channels\": 3, \"layers_per_block\": 1,"
                    " \"attention_head_dim\": null, \"downsample_padding\": 0,"
                    " \"resnet_time_scale_shift\": \"scale_shift\", \"num_class_embeds\": 3,"
                    " \"downsample_type\": \"resnet\", \"act_fn\": \"mish\","
                    " \"down_block_types\": [\"AttnDownBlock1D\", \"DownBlock1D\"],"
                    " \"up_block_types\": [\"ResnetUpsampleBlock1D\", \"AttnUpBlock1D\"]",
                    2);
}

static void check_shape(const trial *t, const char *name, int rank, const int64_t *size)
{
    int64_t number = weights_find(t->weights, name);
    if (number < 0) fail_msg("%s: no such parameter", name);
    const struct shape *shape = &t->weights->items[number].shape;
    assert_int_equal(shape->rank, rank);
    for (int i = 0; i < rank; i++) assert_int_equal(shape->size[i], size[i]);
}

static void parameters_are_named_as_in_the_image_network(void **state)
{
    (void)state;
    trial t;
    trial_parse(&t, "{\"_class_name\": \"SumiUNet1DModel\", \"kernel_size\": 5}");
    trial_build(&t, (int64_t[]){1, 16, 1});
    check_shape(&t, "conv_in.weight", 3, (int64_t[]){32, 1, 5});
    check_shape(&t, "down_blocks.1.resnets.0.conv_shortcut.weight", 3, (int64_t[]){64, 32, 1});
    check_shape(&t, "down_blocks.0.downsamplers.0.conv.weight", 3, (int64_t[]){32, 32, 5});
    check_shape(&t, "mid_block.attentions.0.to_out.0.weight", 2, (int64_t[]){128, 128});
    check_shape(&t, "up_blocks.1.upsamplers.0.conv.bias", 1, (int64_t[]){64});
    trial_release(&t);
}

static void any_length_that_halves_often_enough_is_taken(void **state)
{
    (void)state;
    trial t;
    int64_t shape[SUMI_MAX_RANK];
    trial_parse(&t, "{\"_class_name\": \"SumiUNet1DModel\", \"sample_size\": 64}");
    assert_int_equal(t.net->item_rank, 2);
    assert_int_equal(t.net->item_shape[0], 64);
    trial_build(&t, (int64_t[]){3, 20, 1});
    assert_int_equal(sumi_graph_shape(t.graph, t.output, shape), 3);
    assert_int_equal(shape[0], 3);
    assert_int_equal(shape[1], 20);
    assert_int_equal(shape[2], 1);
    trial_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
        cmocka_unit_test(gradients_of_the_variants_are_the_slopes_of_the_loss),
        cmocka_unit_test(parameters_are_named_as_in_the_image_network),
        cmocka_unit_test(any_length_that_halves_often_enough_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
