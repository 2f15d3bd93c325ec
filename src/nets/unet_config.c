/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a U-Net's config.json. The keys and their meaning are diffusers'. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "nets/unet.h"

static const struct unet_block_kind down_kinds[] = {
    {.name = "DownBlock", .sampler = SAMPLER_CONVOLUTION},
    {.name = "AttnDownBlock", .attention = true, .by_option = true},
    {.name = "ResnetDownsampleBlock", .sampler = SAMPLER_RESNET},
    {.name = "CrossAttnDownBlock", .sampler = SAMPLER_CONVOLUTION, .crossing = CROSS_TRANSFORMER},
    {.name = "SimpleCrossAttnDownBlock", .sampler = SAMPLER_RESNET, .crossing = CROSS_SIMPLE},
    {.name = "SkipDownBlock", .sampler = SAMPLER_FIR, .side_image = true},
    {.name = "AttnSkipDownBlock", .attention = true, .sampler = SAMPLER_FIR, .side_image = true}};
static const struct unet_block_kind up_kinds[] = {
    {.name = "UpBlock", .sampler = SAMPLER_CONVOLUTION},
    {.name = "AttnUpBlock", .attention = true, .by_option = true},
    {.name = "ResnetUpsampleBlock", .sampler = SAMPLER_RESNET},
    {.name = "CrossAttnUpBlock", .sampler = SAMPLER_CONVOLUTION, .crossing = CROSS_TRANSFORMER},
    {.name = "SimpleCrossAttnUpBlock", .sampler = SAMPLER_RESNET, .crossing = CROSS_SIMPLE},
    {.name = "SkipUpBlock", .sampler = SAMPLER_FIR, .side_image = true},
    {.name = "AttnSkipUpBlock", .attention = true, .sampler = SAMPLER_FIR, .side_image = true}};
enum { KIND_COUNT = 7, KIND_NAME = 32 };

/* Skip blocks exist only for images, and those that attend to a text only in the class that has
   one. */
static bool is_of(const struct unet_block_kind *kind, const struct unet *unet)
{
    if (kind->side_image) return unet->rank == 2 && !unet->conditional;
    return kind->crossing == CROSS_NONE || unet->conditional;
}

const struct unet_block_kind *unet_find_block(struct config *config, const char *name, bool up,
                                              const struct unet *unet)
{
    static const char old_prefix[] = "UNetRes"; /* of early diffusers files */
    const struct unet_block_kind *kinds = up ? up_kinds : down_kinds;
    char texts[KIND_COUNT][KIND_NAME];
    const char *names[KIND_COUNT + 1] = {NULL};
    int known = 0;
    if (strncmp(name, old_prefix, sizeof old_prefix - 1) == 0) name += sizeof old_prefix - 1;
    for (int i = 0; i < KIND_COUNT; i++) {
        if (!is_of(&kinds[i], unet)) continue;
        snprintf(texts[known], KIND_NAME, "%s%dD", kinds[i].name, unet->rank);
        if (strcmp(name, texts[known]) == 0) return &kinds[i];
        names[known] = texts[known];
        known++;
    }
    config_fail(config, "\"%.80s\" is not a block of %s; did you mean \"%s\"?", name,
                up ? "\"up_block_types\"" : "\"down_block_types\"", text_nearest(name, names));
    return &kinds[0];
}

static enum unet_sampler read_sampler(struct config *config, const char *key)
{
    static const char *const names[] = {"conv", "resnet", NULL};
    return config_choice(config, key, names) == 0 ? SAMPLER_CONVOLUTION : SAMPLER_RESNET;
}

/* Reads the block's kind and its sampler; `last` blocks keep the spatial size. */
static void read_kind(struct config *config, struct unet_block *block, int place,
                      const struct unet *unet, bool last, enum unet_sampler option)
{
    const char *key = block->up ? "up_block_types" : "down_block_types";
    block->kind = unet_find_block(config, config_text_at(config, key, place), block->up, unet);
    block->sampler = block->kind->by_option ? option : block->kind->sampler;
    if (last) block->sampler = SAMPLER_NONE;
}

/* The sampler of kinds that leave it to an option, which classes without the option have by
   convolution. */
static enum unet_sampler read_option(struct config *config, const struct unet *unet,
                                     const char *key)
{
    return unet->conditional ? SAMPLER_CONVOLUTION : read_sampler(config, key);
}

void unet_read_levels(struct config *config, struct unet *unet)
{
    int down = config_length(config, "down_block_types", UNET_LEVELS);
    int up = config_length(config, "up_block_types", UNET_LEVELS);
    int levels = config_length(config, "block_out_channels", UNET_LEVELS);
    if (down != levels || up != levels) {
        config_fail(config,
                    "\"block_out_channels\" has %d entries, \"down_block_types\" %d and "
                    "\"up_block_types\" %d; they should have the same number",
                    levels, down, up);
    }
    if (config->status != SUMI_OK) return;
    unet->levels = levels;
    enum unet_sampler down_option = read_option(config, unet, "downsample_type");
    enum unet_sampler up_option = read_option(config, unet, "upsample_type");
    for (int i = 0; i < levels; i++) {
        struct unet_block *block = &unet->down[i];
        block->channels = config_whole_at(config, "block_out_channels", i, 1, UNET_CHANNELS);
        block->before = i == 0 ? block->channels : unet->down[i - 1].channels;
        block->layers = unet->layers;
        block->head_width = unet->head_width;
        read_kind(config, block, i, unet, i == levels - 1, down_option);
    }
    for (int i = 0; i < levels; i++) {
        struct unet_block *block = &unet->up[i];
        int mirror = levels - 1 - i;
        block->up = true;
        block->channels = unet->down[mirror].channels;
        block->before = i == 0 ? block->channels : unet->up[i - 1].channels;
        block->last_skip = unet->down[mirror].before;
        block->layers = unet->layers + 1;
        block->head_width = unet->head_width;
        read_kind(config, block, i, unet, i == levels - 1, up_option);
    }
}

