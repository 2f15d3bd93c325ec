/* SPDX-License-Identifier: Apache-2.0 */
/* Configs of U-Nets that cannot be: each is refused with one sentence that names the key or the
   block. */
#include "trial.h"

/* A small config that is fine, but for `members`. */
static json_object *config_with(const char *class_name, const char *members)
{
    char text[2048];
    const char *dimension = strstr(class_name, "1D") ? "1D" : "2D";
    snprintf(text, sizeof text,
             "{\"_class_name\": \"%s\", \"block_out_channels\": [32, 64], \"sample_size\": 16,"
             " \"down_block_types\": [\"DownBlock%s\", \"AttnDownBlock%s\"],"
             " \"up_block_types\": [\"AttnUpBlock%s\", \"UpBlock%s\"]}",
             class_name, dimension, dimension, dimension, dimension);
    json_object *config = json_tokener_parse(text);
    snprintf(text, sizeof text, "{%s}", members);
    json_object *changes = json_tokener_parse(text);
    assert_non_null(changes);
    json_object_object_foreach(changes, key, value)
    {
        json_object_object_add(config, key, json_object_get(value));
    }
    json_object_put(changes);
    return config;
}

static void check_refusal(const char *class_name, const char *members, const char *part)
{
    json_object *config = config_with(class_name, members);
    trial_refuse(json_object_to_json_string(config), SUMI_ERROR_FORMAT, part);
    json_object_put(config);
}

static void refuse(const char *members, const char *part)
{
    check_refusal("UNet2DModel", members, part);
}

static void values_of_another_type_are_refused(void **state)
{
    (void)state;
    refuse("\"in_channels\": \"3\"", "\"in_channels\" should be a whole number, not string");
    refuse("\"in_channels\": 2.5", "\"in_channels\" should be a whole number, not double");
    refuse("\"norm_eps\": []", "\"norm_eps\" should be a number, not array");
    refuse("\"add_attention\": 1", "\"add_attention\" should be true or false, not int");
    refuse("\"act_fn\": null", "\"act_fn\" should be a text, not null");
    refuse("\"block_out_channels\": 64", "\"block_out_channels\" should be a list, not int");
    refuse("\"block_out_channels\": [32, \"64\"]", "entry 1 of \"block_out_channels\"");
    refuse("\"down_block_types\": [\"DownBlock2D\", 7]", "entry 1 of \"down_block_types\"");
    refuse("\"norm_num_groups\": null", "\"norm_num_groups\" should be a whole number, not null");
}

static void values_out_of_bounds_are_refused(void **state)
{
    (void)state;
    refuse("\"in_channels\": 0", "\"in_channels\" should be from 1 to 65536, not 0");
    refuse("\"block_out_channels\": [32, -64]", "entry 1");
    refuse("\"block_out_channels\": [32, 65537]", "from 1 to 65536, not 65537");
    refuse("\"layers_per_block\": 65", "\"layers_per_block\" should be from 1 to 64");
    refuse("\"layers_per_block\": 0", "\"layers_per_block\"");
    refuse("\"dropout\": 1.5", "\"dropout\"");
    refuse("\"norm_eps\": NaN", "\"norm_eps\"");
    refuse("\"norm_eps\": -Infinity", "\"norm_eps\"");
    refuse("\"downsample_padding\": 2", "\"downsample_padding\" should be from 0 to 1");
    refuse("\"sample_size\": 0", "\"sample_size\"");
    refuse("\"sample_size\": 15", "\"sample_size\" should be a multiple of 2");
    refuse("\"sample_size\": [16]", "[height, width]");
    refuse("\"num_class_embeds\": 99999999999999999999", "\"num_class_embeds\"");
    refuse("\"block_out_channels\": [65536, 65536], \"attention_head_dim\": 64", "parameters");
}

