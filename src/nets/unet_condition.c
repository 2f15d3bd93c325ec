/* SPDX-License-Identifier: Apache-2.0 */
/* UNet2DConditionModel, the U-Net of Stable Diffusion (Rombach et al. 2022): its blocks also attend
   to the states of a text, and its time embedding may have further conditions added. The keys,
   their defaults and their meaning are diffusers'; unet_text.c builds the attention. */
#include <string.h>

#include "nets/unet.h"
#include "nets/unet_condition.h"

static const struct config_key keys[] = {
    {"sample_size", "null"},
    {"in_channels", "4"},
    {"out_channels", "4"},
    {"center_input_sample", "false"},
    {"flip_sin_to_cos", "true"},
    {"freq_shift", "0"},
    {"down_block_types",
     "[\"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\", "
     "\"DownBlock2D\"]"},
    {"mid_block_type", "\"UNetMidBlock2DCrossAttn\""},
    {"up_block_types", "[\"UpBlock2D\", \"CrossAttnUpBlock2D\", \"CrossAttnUpBlock2D\", "
                       "\"CrossAttnUpBlock2D\"]"},
    {"only_cross_attention", "false"},
    {"block_out_channels", "[320, 640, 1280, 1280]"},
    {"layers_per_block", "2"},
    {"downsample_padding", "1"},
    {"mid_block_scale_factor", "1"},
    {"dropout", "0.0"},
    {"act_fn", "\"silu\""},
    {"norm_num_groups", "32"},
    {"norm_eps", "1e-05"},
    {"cross_attention_dim", "1280"},
    {"transformer_layers_per_block", "1"},
    {"reverse_transformer_layers_per_block", "null"},
    {"encoder_hid_dim", "null"},
    {"encoder_hid_dim_type", "null"},
    {"attention_head_dim", "8"},
    {"num_attention_heads", "null"},
    {"dual_cross_attention", "false"},
    {"use_linear_projection", "false"},
    {"class_embed_type", "null"},
    {"addition_embed_type", "null"},
    {"addition_time_embed_dim", "null"},
    {"num_class_embeds", "null"},
    {"upcast_attention", "false"},
    {"resnet_time_scale_shift", "\"default\""},
    {"resnet_skip_time_act", "false"},
    {"resnet_out_scale_factor", "1.0"},
    {"time_embedding_type", "\"positional\""},
    {"time_embedding_dim", "null"},
    {"time_embedding_act_fn", "null"},
    {"timestep_post_act", "null"},
    {"time_cond_proj_dim", "null"},
    {"conv_in_kernel", "3"},
    {"conv_out_kernel", "3"},
    {"projection_class_embeddings_input_dim", "null"},
    {"attention_type", "\"default\""},
    {"class_embeddings_concat", "false"},
    {"mid_block_only_cross_attention", "null"},
    {"cross_attention_norm", "null"},
    {"addition_embed_type_num_heads", "64"},
    {NULL, NULL}};

enum { WIDTH_LIMIT = 65536, DEPTH_LIMIT = 32 };

/* ---- Values that are one for all levels or a list with one for each ---- */

static json_object *value_of(const struct config *config, const char *key)
{
    return json_object_object_get(config->object, key);
}

static void check_length(struct config *config, const struct unet *unet, const char *key)
{
    if (!json_object_is_type(value_of(config, key), json_type_array)) return;
    int count = config_length(config, key, UNET_LEVELS);
    if (count == unet->levels) return;
    config_fail(config, "\"%s\" should be one value or %d, one for each block, not %d", key,
                unet->levels, count);
}

static int64_t whole_of_level(struct config *config, const char *key, int level, int64_t high)
{
    if (json_object_is_type(value_of(config, key), json_type_array))
        return config_whole_at(config, key, level, 1, high);
    return config_whole(config, key, 1, high);
}

static bool flag_of_level(struct config *config, const char *key, int level)
{
    json_object *value = value_of(config, key);
    if (!json_object_is_type(value, json_type_array)) return config_flag(config, key);
    json_object *entry = json_object_array_get_idx(value, (size_t)level);
    if (!json_object_is_type(entry, json_type_boolean))
        config_fail(config, "entry %d of \"%s\" should be true or false", level, key);
    return json_object_get_boolean(entry);
}

/* ---- The text ---- */

/* The key that is the number of heads of transformers unless "num_attention_heads" is given, and
   the width of the heads of other attention. */
static const char HEADS[] = "attention_head_dim";

static void read_cross(struct config *config, int level, struct unet_cross *cross)
{
    const char *own = "num_attention_heads";
    cross->heads =
        whole_of_level(config, config_is_null(config, own) ? HEADS : own, level, UNET_CHANNELS);
    cross->depth = whole_of_level(config, "transformer_layers_per_block", level, DEPTH_LIMIT);
    cross->only_text = flag_of_level(config, "only_cross_attention", level);
}

