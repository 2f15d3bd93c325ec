/* SPDX-License-Identifier: Apache-2.0 */
/* Auto-encoders: parameters as published, draws from the posterior, and configs and sizes that are
   refused. Their values are compared by nets/vectors_test.c. */
#include <json-c/json.h>

#include "nets/auto_encoder.h"
#include "one_context.h"

#define SMALL                                                                                      \
    "\"block_out_channels\": [8, 16], \"norm_num_groups\": 4, \"down_block_types\":"               \
    " [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"], \"up_block_types\":"                       \
    " [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]"

static struct auto_encoder *parse(const char *class_name, const char *members)
{
    struct auto_encoder *coder = NULL;
    char text[2048];
    snprintf(text, sizeof text, "{\"_class_name\": \"%s\"%s%s}", class_name, *members ? ", " : "",
             members);
    CHECK_OK(context, auto_encoder_parse(context, text, "config.json", &coder));
    return coder;
}

/* A config that is SMALL but for `members`. */
static void refuse(const char *class_name, const char *members, const char *part)
{
    struct auto_encoder *coder = NULL;
    bool tiny = strcmp(class_name, "AutoencoderTiny") == 0;
    json_object *config = json_tokener_parse(tiny ? "{}" : "{" SMALL "}");
    char text[1024];
    snprintf(text, sizeof text, "{%s}", members);
    json_object *changes = json_tokener_parse(text);
    assert_non_null(changes);
    json_object_object_foreach(changes, key, value)
    {
        json_object_object_add(config, key, json_object_get(value));
    }
    json_object_object_add(config, "_class_name", json_object_new_string(class_name));
    sumi_status status =
        auto_encoder_parse(context, json_object_to_json_string(config), "config.json", &coder);
    if (status == SUMI_OK || !strstr(sumi_context_message(context), part))
        fail_msg("%s: \"%s\" does not say \"%s\"", members, sumi_context_message(context), part);
    assert_null(coder);
    json_object_put(changes);
    json_object_put(config);
}

/* ---- Parameters ---- */

static sumi_status find_any(void *user, const char *name, const struct shape *shape, size_t *place)
{
    (void)user, (void)name, (void)shape;
    *place = 0;
    return SUMI_OK;
}

/* Weights whose memory nobody looks at. */
static const void *map_nothing(void *user, size_t place, sumi_element *element)
{
    (void)place;
    *element = SUMI_FLOAT32;
    return user;
}

static void check_parameters(const char *class_name, const char *members, int64_t tensors,
                             int64_t parameters)
{
    float nothing = 0;
    const struct weight_source source = {&nothing, find_any, NULL, map_nothing};
    struct auto_encoder *coder = parse(class_name, members);
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    int64_t count = 0;
    CHECK_OK(context, sumi_weights_create(context, 1, &weights));
    weights->source = &source;
    CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
    CHECK_OK(context, auto_encoder_build_halves(coder, graph));
    for (int64_t i = 0; i < weights->count; i++) count += shape_count(&weights->items[i].shape);
    assert_int_equal(weights->count, tensors);
    assert_int_equal(count, parameters);
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    auto_encoder_free(coder);
}

/* Counted from the published files by diffusers. */
static void published_sizes_have_their_numbers_of_parameters(void **state)
{
    (void)state;
    check_parameters("AutoencoderKL",
                     "\"block_out_channels\": [128, 256, 512, 512], \"layers_per_block\": 2,"
                     " \"down_block_types\": [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\","
                     " \"DownEncoderBlock2D\", \"DownEncoderBlock2D\"], \"up_block_types\":"
                     " [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\", \"UpDecoderBlock2D\","
                     " \"UpDecoderBlock2D\"], \"sample_size\": 512",
                     248, 83653863);
    check_parameters("AutoencoderTiny", "", 134, 2445063);
}

/* ---- The posterior ---- */

