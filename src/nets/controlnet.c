/* SPDX-License-Identifier: Apache-2.0 */
/* ControlNetModel; see controlnet.h. Its config has most keys of UNet2DConditionModel's, whose
   reader and whose blocks it uses. */
#include "nets/controlnet.h"

#include <math.h>
#include <string.h>

enum { HINT_LAYERS = 16, CHANNEL_LIMIT = 1024 };

struct controlnet {
    struct unet unet; /* the first member; its way up is not built */
    int residuals;    /* for skip connections */
    int64_t channels; /* of the picture of the condition */
    bool reversed;    /* whose channels are taken from the last to the first */
    bool pooled;      /* residuals are their means over all pixels */
    int hint_layers;  /* sizes of the picture that are gone through, each half of the last */
    int64_t hint[HINT_LAYERS]; /* channels at each */
};

static const struct config_key keys[] = {
    {"in_channels", "4"},
    {"conditioning_channels", "3"},
    {"flip_sin_to_cos", "true"},
    {"freq_shift", "0"},
    {"down_block_types",
     "[\"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\", "
     "\"DownBlock2D\"]"},
    {"mid_block_type", "\"UNetMidBlock2DCrossAttn\""},
    {"only_cross_attention", "false"},
    {"block_out_channels", "[320, 640, 1280, 1280]"},
    {"layers_per_block", "2"},
    {"downsample_padding", "1"},
    {"mid_block_scale_factor", "1"},
    {"act_fn", "\"silu\""},
    {"norm_num_groups", "32"},
    {"norm_eps", "1e-05"},
    {"cross_attention_dim", "1280"},
    {"transformer_layers_per_block", "1"},
    {"encoder_hid_dim", "null"},
    {"encoder_hid_dim_type", "null"},
    {"attention_head_dim", "8"},
    {"num_attention_heads", "null"},
    {"use_linear_projection", "false"},
    {"class_embed_type", "null"},
    {"addition_embed_type", "null"},
    {"addition_time_embed_dim", "null"},
    {"num_class_embeds", "null"},
    {"upcast_attention", "false"},
    {"resnet_time_scale_shift", "\"default\""},
    {"projection_class_embeddings_input_dim", "null"},
    {"controlnet_conditioning_channel_order", "\"rgb\""},
    {"conditioning_embedding_out_channels", "[16, 32, 96, 256]"},
    {"global_pool_conditions", "false"},
    {"addition_embed_type_num_heads", "64"},
    {NULL, NULL}};

/* ---- The config ---- */

static bool is_own(const char *key)
{
    for (const struct config_key *own = keys; own->name; own++)
        if (strcmp(own->name, key) == 0) return true;
    return false;
}

/* Adds the keys that only the U-Net has, with their defaults, or takes them away again. */
static void add_others(struct config *config, bool add)
{
    const struct config_key *other = net_type_unet_2d_condition.keys;
    for (; other->name; other++) {
        if (is_own(other->name)) continue;
        if (add) config_set(config, other->name, other->fallback);
        else config_leave_out(config, other->name);
    }
}

/* A way up of as many levels as the way down. */
static void add_way_up(struct config *config)
{
    static const char block[] = "\"UpBlock2D\"";
    char list[UNET_LEVELS * (sizeof block + 1) + 2] = "[";
    int levels = config_length(config, "down_block_types", UNET_LEVELS);
    for (int i = 0; i < levels; i++) {
        if (i) strcat(list, ",");
        strcat(list, block);
    }
    config_set(config, "up_block_types", strcat(list, "]"));
}

static void read_hint(struct config *config, struct controlnet *control)
{
    static const char *const orders[] = {"rgb", "bgr", NULL};
    static const char list[] = "conditioning_embedding_out_channels";
    control->channels = config_whole(config, "conditioning_channels", 1, CHANNEL_LIMIT);
    control->reversed = config_choice(config, "controlnet_conditioning_channel_order", orders) == 1;
    control->pooled = config_flag(config, "global_pool_conditions");
    control->hint_layers = config_length(config, list, HINT_LAYERS);
    for (int i = 0; i < control->hint_layers; i++)
        control->hint[i] = config_whole_at(config, list, i, 1, UNET_CHANNELS);
}

static void read_all(struct config *config, struct net *net)
{
    struct controlnet *control = net->settings;
    int64_t channels[UNET_SKIPS];
    add_others(config, true);
    add_way_up(config);
    if (config_is_null(config, "mid_block_type"))
        config_fail(config, "\"mid_block_type\" should not be null: a ControlNet has a middle");
    if (config->status == SUMI_OK) unet_condition_read(config, net);
    if (config->status == SUMI_OK) read_hint(config, control);
    add_others(config, false);
    if (config->status != SUMI_OK) return;
    int64_t count = unet_skip_channels(&control->unet, channels);
    control->residuals = (int)count;
    if (count > UNET_RESIDUALS)
        config_fail(config, "a ControlNet may have %d skip connections, not %lld", UNET_RESIDUALS,
                    (long long)count);
    net_declare(net,
                &(sumi_input){.name = "control", .rank = 4, .shape = {0, 0, 0, control->channels}});
}

