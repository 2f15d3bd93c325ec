/* SPDX-License-Identifier: Apache-2.0 */
/* UNet1DModel; see unet1d_model.h. With out_block_type "ValueFunction" it gives one number for an
   item, an estimate of its value, instead of a prediction. */
#include "nets/unet1d_model.h"

#include <math.h>

enum { CHANNEL_LIMIT = 1 << 16, LAYER_LIMIT = 64, RATE_LIMIT = 1 << 30 };

static const struct config_key keys[] = {
    {"sample_size", "65536"},
    {"sample_rate", "null"},
    {"in_channels", "2"},
    {"out_channels", "2"},
    {"extra_in_channels", "0"},
    {"time_embedding_type", "\"fourier\""},
    {"time_embedding_dim", "null"},
    {"flip_sin_to_cos", "true"},
    {"use_timestep_embedding", "false"},
    {"freq_shift", "0.0"},
    {"down_block_types", "[\"DownBlock1DNoSkip\", \"DownBlock1D\", \"AttnDownBlock1D\"]"},
    {"up_block_types", "[\"AttnUpBlock1D\", \"UpBlock1D\", \"UpBlock1DNoSkip\"]"},
    {"mid_block_type", "\"UNetMidBlock1D\""},
    {"out_block_type", "null"},
    {"block_out_channels", "[32, 32, 64]"},
    {"act_fn", "null"},
    {"norm_num_groups", "8"},
    {"layers_per_block", "1"},
    {"downsample_each_block", "false"},
    {NULL, NULL}};

/* ---- The config ---- */

/* In the order of enum unet1d_kind. */
static const char *const down_names[] = {"DownResnetBlock1D", "DownBlock1D", "AttnDownBlock1D",
                                         "DownBlock1DNoSkip", NULL};
static const char *const up_names[] = {"UpResnetBlock1D", "UpBlock1D", "AttnUpBlock1D",
                                       "UpBlock1DNoSkip", NULL};

/* The blocks of the way up, of which there may be none. */
static void read_ups(struct config *config, struct unet1d_model *unet)
{
    static const char key[] = "up_block_types";
    json_object *list = json_object_object_get(config->object, key);
    if (json_object_is_type(list, json_type_array) && json_object_array_length(list) == 0) return;
    unet->ups = config_length(config, key, UNET1D_LEVELS);
    for (int i = 0; i < unet->ups; i++)
        unet->up[i] = (enum unet1d_kind)config_choice_at(config, key, i, up_names);
    if (unet->ups > unet->levels)
        config_fail(config, "\"%s\" has %d blocks, more than the %d of \"down_block_types\"", key,
                    unet->ups, unet->levels);
}

static void read_blocks(struct config *config, struct unet1d_model *unet)
{
    static const char *const mids[] = {"MidResTemporalBlock1D", "ValueFunctionMidBlock1D",
                                       "UNetMidBlock1D", NULL};
    static const char *const outs[] = {"OutConv1DBlock", "ValueFunction", NULL};
    unet->levels = config_length(config, "block_out_channels", UNET1D_LEVELS);
    if (config_length(config, "down_block_types", UNET1D_LEVELS) != unet->levels) {
        config_fail(config, "\"down_block_types\" and \"block_out_channels\" should have the same "
                            "number of entries");
        return;
    }
    for (int i = 0; i < unet->levels; i++) {
        unet->down[i] =
            (enum unet1d_kind)config_choice_at(config, "down_block_types", i, down_names);
        unet->channels[i] = config_whole_at(config, "block_out_channels", i, 1, CHANNEL_LIMIT);
    }
    read_ups(config, unet);
    unet->mid = (enum unet1d_mid)config_choice(config, "mid_block_type", mids);
    if (!config_is_null(config, "out_block_type"))
        unet->out = (enum unet1d_out)(1 + config_choice(config, "out_block_type", outs));
    unet->layers = config_whole(config, "layers_per_block", 0, LAYER_LIMIT);
    unet->shorten_all = config_flag(config, "downsample_each_block");
}

