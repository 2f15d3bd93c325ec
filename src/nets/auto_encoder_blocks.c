/* SPDX-License-Identifier: Apache-2.0 */
/* Encoder and decoder of residual layers (Esser et al. 2021, table 7); see auto_encoder_blocks.h.
 */
#include "nets/auto_encoder_blocks.h"

enum { SPATIAL_GROUPS = 32 };
static const double EPSILON = 1e-6; /* of every group norm */

/* ---- Reading ---- */

static void read_types(struct config *config, struct coder_blocks *blocks)
{
    static const char *const downs[] = {"DownEncoderBlock2D", "AttnDownEncoderBlock2D", NULL};
    static const char *const ups[] = {"UpDecoderBlock2D", "AttnUpDecoderBlock2D", NULL};
    int levels = config_length(config, "block_out_channels", UNET_LEVELS);
    int down = config_length(config, "down_block_types", UNET_LEVELS);
    int up = config_length(config, "up_block_types", UNET_LEVELS);
    if (down != levels || up != levels) {
        config_fail(config,
                    "\"block_out_channels\" has %d members, \"down_block_types\" %d and "
                    "\"up_block_types\" %d; they should have the same number",
                    levels, down, up);
    }
    if (config->status != SUMI_OK) return;
    blocks->levels = levels;
    for (int i = 0; i < levels; i++) {
        blocks->channels[i] = config_whole_at(config, "block_out_channels", i, 1, UNET_CHANNELS);
        blocks->down_attention[i] = config_choice_at(config, "down_block_types", i, downs) == 1;
        blocks->up_attention[i] = config_choice_at(config, "up_block_types", i, ups) == 1;
    }
}

/* The first level whose channels are not a multiple of `groups`; -1 if there is none. */
static int find_undivided(const struct coder_blocks *blocks, int64_t groups)
{
    for (int i = 0; i < blocks->levels; i++)
        if (blocks->channels[i] % groups) return i;
    return -1;
}

static void check_groups(struct config *config, const struct coder_blocks *blocks)
{
    int level = find_undivided(blocks, blocks->unet.groups);
    if (level < 0) return;
    config_fail(config,
                "\"norm_num_groups\" is %lld, which does not divide the %lld channels of "
                "level %d",
                (long long)blocks->unet.groups, (long long)blocks->channels[level], level);
}

/* The approximate number of parameters of the convolutions. */
static void check_parameters(struct config *config, const struct coder_blocks *blocks)
{
    double sum = 0;
    for (int i = 0; i < blocks->levels; i++) {
        double width = (double)blocks->channels[i];
        sum += 9 * 2 * width * width * (double)(2 * blocks->layers + 3);
    }
    unet_check_parameters(config, sum);
}

void coder_blocks_read(struct config *config, struct coder_blocks *blocks,
                       struct auto_encoder *coder)
{
    struct unet *unet = &blocks->unet;
    unet->rank = 2;
    unet->kernel = 3;
    unet->epsilon = EPSILON;
    unet->activation = layer_activation_read(config, "act_fn");
    unet->groups = config_whole(config, "norm_num_groups", 1, UNET_CHANNELS);
    coder->in_channels = config_whole(config, "in_channels", 1, UNET_CHANNELS);
    coder->out_channels = config_whole(config, "out_channels", 1, UNET_CHANNELS);
    blocks->latent_channels = config_whole(config, "latent_channels", 1, UNET_CHANNELS);
    blocks->layers = config_whole(config, "layers_per_block", 1, UNET_LAYERS);
    blocks->mid_attention = config_flag(config, "mid_block_add_attention");
    config_flag(config, "force_upcast"); /* affects float16 in diffusers; sums are float32 here */
    read_types(config, blocks);
    if (config->status != SUMI_OK) return;
    check_groups(config, blocks);
    check_parameters(config, blocks);
    coder->latent_channels = blocks->latent_channels;
    coder->factor = (int64_t)1 << (blocks->levels - 1);
    auto_encoder_read_size(config, coder);
}

