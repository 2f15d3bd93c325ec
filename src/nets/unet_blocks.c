/* SPDX-License-Identifier: Apache-2.0 */
/* The down, middle and up blocks of a U-Net: residual layers, each followed by attention where the
   kind has it, then a sampler. Down blocks push skip connections, up blocks pop them. */
#include "nets/unet.h"

static void push_skip(struct unet_builder *builder, sumi_node x)
{
    builder->skips[builder->skip_count++] = x;
}

static sumi_node pop_skip(struct unet_builder *builder)
{
    return builder->skips[--builder->skip_count];
}

/* Attention after a residual layer, in blocks that have it. */
static sumi_node build_attention(struct unet_builder *builder, const char *block_name,
                                 const struct unet_block *block, int64_t place, sumi_node x)
{
    char name[NAME_SIZE];
    if (!block->kind->attention && !block->kind->crossing) return x;
    struct unet_attention attention = unet_block_attention(builder->unet, block);
    layer_name(name, block_name, "attentions.%lld", (long long)place);
    if (block->kind->crossing) {
        return unet_build_cross(builder, name, block->kind->crossing, &attention, &block->cross, x);
    }
    return unet_build_attention(builder, name, &attention, x);
}

static sumi_node build_resnet(struct unet_builder *builder, const char *block_name,
                              const struct unet_block *block, int64_t place, sumi_node x)
{
    char name[NAME_SIZE];
    struct unet_resnet resnet = unet_block_resnet(builder->unet, block, place);
    if (place < block->layers) layer_name(name, block_name, "resnets.%lld", (long long)place);
    else layer_name(name, block_name, block->up ? "upsamplers.0" : "downsamplers.0");
    return unet_build_resnet(builder, name, &resnet, x);
}

/* Halves h and w by a convolution of stride two. */
static sumi_node convolve_down(struct unet_builder *builder, const char *block_name, sumi_node x)
{
    const struct unet *unet = builder->unet;
    char name[NAME_SIZE];
    struct layer_window window = layer_same(unet->rank, unet->kernel);
    window.stride = 2;
    if (unet->down_padding == 0) window.before--;
    layer_name(name, block_name, "downsamplers.0.conv");
    return layer_convolution(builder->graph, name, x, layer_size(builder->graph, x, 3), &window);
}

/* Doubles h and w by repeating pixels, then convolves. */
static sumi_node convolve_up(struct unet_builder *builder, const char *block_name, sumi_node x)
{
    const struct unet *unet = builder->unet;
    char name[NAME_SIZE];
    struct layer_window window = layer_same(unet->rank, unet->kernel);
    layer_name(name, block_name, "upsamplers.0.conv");
    x = sumi_op_upsample(builder->graph, x, unet->rank == 2 ? 2 : 1, 2);
    return layer_convolution(builder->graph, name, x, layer_size(builder->graph, x, 3), &window);
}

sumi_node unet_build_down(struct unet_builder *builder, int level, sumi_node x)
{
    const struct unet_block *block = &builder->unet->down[level];
    char name[NAME_SIZE];
    layer_name(name, "", "down_blocks.%d", level);
    for (int64_t i = 0; i < block->layers; i++) {
        x = build_resnet(builder, name, block, i, x);
        x = build_attention(builder, name, block, i, x);
        push_skip(builder, x);
    }
    switch (block->sampler) {
    case SAMPLER_NONE: return x;
    case SAMPLER_CONVOLUTION: x = convolve_down(builder, name, x); break;
    case SAMPLER_RESNET: x = build_resnet(builder, name, block, block->layers, x); break;
    case SAMPLER_FIR: x = unet_build_skip_down(builder, name, block, x); break;
    }
    push_skip(builder, x);
    return x;
}

sumi_node unet_build_mid(struct unet_builder *builder, sumi_node x)
{
    const struct unet *unet = builder->unet;
    struct unet_resnet resnet = unet_mid_resnet(unet);
    struct unet_attention attention = unet_mid_attention(unet);
    x = unet_build_resnet(builder, "mid_block.resnets.0", &resnet, x);
    if (unet->mid_single) return x;
    if (unet->mid_crossing) {
        x = unet_build_cross(builder, "mid_block.attentions.0", unet->mid_crossing, &attention,
                             &unet->mid_cross, x);
    } else if (unet->mid_attention) {
        x = unet_build_attention(builder, "mid_block.attentions.0", &attention, x);
    }
    return unet_build_resnet(builder, "mid_block.resnets.1", &resnet, x);
}

sumi_node unet_build_up(struct unet_builder *builder, int level, sumi_node x)
{
    const struct unet_block *block = &builder->unet->up[level];
    bool side = block->kind->side_image;
    char name[NAME_SIZE];
    layer_name(name, "", "up_blocks.%d", level);
    for (int64_t i = 0; i < block->layers; i++) {
        x = sumi_op_concat(builder->graph, x, pop_skip(builder), 3);
        x = build_resnet(builder, name, block, i, x);
        if (!side) x = build_attention(builder, name, block, i, x);
    }
    if (side) x = build_attention(builder, name, block, 0, x);
    if (side) return unet_build_skip_up(builder, name, block, x);
    switch (block->sampler) {
    case SAMPLER_CONVOLUTION: return convolve_up(builder, name, x);
    case SAMPLER_RESNET: return build_resnet(builder, name, block, block->layers, x);
    case SAMPLER_NONE:
    case SAMPLER_FIR: break;
    }
    return x;
}