static void log_variances_are_clamped_and_draws_follow_from_them(void **state)
{
    (void)state;
    sumi_graph *graph = NULL;
    sumi_plan *plan = NULL;
    CHECK_OK(context, sumi_graph_create(context, NULL, false, &graph));
    sumi_node moments = sumi_graph_input(graph, "moments", 4, (int64_t[]){1, 1, 2, 4});
    sumi_node noise = sumi_graph_input(graph, "noise", 4, (int64_t[]){1, 1, 2, 2}), slope = -1;
    sumi_node logs = auto_encoder_log_variance(graph, moments);
    sumi_node draw = auto_encoder_draw(graph, moments, noise);
    sumi_node sum = sumi_op_sum(graph, logs, 15);
    CHECK_OK(context, sumi_graph_gradients(graph, sum, 1, &moments, &slope));
    CHECK_OK(context, sumi_plan_create(graph, 3, (sumi_node[]){logs, draw, slope}, &plan));
    /* means 1, 2 with log variances -40, 0.3; means 3, 4 with 25, -2 */
    memcpy(sumi_plan_data(plan, moments), (float[]){1, 2, -40, 0.3F, 3, 4, 25, -2}, 32);
    memcpy(sumi_plan_data(plan, noise), (float[]){1, -1, 0.5F, 2}, 16);
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    const float *found = sumi_plan_data(plan, logs), *drawn = sumi_plan_data(plan, draw);
    const double expected[] = {-30, 0.3F, 20, -2}, slopes[] = {0, 0, 0, 1, 0, 0, 0, 1};
    for (int i = 0; i < 4; i++) CHECK_CLOSE(found[i], expected[i], 0);
    CHECK_CLOSE(drawn[0], 1 + exp(-15), 1e-7);
    CHECK_CLOSE(drawn[1], 2 - exp(0.15), 1e-6);
    CHECK_CLOSE(drawn[2], 3 + 0.5 * exp(10), 1e-2);
    CHECK_CLOSE(drawn[3], 4 + 2 * exp(-1), 1e-6);
    for (int i = 0; i < 8; i++) CHECK_CLOSE(sumi_plan_data(plan, slope)[i], slopes[i], 0);
    sumi_plan_free(plan);
    sumi_graph_free(graph);
}

/* ---- Scales ---- */

static void latents_are_scaled_by_what_the_config_says(void **state)
{
    (void)state;
    struct auto_encoder *coder = parse("AutoencoderKL", SMALL ", \"scaling_factor\": 0.5,"
                                                              " \"shift_factor\": 0.25");
    for (int i = 0; i < 4; i++) {
        CHECK_CLOSE(coder->scales[i], 0.5, 0);
        CHECK_CLOSE(coder->scales[4 + i], 0.25, 0);
    }
    auto_encoder_free(coder);
    coder = parse("AutoencoderKL", SMALL ", \"latents_mean\": [1, 2, 3, 4], \"latents_std\":"
                                         " [1, 2, 4, 8], \"scaling_factor\": 2");
    for (int i = 0; i < 4; i++) {
        CHECK_CLOSE(coder->scales[i], 2.0 / (1 << i), 0);
        CHECK_CLOSE(coder->scales[4 + i], 1 + i, 0);
    }
    auto_encoder_free(coder);
}

/* ---- Refusals ---- */

static void scales_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const classes[] = {"AutoencoderKL", "VQModel", "AutoencoderTiny"};
    for (int i = 0; i < 3; i++) {
        refuse(classes[i], "\"scaling_factor\": 0", "\"scaling_factor\" should be from");
        refuse(classes[i], "\"scaling_factor\": NaN", "\"scaling_factor\" should be from");
        refuse(classes[i], "\"scaling_factor\": -Infinity", "\"scaling_factor\" should be from");
        refuse(classes[i], "\"shift_factor\": Infinity", "\"shift_factor\" should be from");
        refuse(classes[i], "\"scaling_factor\": null", "\"scaling_factor\" should be a number");
    }
    refuse("AutoencoderKL", "\"latents_mean\": [0, 1]", "should have 4 numbers");
    refuse("AutoencoderKL", "\"latents_std\": [1, 1, 0, 1]", "entry 2 of \"latents_std\"");
}