static void read_time(struct config *config, struct unet1d_model *unet)
{
    static const char *const kinds[] = {"fourier", "positional", NULL};
    int64_t first = unet->channels[0];
    unet->fourier = config_choice(config, "time_embedding_type", kinds) == 0;
    unet->waves.channels = first;
    if (unet->fourier)
        unet->waves.channels =
            config_whole_or(config, "time_embedding_dim", 2, CHANNEL_LIMIT, 2 * first);
    unet->waves.frequency_shift = config_number(config, "freq_shift", -1e6, 1e6);
    unet->waves.cosine_first = config_flag(config, "flip_sin_to_cos");
    unet->time_layers = config_flag(config, "use_timestep_embedding");
    if (unet->fourier && unet->waves.channels % 2)
        config_fail(config, "\"time_embedding_dim\" should be even, not %lld",
                    (long long)unet->waves.channels);
    if (!unet->fourier && (double)(first / 2) == unet->waves.frequency_shift)
        config_fail(config, "\"freq_shift\" cannot be %g, half the channels of the first block",
                    unet->waves.frequency_shift);
}

static bool is_temporal(const struct unet1d_model *unet)
{
    bool temporal = unet->mid != UNET1D_MID_WAVES;
    for (int i = 0; i < unet->levels; i++) temporal |= unet->down[i] == UNET1D_TEMPORAL;
    for (int i = 0; i < unet->ups; i++) temporal |= unet->up[i] == UNET1D_TEMPORAL;
    return temporal;
}

/* Residual layers with the time read an embedding of it by two layers; other blocks read its waves
   as channels of the signal. */
static void check_families(struct config *config, const struct unet1d_model *unet)
{
    bool temporal = is_temporal(unet), waves = unet->down[0] == UNET1D_NO_SKIP;
    int64_t extra = waves ? unet->waves.channels : 0;
    for (int i = 1; i < unet->levels; i++)
        if (unet->down[i] == UNET1D_NO_SKIP)
            config_fail(config, "\"DownBlock1DNoSkip\" can only be the first block");
    if (unet->extra != extra)
        config_fail(config,
                    "\"extra_in_channels\" should be %lld, the channels of the time that the first "
                    "block reads, not %lld",
                    (long long)extra, (long long)unet->extra);
    if (temporal && !unet->time_layers)
        config_fail(config,
                    "blocks with residual layers of the time need \"use_timestep_embedding\" "
                    "true");
    if (waves && unet->time_layers)
        config_fail(config, "\"DownBlock1DNoSkip\" needs \"use_timestep_embedding\" false");
    if (unet->mid == UNET1D_MID_VALUE && unet->channels[unet->levels - 1] % 4)
        config_fail(config, "\"ValueFunctionMidBlock1D\" needs a multiple of 4 channels, not %lld",
                    (long long)unet->channels[unet->levels - 1]);
}

static void read_sizes(struct config *config, struct unet1d_model *unet)
{
    int64_t usual = unet->channels[0] / 4 < 32 ? unet->channels[0] / 4 : 32;
    unet->in_channels = config_whole(config, "in_channels", 1, CHANNEL_LIMIT);
    unet->out_channels = config_whole(config, "out_channels", 1, CHANNEL_LIMIT);
    unet->extra = config_whole(config, "extra_in_channels", 0, CHANNEL_LIMIT);
    unet->groups =
        config_whole_or(config, "norm_num_groups", 1, CHANNEL_LIMIT, usual > 0 ? usual : 1);
    config_whole_or(config, "sample_rate", 1, RATE_LIMIT, 0);
    unet->activation = LAYER_SILU;
    if (!config_is_null(config, "act_fn"))
        unet->activation = layer_activation_read(config, "act_fn");
    else if (unet->out != UNET1D_OUT_NONE || unet->time_layers)
        config_fail(config, "\"act_fn\" should not be null with \"out_block_type\" or "
                            "\"use_timestep_embedding\"");
}