void coder_blocks_check_spatial(struct config *config, const struct coder_blocks *blocks)
{
    int level = blocks->spatial ? find_undivided(blocks, SPATIAL_GROUPS) : -1;
    if (level < 0) return;
    config_fail(config,
                "with \"norm_type\" \"spatial\" the channels of each level should be a multiple "
                "of %d, not %lld",
                SPATIAL_GROUPS, (long long)blocks->channels[level]);
}

/* ---- Layers ---- */

struct coder_builder {
    struct unet_builder unet;
    const struct coder_blocks *blocks;
    sumi_node latents; /* input of spatial norms, or -1 */
};

static struct coder_builder begin(const struct coder_blocks *blocks, sumi_graph *graph)
{
    return (struct coder_builder){.unet = {.graph = graph, .unet = &blocks->unet, .time = -1},
                                  .blocks = blocks,
                                  .latents = -1};
}

/* A group norm whose scale and shift at each place are computed from the latents z at that place,
   repeated to the size of x: norm(x) scale(z) + shift(z) (Zheng et al. 2022, MoVQ). */
static sumi_node spatial_norm(struct coder_builder *builder, const char *name, sumi_node x)
{
    if (x < 0 || builder->latents < 0) return -1;
    char part[NAME_SIZE];
    sumi_graph *graph = builder->unet.graph;
    struct layer_norm norm = {SPATIAL_GROUPS, EPSILON};
    struct layer_window point = layer_same(2, 1);
    int64_t channels = layer_size(graph, x, 3);
    int64_t down = layer_size(graph, x, 1) / layer_size(graph, builder->latents, 1);
    int64_t across = layer_size(graph, x, 2) / layer_size(graph, builder->latents, 2);
    sumi_node z = sumi_op_upsample(graph, builder->latents, down, across);
    x = layer_group_norm(graph, layer_name(part, name, "norm_layer"), x, &norm, false);
    sumi_node scale =
        layer_convolution(graph, layer_name(part, name, "conv_y"), z, channels, &point);
    sumi_node shift =
        layer_convolution(graph, layer_name(part, name, "conv_b"), z, channels, &point);
    return sumi_op_add(graph, sumi_op_multiply(graph, x, scale), shift);
}

/* A residual layer with spatial norms. */
static sumi_node spatial_resnet(struct coder_builder *builder, const char *name, sumi_node x,
                                int64_t out)
{
    char part[NAME_SIZE];
    sumi_graph *graph = builder->unet.graph;
    enum layer_activation activation = builder->blocks->unet.activation;
    struct layer_window same = layer_same(2, 3), point = layer_same(2, 1);
    sumi_node h = spatial_norm(builder, layer_name(part, name, "norm1"), x);
    h = layer_activate(graph, activation, h);
    h = layer_convolution(graph, layer_name(part, name, "conv1"), h, out, &same);
    h = spatial_norm(builder, layer_name(part, name, "norm2"), h);
    h = layer_activate(graph, activation, h);
    h = layer_convolution(graph, layer_name(part, name, "conv2"), h, out, &same);
    if (layer_size(graph, x, 3) != out)
        x = layer_convolution(graph, layer_name(part, name, "conv_shortcut"), x, out, &point);
    sumi_graph_mark(graph);
    return sumi_op_add(graph, x, h);
}

static sumi_node add_resnet(struct coder_builder *builder, const char *block, int64_t place,
                            sumi_node x, int64_t out)
{
    char name[NAME_SIZE];
    int64_t in = layer_size(builder->unet.graph, x, 3), groups = builder->blocks->unet.groups;
    struct unet_resnet resnet = {.in = in,
                                 .out = out,
                                 .groups_in = groups,
                                 .groups_out = groups,
                                 .divisor = 1,
                                 .shortcut = in != out};
    layer_name(name, block, "resnets.%lld", (long long)place);
    if (builder->latents >= 0) return spatial_resnet(builder, name, x, out);
    return unet_build_resnet(&builder->unet, name, &resnet, x);
}