static void configs_that_cannot_be_built_are_refused(void **state)
{
    (void)state;
    refuse("AutoencoderKL", "\"norm_num_groups\": 3", "\"norm_num_groups\" is 3");
    refuse("AutoencoderKL", "\"latent_channels\": 0", "\"latent_channels\" should be from 1");
    refuse("AutoencoderKL", "\"block_out_channels\": [8]", "should have the same number");
    refuse("AutoencoderKL", "\"up_block_types\": [\"UpBlock2D\", \"UpDecoderBlock2D\"]",
           "did you mean \"UpDecoderBlock2D\"");
    refuse("AutoencoderKL", "\"act_fn\": \"tango\"", "\"act_fn\" cannot be \"tango\"");
    refuse("AutoencoderKL", "\"use_quant_conv\": 1", "\"use_quant_conv\" should be true or false");
    refuse("VQModel", "\"norm_type\": \"spatial\"", "should be a multiple of 32, not 8");
    refuse("VQModel", "\"num_vq_embeddings\": 0", "\"num_vq_embeddings\" should be from 1");
    refuse("AutoencoderTiny", "\"upsample_fn\": \"bilinear\"", "\"upsample_fn\" cannot be");
    refuse("AutoencoderTiny", "\"upsampling_scaling_factor\": 3", "should be from 2 to 2");
    refuse("AutoencoderTiny", "\"num_encoder_blocks\": [1]", "should have as many members");
    refuse("AutoencoderTiny", "\"encoder_block_out_channels\": [64, 32, 64, 64]",
           "should be equal");
    refuse("AutoencoderLK", "", "the nearest supported class is \"AutoencoderKL\"");
}

static void pictures_that_the_network_cannot_halve_are_refused(void **state)
{
    (void)state;
    struct auto_encoder *coder = parse("AutoencoderKL", SMALL);
    sumi_graph *graph = NULL;
    sumi_weights *weights = NULL;
    CHECK_OK(context, sumi_weights_create(context, 1, &weights));
    CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
    sumi_node x = sumi_graph_input(graph, "x", 4, (int64_t[]){1, 8, 7, 3});
    assert_int_equal(auto_encoder_encode(coder, graph, x), -1);
    assert_non_null(strstr(sumi_context_message(context), "multiples of 2, not [1, 8, 7, 3]"));
    sumi_graph_free(graph);
    CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
    x = sumi_graph_input(graph, "z", 4, (int64_t[]){1, 4, 4, 3});
    assert_int_equal(auto_encoder_decode(coder, graph, x), -1);
    assert_non_null(strstr(sumi_context_message(context), "latents should be of shape"));
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    auto_encoder_free(coder);
}

/* ---- Codebooks ---- */

static void codes_are_looked_up_as_they_were_found(void **state)
{
    (void)state;
    struct auto_encoder *coder = parse("VQModel", SMALL ", \"num_vq_embeddings\": 5");
    sumi_weights *weights = NULL;
    sumi_graph *graph = NULL;
    sumi_plan *plan = NULL;
    const int64_t shape[4] = {1, 2, 2, 3};
    CHECK_OK(context, sumi_weights_create(context, 1, &weights));
    CHECK_OK(context, sumi_graph_create(context, weights, false, &graph));
    sumi_node z = sumi_graph_input(graph, "z", 4, shape), indices = -1;
    sumi_node code = vq_quantise(coder, graph, z, &indices);
    sumi_node again = vq_look_up(coder, graph, indices, shape);
    CHECK_OK(context, sumi_plan_create(graph, 2, (sumi_node[]){code, again}, &plan));
    for (int i = 0; i < 12; i++) sumi_plan_data(plan, z)[i] = (float)sin(1.7 * i) * 0.2F;
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    for (int i = 0; i < 12; i++) {
        CHECK_CLOSE(sumi_plan_data(plan, code)[i], sumi_plan_data(plan, again)[i], 1e-7);
        assert_true(fabs(sumi_plan_data(plan, again)[i]) <= 0.2);
    }
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    sumi_weights_free(weights);
    auto_encoder_free(coder);
}

/* ---- Norms that look at the latents ---- */

#define LARGE                                                                                      \
    "\"block_out_channels\": [32, 64], \"norm_num_groups\": 32, \"down_block_types\":"             \
    " [\"DownEncoderBlock2D\", \"AttnDownEncoderBlock2D\"], \"up_block_types\":"                   \
    " [\"AttnUpDecoderBlock2D\", \"UpDecoderBlock2D\"], \"num_vq_embeddings\": 4"