static void read_all(struct config *config, struct net *net)
{
    struct unet1d_model *unet = net->settings;
    read_blocks(config, unet);
    if (config->status != SUMI_OK) return;
    read_time(config, unet);
    read_sizes(config, unet);
    check_families(config, unet);
    int64_t length = config_whole(config, "sample_size", 1, NET_SIZE);
    net_declare_item(net, SUMI_SIGNAL, (int64_t[]){length, unet->in_channels});
    net->out_channels = unet->out_channels;
    net->any_size = unet->out != UNET1D_OUT_VALUE;
    net->values = unet->out == UNET1D_OUT_VALUE;
}

/* ---- The time ---- */

/* Sines and cosines of 2 pi times the times by random frequencies, which are stored: [n,
   channels]. */
static sumi_node fourier(sumi_graph *graph, const struct time_waves *waves, sumi_node times)
{
    int64_t half = waves->channels / 2, n = layer_size(graph, times, 0);
    sumi_node frequencies =
        sumi_graph_weight(graph, "time_proj.weight", 1, &half, SUMI_START_FIXED, 1);
    sumi_node column = sumi_op_reshape(graph, times, 2, (int64_t[]){n, 1});
    sumi_node angle = sumi_op_multiply(graph, column, frequencies);
    angle = sumi_op_affine(graph, angle, 2 * acos(-1), 0);
    sumi_node sine = sumi_op_sin(graph, angle), cosine = sumi_op_cos(graph, angle);
    return waves->cosine_first ? sumi_op_concat(graph, cosine, sine, 1)
                               : sumi_op_concat(graph, sine, cosine, 1);
}

/* The embedding of the time, [n, c] by layers or [n, 1, 1, c] without. */
static sumi_node embed_time(sumi_graph *graph, const struct unet1d_model *unet, sumi_node times)
{
    int64_t first = unet->channels[0];
    const struct layer_mlp mlp = {4 * first, first, unet->activation, LAYER_START_TORCH};
    sumi_node time = unet->fourier ? fourier(graph, &unet->waves, times)
                                   : time_waves(graph, &unet->waves, times);
    if (unet->time_layers) return layer_mlp(graph, "time_mlp", time, &mlp);
    return layer_over_pixels(graph, time);
}

/* ---- The paths ---- */

struct path {
    sumi_graph *graph;
    const struct unet1d_model *unet;
    sumi_node time, skips[UNET1D_LEVELS];
};

static sumi_node build_down(struct path *path, int level, sumi_node x)
{
    const struct unet1d_model *unet = path->unet;
    char name[NAME_SIZE];
    const struct unet1d_block block = {.graph = path->graph,
                                       .name = layer_name(name, "down_blocks", "%d", level),
                                       .time = path->time,
                                       .out = unet->channels[level],
                                       .layers = unet->layers,
                                       .resampled = level + 1 < unet->levels || unet->shorten_all};
    if (unet->down[level] == UNET1D_TEMPORAL)
        return unet1d_temporal_down(&block, x, &path->skips[level]);
    return unet1d_waves_down(&block, unet->down[level], x, &path->skips[level]);
}

/* Residual layers that halve the channels and the length twice. */
static sumi_node build_value_mid(const struct unet1d_block *block, sumi_node x)
{
    char name[NAME_SIZE];
    int64_t channels = block->out;
    for (int i = 1; i <= 2; i++) {
        channels /= 2;
        x = unet1d_residual(block, layer_name(name, block->name, "res%d", i), x, channels);
        x = unet1d_shorten(block->graph, layer_name(name, block->name, "down%d", i), x);
    }
    return x;
}

static sumi_node build_mid(const struct path *path, sumi_node x)
{
    const struct unet1d_model *unet = path->unet;
    const struct unet1d_block block = {.graph = path->graph,
                                       .name = "mid_block",
                                       .time = path->time,
                                       .out = unet->channels[unet->levels - 1],
                                       .layers = unet->layers};
    switch (unet->mid) {
    case UNET1D_MID_VALUE: return build_value_mid(&block, x);
    case UNET1D_MID_WAVES: return unet1d_waves_mid(&block, x);
    case UNET1D_MID_TEMPORAL: break;
    }
    x = unet1d_residuals(&block, x);
    return unet->shorten_all ? unet1d_shorten(path->graph, "mid_block.downsample", x) : x;
}