/* Attention of one head over all channels. */
static sumi_node add_attention(struct coder_builder *builder, const char *block, int64_t place,
                               sumi_node x)
{
    char name[NAME_SIZE], part[NAME_SIZE];
    int64_t channels = layer_size(builder->unet.graph, x, 3);
    bool spatial = builder->latents >= 0;
    struct unet_attention attention = {.channels = channels,
                                       .heads = 1,
                                       .head_width = channels,
                                       .groups = spatial ? 0 : builder->blocks->unet.groups,
                                       .divisor = 1};
    layer_name(name, block, "attentions.%lld", (long long)place);
    if (!spatial) return unet_build_attention(&builder->unet, name, &attention, x);
    sumi_node h = spatial_norm(builder, layer_name(part, name, "spatial_norm"), x);
    h = sumi_op_add(builder->unet.graph, x, unet_attend(&builder->unet, name, &attention, h));
    sumi_graph_mark(builder->unet.graph);
    return h;
}

static sumi_node add_block(struct coder_builder *builder, const char *block, int64_t layers,
                           bool attention, sumi_node x, int64_t out)
{
    for (int64_t i = 0; i < layers; i++) {
        x = add_resnet(builder, block, i, x, out);
        if (attention) x = add_attention(builder, block, i, x);
    }
    return x;
}

static sumi_node add_middle(struct coder_builder *builder, const char *block, sumi_node x)
{
    int64_t channels = builder->blocks->channels[builder->blocks->levels - 1];
    x = add_resnet(builder, block, 0, x, channels);
    if (builder->blocks->mid_attention) x = add_attention(builder, block, 0, x);
    return add_resnet(builder, block, 1, x, channels);
}

/* Norm, SiLU whatever act_fn is, and the last convolution. */
static sumi_node add_end(struct coder_builder *builder, const char *half, sumi_node x, int64_t out)
{
    char name[NAME_SIZE];
    sumi_graph *graph = builder->unet.graph;
    struct layer_norm norm = {builder->blocks->unet.groups, EPSILON};
    struct layer_window window = layer_same(2, 3);
    layer_name(name, half, "conv_norm_out");
    x = builder->latents < 0 ? layer_group_norm(graph, name, x, &norm, true)
                             : sumi_op_silu(graph, spatial_norm(builder, name, x));
    return layer_convolution(graph, layer_name(name, half, "conv_out"), x, out, &window);
}

/* ---- The two halves ---- */

sumi_node coder_blocks_encode(const struct coder_blocks *blocks, sumi_graph *graph, sumi_node x,
                              int64_t out)
{
    struct coder_builder builder = begin(blocks, graph);
    char block[NAME_SIZE], name[NAME_SIZE];
    struct layer_window same = layer_same(2, 3), halving = {2, 3, 2, 0, 1};
    x = layer_convolution(graph, "encoder.conv_in", x, blocks->channels[0], &same);
    sumi_graph_mark(graph);
    for (int i = 0; i < blocks->levels; i++) {
        layer_name(block, "encoder", "down_blocks.%d", i);
        x = add_block(&builder, block, blocks->layers, blocks->down_attention[i], x,
                      blocks->channels[i]);
        if (i == blocks->levels - 1) break;
        layer_name(name, block, "downsamplers.0.conv");
        x = layer_convolution(graph, name, x, blocks->channels[i], &halving);
    }
    x = add_middle(&builder, "encoder.mid_block", x);
    return add_end(&builder, "encoder", x, out);
}

sumi_node coder_blocks_decode(const struct coder_blocks *blocks, sumi_graph *graph, sumi_node x,
                              int64_t out, sumi_node latents)
{
    struct coder_builder builder = begin(blocks, graph);
    if (blocks->spatial) builder.latents = latents;
    char block[NAME_SIZE], name[NAME_SIZE];
    struct layer_window same = layer_same(2, 3);
    x = layer_convolution(graph, "decoder.conv_in", x, blocks->channels[blocks->levels - 1], &same);
    sumi_graph_mark(graph);
    x = add_middle(&builder, "decoder.mid_block", x);
    for (int i = 0; i < blocks->levels; i++) {
        int64_t channels = blocks->channels[blocks->levels - 1 - i];
        layer_name(block, "decoder", "up_blocks.%d", i);
        x = add_block(&builder, block, blocks->layers + 1, blocks->up_attention[i], x, channels);
        if (i == blocks->levels - 1) break;
        layer_name(name, block, "upsamplers.0.conv");
        x = layer_convolution(graph, name, sumi_op_upsample(graph, x, 2, 2), channels, &same);
    }
    return add_end(&builder, "decoder", x, out);
}