/* The name of the weight of plain norms that stands for one of spatial norms; false for those that
   plain norms do not have. */
static bool plain_name(const char *name, char plain[128])
{
    const char *layer = strstr(name, "norm_layer."), *spatial = strstr(name, "spatial_norm.");
    if (strstr(name, ".conv_y.") || strstr(name, ".conv_b.")) return false;
    if (spatial)
        snprintf(plain, 128, "%.*sgroup_norm.%s", (int)(spatial - name), name,
                 layer + strlen("norm_layer."));
    else if (layer)
        snprintf(plain, 128, "%.*s%s", (int)(layer - name), name, layer + strlen("norm_layer."));
    else snprintf(plain, 128, "%s", name);
    return true;
}

/* Scales 1 and shifts 0 everywhere, and otherwise the plain network's weights. */
static void copy_plain(sumi_weights *spatial, const sumi_weights *plain)
{
    char name[128];
    int64_t copied = 0;
    for (int64_t i = 0; i < spatial->count; i++) {
        struct weight *weight = &spatial->items[i];
        bool own = !plain_name(weight->name, name);
        int64_t count = shape_count(&weight->shape), other = own ? -1 : weights_find(plain, name);
        bool one = own && strstr(weight->name, ".conv_y.bias");
        if (!own && other < 0) fail_msg("%s: there is no %s", weight->name, name);
        for (int64_t j = 0; j < count; j++)
            weight->data[j] = own ? (one ? 1 : 0) : plain->items[other].data[j];
        copied += !own;
    }
    assert_int_equal(copied, plain->count);
}

/* Decodes some latents; with `from`, its weights are taken first. */
static void decode_with(const char *members, const sumi_weights *from, sumi_weights **weights,
                        float *output)
{
    struct auto_encoder *coder = parse("VQModel", members);
    sumi_graph *graph = NULL;
    sumi_plan *plan = NULL;
    CHECK_OK(context, sumi_weights_create(context, 1, weights));
    CHECK_OK(context, sumi_graph_create(context, *weights, false, &graph));
    sumi_node z = sumi_graph_input(graph, "z", 4, (int64_t[]){1, 2, 3, 3});
    sumi_node y = vq_decode_latents(coder, graph, z);
    CHECK_OK(context, sumi_graph_status(graph));
    if (from) copy_plain(*weights, from);
    CHECK_OK(context, sumi_plan_create(graph, 1, &y, &plan));
    for (int i = 0; i < 18; i++) sumi_plan_data(plan, z)[i] = (float)sin(1.3 * i);
    CHECK_OK(context, sumi_plan_run(plan, 0, 0));
    memcpy(output, sumi_plan_data(plan, y), 72 * sizeof *output);
    sumi_plan_free(plan);
    sumi_graph_free(graph);
    auto_encoder_free(coder);
}

static void spatial_norms_with_scale_one_and_no_shift_are_plain_ones(void **state)
{
    (void)state;
    sumi_weights *plain = NULL, *spatial = NULL;
    float expected[72], found[72];
    decode_with(LARGE, NULL, &plain, expected);
    decode_with(LARGE ", \"norm_type\": \"spatial\"", plain, &spatial, found);
    for (int i = 0; i < 72; i++) CHECK_CLOSE(found[i], expected[i], 2e-5);
    sumi_weights_free(plain);
    sumi_weights_free(spatial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(published_sizes_have_their_numbers_of_parameters),
        CONTEXT_TEST(log_variances_are_clamped_and_draws_follow_from_them),
        CONTEXT_TEST(latents_are_scaled_by_what_the_config_says),
        CONTEXT_TEST(scales_that_cannot_be_are_refused),
        CONTEXT_TEST(configs_that_cannot_be_built_are_refused),
        CONTEXT_TEST(pictures_that_the_network_cannot_halve_are_refused),
        CONTEXT_TEST(codes_are_looked_up_as_they_were_found),
        CONTEXT_TEST(spatial_norms_with_scale_one_and_no_shift_are_plain_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
