/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of each layer of a U-Net (channels, groups, heads), for the builder and for the checks
   that refuse a config before anything is built. The numbers of groups in Skip blocks are those of
   diffusers, including an irregular one in the attention variant of the up path. */
#include <math.h>

#include "nets/unet.h"

enum { SKIP_GROUPS = 32, IMAGE_CHANNELS = 3 };
static const double PARAMETER_LIMIT = 8589934592.0; /* 2^33, more than any published U-Net has */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Groups of the first norm of a layer in a Skip block that takes `in` channels, `skip` of them
   from the skip connection. */
static int64_t side_groups(const struct unet_block *block, int64_t in, int64_t skip)
{
    if (block->up && block->kind->attention) return smaller(in - skip + skip / 4, SKIP_GROUPS);
    return smaller(in / 4, SKIP_GROUPS);
}

static struct unet_resnet sampler_resnet(const struct unet *unet, const struct unet_block *block)
{
    bool fir = block->sampler == SAMPLER_FIR;
    bool divides = unet->conditional; /* else only Skip blocks divide */
    int64_t groups = fir ? smaller(block->channels / 4, SKIP_GROUPS) : unet->groups;
    return (struct unet_resnet){.in = block->channels,
                                .out = block->channels,
                                .groups_in = groups,
                                .groups_out = groups,
                                .divisor = fir       ? sqrt(2)
                                           : divides ? unet->sampler_divisor
                                                     : 1,
                                .plain_time = unet->plain_time,
                                .resample = block->up ? RESAMPLE_UP : RESAMPLE_DOWN,
                                .fir = fir,
                                .shortcut = fir};
}

struct unet_resnet unet_block_resnet(const struct unet *unet, const struct unet_block *block,
                                     int64_t layer)
{
    if (layer == block->layers) return sampler_resnet(unet, block);
    int64_t in = layer == 0 ? block->before : block->channels, skip = 0;
    if (block->up) skip = layer == block->layers - 1 ? block->last_skip : block->channels;
    in += skip;
    struct unet_resnet resnet = {.in = in,
                                 .out = block->channels,
                                 .groups_in = unet->groups,
                                 .groups_out = unet->groups,
                                 .divisor = 1,
                                 .shortcut = in != block->channels};
    if (unet->conditional && block->kind->sampler == SAMPLER_RESNET) {
        resnet.divisor = unet->sampler_divisor;
        resnet.plain_time = unet->plain_time;
    }
    if (block->kind->side_image) {
        resnet.groups_in = side_groups(block, in, skip);
        resnet.groups_out = smaller(block->channels / 4, SKIP_GROUPS);
        resnet.divisor = sqrt(2);
    }
    return resnet;
}

struct unet_resnet unet_mid_resnet(const struct unet *unet)
{
    int64_t channels = unet->down[unet->levels - 1].channels;
    return (struct unet_resnet){.in = channels,
                                .out = channels,
                                .groups_in = unet->groups,
                                .groups_out = unet->groups,
                                .divisor = unet->mid_divisor,
                                .plain_time =
                                    unet->plain_time && unet->mid_crossing == CROSS_SIMPLE};
}

static struct unet_attention attention_over(const struct unet *unet, int64_t channels,
                                            int64_t head_width)
{
    int64_t width = head_width ? head_width : channels;
    return (struct unet_attention){.channels = channels,
                                   .heads = channels / width,
                                   .head_width = width,
                                   .groups = unet->groups,
                                   .divisor = 1};
}

struct unet_attention unet_block_attention(const struct unet *unet, const struct unet_block *block)
{
    struct unet_attention attention = attention_over(unet, block->channels, block->head_width);
    if (block->kind->side_image) {
        attention.groups = SKIP_GROUPS;
        attention.divisor = sqrt(2);
    }
    return attention;
}

struct unet_attention unet_mid_attention(const struct unet *unet)
{
    const struct unet_block *last = &unet->down[unet->levels - 1];
    struct unet_attention attention = attention_over(unet, last->channels, unet->head_width);
    attention.groups = unet->mid_groups;
    attention.divisor = unet->mid_divisor;
    return attention;
}

int64_t unet_skip_channels(const struct unet *unet, int64_t channels[UNET_SKIPS])
{
    int64_t count = 0;
    channels[count++] = unet->down[0].channels;
    for (int i = 0; i < unet->levels; i++) {
        const struct unet_block *block = &unet->down[i];
        int64_t skips = block->layers + (block->sampler != SAMPLER_NONE);
        for (int64_t k = 0; k < skips; k++) channels[count++] = block->channels;
    }
    return count;
}

int64_t unet_size_multiple(const struct unet *unet)
{
    return (int64_t)1 << (unet->levels - 1);
}

/* ---- checks ---- */

static void check_groups(struct config *config, const char *where, int64_t channels, int64_t groups)
{
    if (groups >= 1 && channels % groups == 0) return;
    config_fail(config, "%s normalises %lld channels in %lld groups, which do not divide them",
                where, (long long)channels, (long long)groups);
}

static void check_resnet(struct config *config, const char *where, const struct unet_resnet *resnet)
{
    check_groups(config, where, resnet->in, resnet->groups_in);
    check_groups(config, where, resnet->out, resnet->groups_out);
}

