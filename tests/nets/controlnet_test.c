/* SPDX-License-Identifier: Apache-2.0 */
/* ControlNetModel: what it adds to a U-Net, and configs that cannot be. The numbers that diffusers
   gives are compared by nets/vectors_test.c. */
#include "nets/controlnet.h"

#include "forward.h"

#define TINY(more)                                                                                 \
    "{\"_class_name\": \"ControlNetModel\", \"in_channels\": 2, \"norm_num_groups\": 2, "          \
    "\"block_out_channels\": [4, 8], \"cross_attention_dim\": 3, "                                 \
    "\"attention_head_dim\": 2, \"down_block_types\": [\"CrossAttnDownBlock2D\", "                 \
    "\"DownBlock2D\"], \"conditioning_embedding_out_channels\": [4, 6]" more "}"
enum { SIDE = 4, COUNT = 6, MOST = 1024 };

/* Opens it on one item with scales, with its weights as they start or filled. */
static sumi_node open_control(struct forward *f, const char *config, bool filled)
{
    struct controlnet_output output;
    struct shape shapes[NET_INPUTS] = {{4, {1, SIDE, SIDE, 2}}};
    int64_t scales = COUNT + 1;
    forward_begin(f);
    CHECK_OK(f->context, controlnet_parse(f->context, config, "config", &f->net));
    shapes[net_find_input(f->net, "states")] = (struct shape){3, {1, 2, 3}};
    shapes[net_find_input(f->net, "control")] = (struct shape){4, {1, 2 * SIDE, 2 * SIDE, 3}};
    net_add_inputs(f->net, f->graph, 1, shapes, &f->nodes);
    sumi_node factors = sumi_graph_input(f->graph, "scales", 1, &scales);
    if (!controlnet_build(f->net, f->graph, &f->nodes, factors, &output))
        fail_msg("%s", sumi_context_message(f->context));
    assert_int_equal(output.count, COUNT);
    for (int i = 0; i < COUNT; i++) forward_output(f, output.down[i]);
    forward_output(f, output.mid);
    if (filled) forward_fill(f);
    forward_plan(f);
    for (int i = 0; i < NET_INPUTS; i++)
        if (f->nodes.at[i] >= 0) forward_wave(f, f->nodes.at[i], 0.3 + 0.1 * i, 0.2);
    controlnet_scales(f->net, 1, false, sumi_plan_data(f->plan, factors));
    return factors;
}

/* Zhang et al. 2023, 3.1: training begins with a U-Net that is not steered. */
static void a_new_one_adds_nothing(void **state)
{
    (void)state;
    struct forward f;
    float values[MOST];
    open_control(&f, TINY(""), false);
    for (int i = 0; i <= COUNT; i++) {
        forward_run(&f, i, values);
        for (int64_t j = 0; j < forward_size(&f, f.outputs[i]); j++) assert_true(values[j] == 0);
    }
    forward_close(&f);
}

static void residuals_are_multiplied_by_their_scales(void **state)
{
    (void)state;
    struct forward f;
    float whole[MOST], part[MOST];
    sumi_node factors = open_control(&f, TINY(""), true);
    for (int i = 0; i <= COUNT; i++) {
        float *scales = sumi_plan_data(f.plan, factors);
        controlnet_scales(f.net, 1, false, scales);
        forward_run(&f, i, whole);
        scales[i] = 0.25f;
        forward_run(&f, i, part);
        for (int64_t j = 0; j < forward_size(&f, f.outputs[i]); j++)
            CHECK_CLOSE(part[j], 0.25 * (double)whole[j], 1e-6);
    }
    forward_close(&f);
}

/* From a tenth to the whole in equal ratios. */
static void without_a_text_scales_grow_in_equal_ratios(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    struct net *net = NULL;
    float scales[COUNT + 1];
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, controlnet_parse(context, TINY(""), "config", &net));
    controlnet_scales(net, 0.5, true, scales);
    CHECK_CLOSE(scales[0], 0.05, 1e-7);
    CHECK_CLOSE(scales[COUNT], 0.5, 1e-7);
    for (int i = 0; i < COUNT; i++)
        CHECK_CLOSE(scales[i + 1] / scales[i], pow(10, 1.0 / COUNT), 1e-5);
    net_free(net);
    sumi_context_free(context);
}