/* All levels attend to the same states, projected by a layer of their own where encoder_hid_dim is
   their width. */
static void read_states(struct config *config, struct unet *unet)
{
    static const char *const projections[] = {"text_proj", NULL};
    static const char key[] = "cross_attention_dim";
    int64_t width = whole_of_level(config, key, 0, WIDTH_LIMIT);
    for (int i = 1; i < unet->levels; i++) {
        if (whole_of_level(config, key, i, WIDTH_LIMIT) == width) continue;
        config_fail(config,
                    "the entries of \"%s\" should be equal, for all blocks attend to the "
                    "same states",
                    key);
    }
    if (!config_is_null(config, "encoder_hid_dim_type"))
        config_choice(config, "encoder_hid_dim_type", projections);
    unet->states = config_whole_or(config, "encoder_hid_dim", 1, WIDTH_LIMIT, width);
    unet->projected_states = config_is_null(config, "encoder_hid_dim") ? 0 : width;
}

static void read_mid(struct config *config, struct unet *unet)
{
    static const char *const names[] = {"UNetMidBlock2DCrossAttn", "UNetMidBlock2D",
                                        "UNetMidBlock2DSimpleCrossAttn", NULL};
    static const enum unet_crossing crossings[] = {CROSS_TRANSFORMER, CROSS_NONE, CROSS_SIMPLE};
    const char *only = "mid_block_only_cross_attention";
    unet->mid = !config_is_null(config, "mid_block_type");
    unet->mid_divisor = config_number(config, "mid_block_scale_factor", 1e-6, 1e6);
    unet->mid_groups = unet->groups;
    if (!unet->mid) return;
    unet->mid_crossing = crossings[config_choice(config, "mid_block_type", names)];
    unet->mid_single = unet->mid_crossing == CROSS_NONE;
    unet->mid_cross = unet->down[unet->levels - 1].cross;
    unet->mid_cross.only_text = unet->mid_crossing == CROSS_SIMPLE && unet->mid_cross.only_text;
    if (unet->mid_crossing == CROSS_SIMPLE && !config_is_null(config, only))
        unet->mid_cross.only_text = config_flag(config, only);
}

/* ---- The blocks ---- */

static void read_layers(struct config *config, struct unet *unet)
{
    static const char *const shifts[] = {"default", "scale_shift", NULL};
    unet->in_channels = config_whole(config, "in_channels", 1, UNET_CHANNELS);
    unet->out_channels = config_whole(config, "out_channels", 1, UNET_CHANNELS);
    unet->center_input = config_flag(config, "center_input_sample");
    unet->down_padding = config_whole(config, "downsample_padding", 0, 1);
    unet->groups = config_whole(config, "norm_num_groups", 1, UNET_CHANNELS);
    unet->epsilon = config_number(config, "norm_eps", 1e-12, 1);
    unet->dropout = config_number(config, "dropout", 0, 0.999);
    unet->scale_shift = config_choice(config, "resnet_time_scale_shift", shifts) == 1;
    unet->activation = layer_activation_read(config, "act_fn");
    if (unet->activation != LAYER_SILU)
        config_fail(config, "\"act_fn\" should be \"silu\"; others are not supported");
    unet->linear_projection = config_flag(config, "use_linear_projection");
    unet->plain_time = config_flag(config, "resnet_skip_time_act");
    unet->sampler_divisor = config_number(config, "resnet_out_scale_factor", 1e-6, 1e6);
}

/* Depths of the transformers on the way up, where they are not those on the way down. */
static void read_reverse_depths(struct config *config, struct unet *unet)
{
    static const char key[] = "reverse_transformer_layers_per_block";
    if (config_is_null(config, key)) return;
    check_length(config, unet, key);
    for (int i = 0; i < unet->levels && config->status == SUMI_OK; i++)
        unet->up[i].cross.depth = whole_of_level(config, key, i, DEPTH_LIMIT);
}

static void read_blocks(struct config *config, struct unet *unet)
{
    static const char *const lists[] = {"only_cross_attention",
                                        "layers_per_block",
                                        "cross_attention_dim",
                                        "transformer_layers_per_block",
                                        HEADS,
                                        "num_attention_heads"};
    unet_read_levels(config, unet);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) check_length(config, unet, lists[i]);
    for (int i = 0; i < unet->levels && config->status == SUMI_OK; i++) {
        struct unet_block *down = &unet->down[i], *up = &unet->up[unet->levels - 1 - i];
        down->layers = whole_of_level(config, "layers_per_block", i, UNET_LAYERS);
        up->layers = down->layers + 1;
        read_cross(config, i, &down->cross);
        up->cross = down->cross;
        /* Attention without transformers takes the width of heads in the order of the way down in
           both directions, as in diffusers; one head where there is none. */
        if (!config_is_null(config, HEADS))
            down->head_width = whole_of_level(config, HEADS, i, UNET_CHANNELS);
        unet->up[i].head_width = unet->head_width = down->head_width;
    }
    read_reverse_depths(config, unet);
}