static void check_attention(struct config *config, const char *where,
                            const struct unet_attention *attention)
{
    if (attention->groups) check_groups(config, where, attention->channels, attention->groups);
    if (attention->heads >= 1) return;
    config_fail(config, "\"attention_head_dim\" is %lld, but %s has only %lld channels",
                (long long)attention->head_width, where, (long long)attention->channels);
}

static void check_cross(struct config *config, const char *where, int64_t channels,
                        const struct unet_cross *cross)
{
    if (cross->heads <= channels) return;
    config_fail(config, "%s has %lld heads (\"attention_head_dim\") for %lld channels", where,
                (long long)cross->heads, (long long)channels);
}

static void check_block(struct config *config, const struct unet *unet,
                        const struct unet_block *block, int place)
{
    char where[NAME_SIZE];
    layer_name(where, "", "%s_blocks.%d", block->up ? "up" : "down", place);
    int64_t last = block->layers;
    if (block->sampler == SAMPLER_NONE || block->sampler == SAMPLER_CONVOLUTION) last--;
    for (int64_t i = 0; i <= last; i++) {
        struct unet_resnet resnet = unet_block_resnet(unet, block, i);
        check_resnet(config, where, &resnet);
    }
    if (block->kind->attention || block->kind->crossing == CROSS_SIMPLE) {
        struct unet_attention attention = unet_block_attention(unet, block);
        check_attention(config, where, &attention);
    }
    if (block->kind->crossing == CROSS_TRANSFORMER)
        check_cross(config, where, block->channels, &block->cross);
}

/* The side image has three channels, and each Skip block resamples it by one level: they must be
   the first down blocks and the last up blocks. */
static void check_side_image(struct config *config, const struct unet *unet)
{
    bool seen_other = false, side = false;
    for (int i = 0; i < unet->levels; i++) {
        bool uses = unet->down[i].sampler == SAMPLER_FIR;
        if (uses && seen_other) {
            config_fail(config,
                        "down_blocks.%d, a Skip block, cannot follow a block of another "
                        "kind",
                        i);
        }
        if (uses && unet->in_channels != IMAGE_CHANNELS) {
            config_fail(config, "Skip blocks need \"in_channels\" 3, not %lld",
                        (long long)unet->in_channels);
        }
        seen_other |= !unet->down[i].kind->side_image;
    }
    for (int i = 0; i < unet->levels; i++) {
        if (side && !unet->up[i].kind->side_image) {
            config_fail(config, "up_blocks.%d follows a Skip block, but is not one itself", i);
        }
        side |= unet->up[i].sampler == SAMPLER_FIR;
    }
    if (side && unet->out_channels != IMAGE_CHANNELS) {
        config_fail(config, "Skip blocks need \"out_channels\" 3, not %lld",
                    (long long)unet->out_channels);
    }
}

/* The approximate number of parameters of an attention to the text. */
static double cross_parameters(const struct unet *unet, int64_t channels,
                               const struct unet_cross *cross)
{
    double c = (double)channels, states = (double)unet->states;
    return (double)cross->depth * c * (16 * c + 2 * states);
}

/* The approximate number of parameters of the block's layers. */
static double block_parameters(const struct unet *unet, const struct unet_block *block)
{
    double taps = pow((double)unet->kernel, unet->rank), sum = 0;
    for (int64_t i = 0; i < block->layers; i++) {
        struct unet_resnet resnet = unet_block_resnet(unet, block, i);
        sum += taps * (double)resnet.out * (double)(resnet.in + resnet.out);
        sum += (double)resnet.out * (double)unet->time.width;
    }
    if (block->kind->crossing)
        sum += (double)block->layers * cross_parameters(unet, block->channels, &block->cross);
    return sum;
}

void unet_check_parameters(struct config *config, double count)
{
    if (count <= PARAMETER_LIMIT) return;
    config_fail(config, "a network of %.3g parameters is more than the %.3g allowed", count,
                PARAMETER_LIMIT);
}

static void check_parameters(struct config *config, const struct unet *unet)
{
    double sum = (double)unet->time.width * (double)(unet->time.width + unet->added);
    if (unet->mid_crossing)
        sum += cross_parameters(unet, unet->down[unet->levels - 1].channels, &unet->mid_cross);
    for (int i = 0; i < unet->levels; i++) {
        sum += block_parameters(unet, &unet->down[i]) + block_parameters(unet, &unet->up[i]);
    }
    unet_check_parameters(config, sum);
}

void unet_check(struct config *config, const struct unet *unet)
{
    for (int i = 0; i < unet->levels; i++) check_block(config, unet, &unet->down[i], i);
    for (int i = 0; i < unet->levels; i++) check_block(config, unet, &unet->up[i], i);
    if (unet->mid) {
        struct unet_resnet resnet = unet_mid_resnet(unet);
        struct unet_attention attention = unet_mid_attention(unet);
        check_resnet(config, "mid_block", &resnet);
        if (unet->mid_attention || unet->mid_crossing == CROSS_SIMPLE)
            check_attention(config, "mid_block", &attention);
        if (unet->mid_crossing == CROSS_TRANSFORMER)
            check_cross(config, "mid_block", attention.channels, &unet->mid_cross);
    }
    check_groups(config, "conv_norm_out", unet->down[0].channels, unet->groups);
    check_side_image(config, unet);
    check_parameters(config, unet);
}