static const struct net_type type = {.class_name = "ControlNetModel",
                                     .part = "controlnet",
                                     .keys = keys,
                                     .settings_size = sizeof(struct controlnet),
                                     .read = read_all};

sumi_status controlnet_parse(sumi_context *context, const char *json, const char *source,
                             struct net **net)
{
    return net_parse_type(context, json, source, &type, net);
}

int controlnet_count(const struct net *net)
{
    const struct controlnet *control = net->settings;
    return control->residuals;
}

void controlnet_scales(const struct net *net, double strength, bool guess, float *scales)
{
    const struct controlnet *control = net->settings;
    int count = control->residuals;
    guess &= !control->pooled;
    for (int i = 0; i <= count; i++)
        scales[i] = (float)(guess ? strength * pow(10, (double)i / count - 1) : strength);
}

/* ---- The forward pass ---- */

/* x[n,h,w,c] with its channels from the last to the first. */
static sumi_node reverse(sumi_graph *graph, sumi_node x)
{
    int64_t last = layer_size(graph, x, 3) - 1;
    sumi_node reversed = sumi_op_slice(graph, x, 3, last, 1);
    for (int64_t i = last - 1; i >= 0; i--)
        reversed = sumi_op_concat(graph, reversed, sumi_op_slice(graph, x, 3, i, 1), 3);
    return reversed;
}

/* The picture of the condition, brought to the size of x by convolutions that halve it. */
static sumi_node embed(sumi_graph *graph, const struct controlnet *control, sumi_node picture,
                       sumi_node x)
{
    static const char parent[] = "controlnet_cond_embedding";
    struct layer_window same = layer_same(2, 3), half = same;
    char name[NAME_SIZE];
    half.stride = 2;
    sumi_node h = control->reversed ? reverse(graph, picture) : picture;
    layer_name(name, parent, "conv_in");
    h = sumi_op_silu(graph, layer_convolution(graph, name, h, control->hint[0], &same));
    for (int i = 0; i + 1 < control->hint_layers; i++) {
        layer_name(name, parent, "blocks.%d", 2 * i);
        h = sumi_op_silu(graph, layer_convolution(graph, name, h, control->hint[i], &same));
        layer_name(name, parent, "blocks.%d", 2 * i + 1);
        h = sumi_op_silu(graph, layer_convolution(graph, name, h, control->hint[i + 1], &half));
    }
    layer_name(name, parent, "conv_out");
    h = layer_convolution_zero(graph, name, h, control->unet.down[0].channels, &same);
    if (h < 0
        || (layer_size(graph, h, 1) == layer_size(graph, x, 1)
            && layer_size(graph, h, 2) == layer_size(graph, x, 2)))
        return h;
    graph_fail(graph,
               "ControlNetModel: the input \"control\" should be %d times the size of x in each "
               "direction, which is %lldx%lld, not %lldx%lld",
               1 << (control->hint_layers - 1), (long long)layer_size(graph, x, 1),
               (long long)layer_size(graph, x, 2), (long long)layer_size(graph, picture, 1),
               (long long)layer_size(graph, picture, 2));
    return -1;
}

/* Residual `number`, from what the U-Net's block gives. */
static sumi_node finish(sumi_graph *graph, const struct controlnet *control, const char *name,
                        int number, sumi_node x, sumi_node scales)
{
    enum { PIXELS = 1 << 1 | 1 << 2 };
    const struct layer_window point = layer_same(2, 1);
    x = layer_convolution_zero(graph, name, x, layer_size(graph, x, 3), &point);
    if (scales >= 0) {
        sumi_node scale = sumi_op_slice(graph, scales, 0, number, 1);
        x = sumi_op_multiply(graph, x, sumi_op_reshape(graph, scale, 4, (int64_t[]){1, 1, 1, 1}));
    }
    return control->pooled ? sumi_op_mean(graph, x, PIXELS) : x;
}

bool controlnet_build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes,
                      sumi_node scales, struct controlnet_output *output)
{
    const struct controlnet *control = net->settings;
    struct unet_builder builder = {.graph = graph, .unet = &control->unet};
    output->count = control->residuals;
    if (!net_check_nodes(net, graph, nodes)) return false;
    sumi_node x = nodes->at[NET_X], picture = nodes->at[net_find_input(net, "control")];
    sumi_node embedding = unet_condition_begin(net, nodes, &builder);
    if (!unet_begin(&builder, net, embedding, x)) return false;
    sumi_node hint = embed(graph, control, picture, x);
    if (hint < 0) return false;
    sumi_node mid = unet_build_mid(&builder, unet_build_way_down(&builder, x, hint));
    for (int i = 0; i < output->count; i++) {
        char name[NAME_SIZE];
        layer_name(name, "controlnet_down_blocks", "%d", i);
        output->down[i] = finish(graph, control, name, i, builder.skips[i], scales);
    }
    output->mid = finish(graph, control, "controlnet_mid_block", output->count, mid, scales);
    return sumi_graph_status(graph) == SUMI_OK;
}