/* Channels in the order of "bgr" are those of "rgb" reversed. */
static void the_order_of_channels_is_that_of_the_config(void **state)
{
    (void)state;
    struct forward rgb, bgr;
    float expected[MOST], values[MOST];
    open_control(&rgb, TINY(""), true);
    open_control(&bgr, TINY(", \"controlnet_conditioning_channel_order\": \"bgr\""), true);
    int control = net_find_input(rgb.net, "control");
    const float *from = sumi_plan_data(rgb.plan, rgb.nodes.at[control]);
    float *to = sumi_plan_data(bgr.plan, bgr.nodes.at[control]);
    forward_run(&rgb, 0, expected);
    forward_run(&bgr, 0, values);
    assert_true(forward_apart(expected, values, SIDE * SIDE * 4) > 1e-4);
    for (int j = 0; j < 4 * SIDE * SIDE * 3; j++) to[j] = from[j / 3 * 3 + 2 - j % 3];
    forward_run(&bgr, 0, values);
    assert_true(forward_apart(expected, values, SIDE * SIDE * 4) < 1e-6);
    forward_close(&rgb);
    forward_close(&bgr);
}

static void pooled_residuals_are_means_over_pixels(void **state)
{
    (void)state;
    struct forward plain, pooled;
    float pixels[MOST], means[MOST];
    open_control(&plain, TINY(""), true);
    open_control(&pooled, TINY(", \"global_pool_conditions\": true"), true);
    forward_run(&plain, 0, pixels);
    forward_run(&pooled, 0, means);
    assert_int_equal(forward_size(&pooled, pooled.outputs[0]), 4);
    for (int c = 0; c < 4; c++) {
        double sum = 0;
        for (int i = 0; i < SIDE * SIDE; i++) sum += pixels[4 * i + c];
        CHECK_CLOSE(means[c], sum / (SIDE * SIDE), 1e-5);
    }
    forward_close(&plain);
    forward_close(&pooled);
}

static void pictures_of_another_size_are_refused(void **state)
{
    (void)state;
    struct forward f;
    struct controlnet_output output;
    struct shape shapes[NET_INPUTS] = {{4, {1, SIDE, SIDE, 2}}};
    forward_begin(&f);
    CHECK_OK(f.context, controlnet_parse(f.context, TINY(""), "config", &f.net));
    shapes[net_find_input(f.net, "states")] = (struct shape){3, {1, 2, 3}};
    shapes[net_find_input(f.net, "control")] = (struct shape){4, {1, SIDE, SIDE, 3}};
    net_add_inputs(f.net, f.graph, 1, shapes, &f.nodes);
    assert_false(controlnet_build(f.net, f.graph, &f.nodes, -1, &output));
    assert_non_null(strstr(sumi_context_message(f.context), "should be 2 times the size of x"));
    forward_close(&f);
}

static void refuse(const char *config, const char *part)
{
    sumi_context *context = NULL;
    struct net *net = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    assert_true(controlnet_parse(context, config, "config", &net) != SUMI_OK);
    if (!strstr(sumi_context_message(context), part))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), part);
    sumi_context_free(context);
}

static void configs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    refuse("{\"_class_name\": \"UNet2DModel\"}", "should be of class \"ControlNetModel\"");
    refuse(TINY(", \"mid_block_type\": null"), "mid_block_type");
    refuse(TINY(", \"controlnet_conditioning_channel_order\": \"grb\""), "channel_order");
    refuse(TINY(", \"layers_per_block\": 12"), "may have 20 skip connections, not 26");
    refuse(TINY(", \"act_fn\": \"tanh\""), "act_fn");
}

/* Its config is saved with its own keys and no others. */
static void a_config_is_saved_with_its_own_keys(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    struct net *net = NULL, *again = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context,
             controlnet_parse(context, TINY(", \"num_attention_heads\": 1"), "config", &net));
    assert_null(strstr(net->config, "up_block_types"));
    assert_non_null(strstr(net->config, "\"num_attention_heads\": 1"));
    CHECK_OK(context, controlnet_parse(context, net->config, "saved", &again));
    assert_string_equal(net->config, again->config);
    net_free(again);
    net_free(net);
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_adds_nothing),
        cmocka_unit_test(residuals_are_multiplied_by_their_scales),
        cmocka_unit_test(without_a_text_scales_grow_in_equal_ratios),
        cmocka_unit_test(the_order_of_channels_is_that_of_the_config),
        cmocka_unit_test(pooled_residuals_are_means_over_pixels),
        cmocka_unit_test(pictures_of_another_size_are_refused),
        cmocka_unit_test(configs_that_cannot_be_are_refused),
        cmocka_unit_test(a_config_is_saved_with_its_own_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