static void misspelled_values_are_refused_and_the_nearest_named(void **state)
{
    (void)state;
    refuse("\"act_fn\": \"sliu\"", "did you mean \"silu\"?");
    refuse("\"down_block_types\": [\"DownBlock2D\", \"AtnDownBlock2D\"]",
           "did you mean \"AttnDownBlock2D\"?");
    refuse("\"up_block_types\": [\"AttnUpBlock2D\", \"DownBlock2D\"]", "\"up_block_types\"");
    refuse("\"mid_block_type\": \"UNetMidBlock\"", "did you mean \"UNetMidBlock2D\"?");
    refuse("\"time_embedding_type\": \"fuorier\"", "did you mean \"fourier\"?");
    refuse("\"resnet_time_scale_shift\": \"scale-shift\"", "did you mean \"scale_shift\"?");
    refuse("\"downsample_type\": \"covn\"", "did you mean \"conv\"?");
    refuse("\"class_embed_type\": \"time\"", "did you mean \"timestep\"?");
}

static void parts_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    refuse("\"block_out_channels\": [32, 64, 64]", "they should have the same number");
    refuse("\"norm_num_groups\": 7",
           "down_blocks.0 normalises 32 channels in 7 groups, which do not divide them");
    refuse("\"attn_norm_num_groups\": 7", "mid_block normalises 64 channels in 7 groups");
    refuse("\"attention_head_dim\": 65",
           "\"attention_head_dim\" is 65, but down_blocks.1 has only 64 channels");
    refuse("\"time_embedding_type\": \"learned\"", "\"num_train_timesteps\"");
    refuse("\"freq_shift\": 16", "\"freq_shift\" cannot be 16");
}

static void skip_blocks_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    refuse("\"up_block_types\": [\"SkipUpBlock2D\", \"UpBlock2D\"]",
           "up_blocks.1 follows a Skip block");
    refuse("\"up_block_types\": [\"SkipUpBlock2D\", \"SkipUpBlock2D\"], \"out_channels\": 1",
           "\"out_channels\" 3, not 1");
    refuse("\"down_block_types\": [\"SkipDownBlock2D\", \"DownBlock2D\"], \"in_channels\": 1",
           "\"in_channels\" 3, not 1");
    refuse("\"block_out_channels\": [32, 64, 64], \"up_block_types\": [\"UpBlock2D\", "
           "\"UpBlock2D\", \"UpBlock2D\"], \"down_block_types\": [\"DownBlock2D\", "
           "\"SkipDownBlock2D\", \"DownBlock2D\"]",
           "down_blocks.1, a Skip block, cannot follow");
    refuse("\"block_out_channels\": [3, 64], \"norm_num_groups\": 1, \"attention_head_dim\": 1,"
           " \"down_block_types\": [\"SkipDownBlock2D\", \"DownBlock2D\"]",
           "down_blocks.0 normalises 3 channels in 0 groups");
}

static void signals_have_blocks_and_kernels_of_their_own(void **state)
{
    (void)state;
    const char *name = "SumiUNet1DModel";
    check_refusal(name, "\"kernel_size\": 4", "\"kernel_size\" should be 3 or 5, not 4");
    check_refusal(name, "\"sample_size\": [16, 16]", "\"sample_size\" should be a whole number");
    check_refusal(name, "\"down_block_types\": [\"DownBlock2D\", \"DownBlock1D\"]",
                  "did you mean \"DownBlock1D\"?");
    check_refusal(name, "\"down_block_types\": [\"DownBlock1D\", \"SkipDownBlock1D\"]",
                  "is not a block");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_another_type_are_refused),
        cmocka_unit_test(values_out_of_bounds_are_refused),
        cmocka_unit_test(misspelled_values_are_refused_and_the_nearest_named),
        cmocka_unit_test(parts_that_do_not_fit_together_are_refused),
        cmocka_unit_test(skip_blocks_that_do_not_fit_together_are_refused),
        cmocka_unit_test(signals_have_blocks_and_kernels_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