static sumi_node build_up(const struct path *path, int place, sumi_node x)
{
    const struct unet1d_model *unet = path->unet;
    char name[NAME_SIZE];
    int level = unet->levels - 1 - place; /* whose skip connection it takes */
    bool last = place == unet->ups - 1;
    int64_t end = unet->out == UNET1D_OUT_NONE ? unet->out_channels : unet->channels[0];
    const struct unet1d_block block = {.graph = path->graph,
                                       .name = layer_name(name, "up_blocks", "%d", place),
                                       .time = path->time,
                                       .in = layer_size(path->graph, x, 3),
                                       .out = last ? end : unet->channels[level - 1],
                                       .layers = unet->layers,
                                       .resampled = place != unet->levels - 1};
    if (unet->up[place] == UNET1D_TEMPORAL)
        return unet1d_temporal_up(&block, x, path->skips[level]);
    return unet1d_waves_up(&block, unet->up[place], x, path->skips[level]);
}

/* ---- The end ---- */

static sumi_node end_convolution(const struct path *path, sumi_node x)
{
    const struct unet1d_model *unet = path->unet;
    const struct layer_window window = layer_same(1, 5), point = layer_same(1, 1);
    const struct layer_norm norm = {unet->groups, 1e-5};
    sumi_graph *graph = path->graph;
    x = layer_convolution(graph, "out_block.final_conv1d_1", x, unet->channels[0], &window);
    x = layer_group_norm(graph, "out_block.final_conv1d_gn", x, &norm, false);
    x = layer_activate(graph, unet->activation, x);
    return layer_convolution(graph, "out_block.final_conv1d_2", x, unet->out_channels, &point);
}

/* One number for each item: [n, 1]. */
static sumi_node end_value(const struct path *path, sumi_node x)
{
    const struct unet1d_model *unet = path->unet;
    sumi_graph *graph = path->graph;
    int64_t n = layer_size(graph, x, 0), width = unet->channels[unet->levels - 1] / 4;
    int64_t numbers = layer_size(graph, x, 2) * layer_size(graph, x, 3);
    if (numbers != width || width < 2) {
        graph_fail(graph,
                   "UNet1DModel: the value is computed from %lld numbers, but the length of the "
                   "signal leaves %lld",
                   (long long)width, (long long)numbers);
        return -1;
    }
    x = sumi_op_permute(graph, x, (const int[]){0, 1, 3, 2}); /* channel by channel */
    x = sumi_op_reshape(graph, x, 2, (int64_t[]){n, numbers});
    x = sumi_op_concat(graph, x, path->time, 1);
    x = layer_linear(graph, "out_block.final_block.0", x, width / 2);
    x = layer_activate(graph, unet->activation, x);
    return layer_linear(graph, "out_block.final_block.2", x, 1);
}

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const struct unet1d_model *unet = net->settings;
    struct path path = {.graph = graph, .unet = unet};
    const struct shape signal = *graph_shape(graph, nodes->at[NET_X]);
    path.time = embed_time(graph, unet, nodes->at[NET_TIMES]);
    sumi_node x = sumi_op_reshape(graph, nodes->at[NET_X], 4,
                                  (int64_t[]){signal.size[0], 1, signal.size[1], signal.size[2]});
    for (int i = 0; i < unet->levels && x >= 0; i++) x = build_down(&path, i, x);
    if (x >= 0) x = build_mid(&path, x);
    for (int i = 0; i < unet->ups && x >= 0; i++) x = build_up(&path, i, x);
    if (x < 0) return -1;
    if (unet->out == UNET1D_OUT_VALUE) return end_value(&path, x);
    if (unet->out == UNET1D_OUT_CONVOLUTION) x = end_convolution(&path, x);
    if (x < 0) return -1;
    return sumi_op_reshape(
        graph, x, 3, (int64_t[]){signal.size[0], layer_size(graph, x, 2), layer_size(graph, x, 3)});
}

const struct net_type net_type_unet_1d_model = {.class_name = "UNet1DModel",
                                                .pipeline = "DanceDiffusionPipeline",
                                                .keys = keys,
                                                .settings_size = sizeof(struct unet1d_model),
                                                .read = read_all,
                                                .build = build};