static void read_mid(struct config *config, struct unet *unet)
{
    char name[KIND_NAME];
    const char *const names[] = {name, NULL};
    snprintf(name, sizeof name, "UNetMidBlock%dD", unet->rank);
    unet->mid = !config_is_null(config, "mid_block_type");
    if (unet->mid) config_choice(config, "mid_block_type", names);
    unet->mid_divisor = config_number(config, "mid_block_scale_factor", 1e-6, 1e6);
    unet->mid_attention = config_flag(config, "add_attention");
    unet->mid_groups = config_whole_or(config, "attn_norm_num_groups", 1, UNET_CHANNELS,
                                       unet->scale_shift ? 0 : unet->groups);
}

static void read_layers(struct config *config, struct unet *unet)
{
    static const char *const shifts[] = {"default", "scale_shift", NULL};
    unet->in_channels = config_whole(config, "in_channels", 1, UNET_CHANNELS);
    unet->out_channels = config_whole(config, "out_channels", 1, UNET_CHANNELS);
    unet->center_input = config_flag(config, "center_input_sample");
    unet->layers = config_whole(config, "layers_per_block", 1, UNET_LAYERS);
    unet->down_padding = config_whole(config, "downsample_padding", 0, 1);
    unet->groups = config_whole(config, "norm_num_groups", 1, UNET_CHANNELS);
    unet->head_width = config_whole_or(config, "attention_head_dim", 1, UNET_CHANNELS, 0);
    unet->epsilon = config_number(config, "norm_eps", 1e-12, 1);
    unet->dropout = config_number(config, "dropout", 0, 0.999);
    unet->scale_shift = config_choice(config, "resnet_time_scale_shift", shifts) == 1;
    unet->activation = layer_activation_read(config, "act_fn");
    if (unet->rank == 1) unet->kernel = config_whole(config, "kernel_size", 3, 5);
    if (unet->rank == 1 && unet->kernel == 4) {
        config_fail(config, "\"kernel_size\" should be 3 or 5, not 4");
    }
}

/* Reads sample_size, one number or (for images) height and width, to net->item_shape. */
static void read_size(struct config *config, const struct unet *unet, struct net *net)
{
    const char *key = "sample_size";
    json_object *value = json_object_object_get(config->object, key);
    if (!value) return;
    bool pair = unet->rank == 2 && json_object_is_type(value, json_type_array);
    if (pair && json_object_array_length(value) != 2) {
        config_fail(config, "\"%s\" should be a number or [height, width]", key);
    }
    for (int i = 0; i < unet->rank; i++) {
        int64_t size = pair ? config_whole_at(config, key, i, 1, NET_SIZE)
                            : config_whole(config, key, 1, NET_SIZE);
        int64_t multiple = net->size_multiple;
        if (size % multiple) {
            config_fail(
                config,
                "\"%s\" should be a multiple of %lld (the network halves it %d times), not %lld",
                key, (long long)multiple, unet->levels - 1, (long long)size);
        }
        net->item_shape[i] = size;
    }
}

/* Input channels of a picture beyond those of the output are no part of the state that is denoised:
   a mask and a masked picture, or a smaller one. */
static void declare_extra(const struct unet *unet, struct net *net)
{
    if (!unet->extra_channels) return;
    net->like_x = net->input_count;
    net_declare(net, &(sumi_input){.name = "extra_channels",
                                   .rank = 4,
                                   .shape = {0, 0, 0, unet->extra_channels}});
}

void unet_declare(struct config *config, struct unet *unet, struct net *net)
{
    int64_t shape[3] = {0}; /* 0 until sample_size is read */
    bool extra = unet->rank == 2 && unet->in_channels > unet->out_channels;
    unet->extra_channels = extra ? unet->in_channels - unet->out_channels : 0;
    shape[unet->rank] = unet->in_channels - unet->extra_channels;
    net_declare_item(net, unet->rank == 2 ? SUMI_PICTURE : SUMI_SIGNAL, shape);
    time_read(config, unet->down[0].channels, &unet->time, net);
    declare_extra(unet, net); /* after the class */
    net->size_multiple = unet_size_multiple(unet);
    read_size(config, unet, net);
    net->out_channels = unet->out_channels;
}

void unet_read(struct config *config, struct net *net, int rank)
{
    struct unet *unet = net->settings;
    unet->rank = rank;
    unet->kernel = 3;
    read_layers(config, unet);
    unet_read_levels(config, unet);
    read_mid(config, unet);
    if (config->status != SUMI_OK) return;
    unet_declare(config, unet, net);
    if (config->status == SUMI_OK) unet_check(config, unet);
}