/* ---- Conditions of the time ---- */

static void read_added(struct config *config, struct unet *unet, struct net *net)
{
    static const char *const types[] = {"text_time", NULL};
    unet->time.class_beside = config_flag(config, "class_embeddings_concat");
    unet->time.guidance = config_whole_or(config, "time_cond_proj_dim", 1, WIDTH_LIMIT, 0);
    if (unet->time.guidance) {
        net_declare(net, &(sumi_input){.name = "guidance",
                                       .rank = 2,
                                       .shape = {0, unet->time.guidance},
                                       .optional = true});
    }
    if (config_is_null(config, "addition_embed_type")) return;
    config_choice(config, "addition_embed_type", types);
    unet->added_time = config_whole(config, "addition_time_embed_dim", 2, WIDTH_LIMIT);
    unet->added =
        config_whole(config, "projection_class_embeddings_input_dim", 1, 16 * WIDTH_LIMIT);
    if (unet->added <= unet->added_time) {
        config_fail(config,
                    "\"projection_class_embeddings_input_dim\" should be above "
                    "\"addition_time_embed_dim\" %lld, not %lld",
                    (long long)unet->added_time, (long long)unet->added);
    }
    net->possible[net->input_count] = unet->added - unet->added_time; /* with one of time_ids */
    net_declare(net, &(sumi_input){.name = "pooled", .rank = 2});
    net_declare(net, &(sumi_input){.name = "time_ids", .rank = 2});
}

/* Declares a residual for each skip connection and for the middle, which are optional. */
static void declare_residuals(const struct unet *unet, struct net *net)
{
    static const char *const names[UNET_RESIDUALS] = {
        "down.0",  "down.1",  "down.2",  "down.3",  "down.4",  "down.5",  "down.6",
        "down.7",  "down.8",  "down.9",  "down.10", "down.11", "down.12", "down.13",
        "down.14", "down.15", "down.16", "down.17", "down.18", "down.19"};
    int64_t channels[UNET_SKIPS], count = unet_skip_channels(unet, channels);
    if (count > UNET_RESIDUALS) return;
    for (int64_t i = 0; i < count; i++) {
        net_declare(net, &(sumi_input){.name = names[i],
                                       .rank = 4,
                                       .shape = {0, 0, 0, channels[i]},
                                       .optional = true});
    }
    net_declare(net, &(sumi_input){.name = "mid",
                                   .rank = 4,
                                   .shape = {0, 0, 0, channels[count - 1]},
                                   .optional = true});
}

static void expect_false(struct config *config, const char *key)
{
    if (config_flag(config, key)) config_fail(config, "\"%s\" true is not supported", key);
}

static void expect_null(struct config *config, const char *key)
{
    if (!config_is_null(config, key))
        config_fail(config, "\"%s\" should be null; other values are not supported", key);
}

/* Keys of which one value is supported. */
static void read_fixed(struct config *config)
{
    config_choice(config, "attention_type", (const char *const[]){"default", NULL});
    config_choice(config, "time_embedding_type", (const char *const[]){"positional", NULL});
    expect_false(config, "dual_cross_attention");
    expect_null(config, "cross_attention_norm");
    expect_null(config, "timestep_post_act");
    expect_null(config, "time_embedding_act_fn");
}

static int64_t read_kernel(struct config *config, const char *key)
{
    int64_t kernel = config_whole(config, key, 1, 31);
    if (kernel % 2 == 0)
        config_fail(config, "\"%s\" should be odd, not %lld", key, (long long)kernel);
    return kernel;
}

void unet_condition_read(struct config *config, struct net *net)
{
    struct unet *unet = net->settings;
    unet->rank = 2;
    unet->kernel = 3;
    unet->conditional = true;
    unet->kernel_in = read_kernel(config, "conv_in_kernel");
    unet->kernel_out = read_kernel(config, "conv_out_kernel");
    read_fixed(config);
    read_layers(config, unet);
    read_blocks(config, unet);
    if (config->status != SUMI_OK) return;
    read_mid(config, unet);
    unet_declare(config, unet, net);
    net->any_size = true;
    read_states(config, unet);
    net_declare(net, &(sumi_input){.name = "states", .rank = 3, .shape = {0, 0, unet->states}});
    net_declare(net, &(sumi_input){.name = "states_mask", .rank = 2, .optional = true});
    read_added(config, unet, net);
    if (config->status == SUMI_OK) unet_check(config, unet);
}

static void read_all(struct config *config, struct net *net)
{
    expect_null(config, "num_attention_heads");
    unet_condition_read(config, net);
    if (config->status == SUMI_OK) declare_residuals(net->settings, net);
}

/* ---- The forward pass ---- */

static sumi_node input_named(const struct net *net, const struct net_nodes *nodes, const char *name)
{
    int number = net_find_input(net, name);
    return number < 0 ? -1 : nodes->at[number];
}

/* The embedding [n, width] of a pooled text and of numbers such as the size of the picture, each of
   which is embedded as a time is (Podell et al. 2023, 2.2). */
static sumi_node embed_added(sumi_graph *graph, const struct net *net,
                             const struct net_nodes *nodes)
{
    const struct unet *unet = net->settings;
    const struct time_waves waves = {unet->added_time, unet->time.frequency_shift,
                                     unet->time.cosine_first};
    sumi_node pooled = input_named(net, nodes, "pooled"), ids = input_named(net, nodes, "time_ids");
    int64_t n = layer_size(graph, ids, 0), count = n * layer_size(graph, ids, 1);
    int64_t width = layer_size(graph, ids, 1) * unet->added_time;
    if (layer_size(graph, pooled, 1) + width != unet->added) {
        graph_fail(graph,
                   "%s: \"pooled\" has %lld numbers and \"time_ids\" %lld of %lld "
                   "channels each, but \"projection_class_embeddings_input_dim\" is %lld",
                   net->type->class_name, (long long)layer_size(graph, pooled, 1),
                   (long long)layer_size(graph, ids, 1), (long long)unet->added_time,
                   (long long)unet->added);
        return -1;
    }
    ids = time_waves(graph, &waves, sumi_op_reshape(graph, ids, 1, &count));
    ids = sumi_op_reshape(graph, ids, 2, (int64_t[]){n, width});
    return layer_time_mlp(graph, "add_embedding", sumi_op_concat(graph, pooled, ids, 1),
                          unet->time.width, LAYER_START_TORCH);
}

static sumi_node embed(sumi_graph *graph, const struct net *net, const struct net_nodes *nodes)
{
    const struct unet *unet = net->settings;
    sumi_node embedding = time_embedding(graph, &unet->time, net, nodes);
    return unet->added ? sumi_op_add(graph, embedding, embed_added(graph, net, nodes)) : embedding;
}

int64_t unet_time_ids(const struct net *net, int64_t pooled)
{
    const struct unet *unet = net->settings;
    return unet->added_time ? (unet->added - pooled) / unet->added_time : 0;
}

/* The nodes of the declared residuals, as a builder takes them. */
static void find_residuals(const struct net *net, const struct net_nodes *nodes,
                           sumi_node residuals[UNET_RESIDUALS + 1])
{
    int first = net_find_input(net, "down.0"), mid = net_find_input(net, "mid");
    for (int i = 0; i <= UNET_RESIDUALS; i++) residuals[i] = -1;
    if (first < 0) return;
    for (int i = first; i < mid; i++) residuals[i - first] = nodes->at[i];
    residuals[UNET_RESIDUALS] = nodes->at[mid];
}

sumi_node unet_condition_begin(const struct net *net, const struct net_nodes *nodes,
                               struct unet_builder *builder)
{
    sumi_graph *graph = builder->graph;
    int64_t projected = builder->unet->projected_states;
    sumi_node mask = input_named(net, nodes, "states_mask");
    builder->states = input_named(net, nodes, "states");
    builder->states_bias = layer_mask_bias(graph, net->type->class_name, builder->states, mask);
    if (projected)
        builder->states = layer_linear(graph, "encoder_hid_proj", builder->states, projected);
    return embed(graph, net, nodes);
}

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    struct unet_builder builder = {.graph = graph, .unet = net->settings};
    sumi_node residuals[UNET_RESIDUALS + 1];
    find_residuals(net, nodes, residuals);
    builder.residuals = residuals;
    sumi_node embedding = unet_condition_begin(net, nodes, &builder);
    return unet_build_with(&builder, net, embedding, nodes);
}

const struct net_type net_type_unet_2d_condition = {.class_name = "UNet2DConditionModel",
                                                    .pipeline = "StableDiffusionPipeline",
                                                    .variance_is_optional = true,
                                                    .keys = keys,
                                                    .settings_size = sizeof(struct unet),
                                                    .read = read_all,
                                                    .build = build};
