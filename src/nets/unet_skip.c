/* SPDX-License-Identifier: Apache-2.0 */
/* The Skip blocks of NCSN++ (Song et al. 2021, appendix H): an image runs in parallel to the
   features, resampled with a binomial filter; each block adds one to the other. */
#include "nets/unet.h"

/* Along `axis` (1 or 2) of x[n,h,w,c]: x[i-1] + x[i], for every second i from 0 to the size, zero
   outside, so that the result has half the size plus one. */
static sumi_node pair_sums(sumi_graph *graph, sumi_node x, int axis, bool shifted)
{
    if (shifted) x = sumi_op_pad(graph, x, axis, 1, 1);
    return sumi_op_block_sum(graph, x, axis == 1 ? 2 : 1, axis == 2 ? 2 : 1);
}

/* y[i] = (x[2i-1] + 3 x[2i] + 3 x[2i+1] + x[2i+2]) / 8 along an axis. Since (1,3,3,1) is
   (1,1) * (1,2,1), that is twice the sum of pair i plus the sums of the two pairs that overlap
   it by half. */
static sumi_node fir_down_along(sumi_graph *graph, sumi_node x, int axis)
{
    int64_t half = layer_size(graph, x, axis) / 2;
    sumi_node pairs = pair_sums(graph, x, axis, false);
    sumi_node shifted = pair_sums(graph, x, axis, true);
    sumi_node around = sumi_op_add(graph, sumi_op_slice(graph, shifted, axis, 0, half),
                                   sumi_op_slice(graph, shifted, axis, 1, half));
    return sumi_op_add(graph, sumi_op_affine(graph, pairs, 0.25, 0),
                       sumi_op_affine(graph, around, 0.125, 0));
}

/* The transpose, times two: y[2i] = (x[i-1] + 3 x[i]) / 4, y[2i+1] = (3 x[i] + x[i+1]) / 4, which
   is the repeated x smoothed by (1,2,1) / 4. */
static sumi_node fir_up_along(sumi_graph *graph, sumi_node x, int axis)
{
    int64_t size = 2 * layer_size(graph, x, axis);
    sumi_node repeated = sumi_op_upsample(graph, x, axis == 1 ? 2 : 1, axis == 2 ? 2 : 1);
    sumi_node padded = sumi_op_pad(graph, repeated, axis, 1, 1);
    sumi_node around = sumi_op_add(graph, sumi_op_slice(graph, padded, axis, 0, size),
                                   sumi_op_slice(graph, padded, axis, 2, size));
    return sumi_op_add(graph, sumi_op_affine(graph, repeated, 0.5, 0),
                       sumi_op_affine(graph, around, 0.25, 0));
}

sumi_node unet_fir_down(sumi_graph *graph, sumi_node x)
{
    return fir_down_along(graph, fir_down_along(graph, x, 1), 2);
}

sumi_node unet_fir_up(sumi_graph *graph, sumi_node x)
{
    return fir_up_along(graph, fir_up_along(graph, x, 1), 2);
}

sumi_node unet_build_skip_down(struct unet_builder *builder, const char *name,
                               const struct unet_block *block, sumi_node x)
{
    sumi_graph *graph = builder->graph;
    char part[NAME_SIZE];
    struct layer_window point = layer_same(builder->unet->rank, 1);
    struct unet_resnet resnet = unet_block_resnet(builder->unet, block, block->layers);
    x = unet_build_resnet(builder, layer_name(part, name, "resnet_down"), &resnet, x);
    builder->side = unet_fir_down(graph, builder->side);
    sumi_node features = layer_convolution(graph, layer_name(part, name, "skip_conv"),
                                           builder->side, block->channels, &point);
    return sumi_op_add(graph, features, x);
}

sumi_node unet_build_skip_up(struct unet_builder *builder, const char *name,
                             const struct unet_block *block, sumi_node x)
{
    sumi_graph *graph = builder->graph;
    char part[NAME_SIZE];
    if (builder->side >= 0) builder->side = unet_fir_up(graph, builder->side);
    if (block->sampler == SAMPLER_NONE) return x;
    struct layer_window window = layer_same(builder->unet->rank, builder->unet->kernel);
    struct unet_resnet resnet = unet_block_resnet(builder->unet, block, block->layers);
    struct layer_norm norm = {resnet.groups_in, builder->unet->epsilon};
    sumi_node image = layer_group_norm(graph, layer_name(part, name, "skip_norm"), x, &norm, true);
    image = layer_convolution(graph, layer_name(part, name, "skip_conv"), image,
                              builder->unet->out_channels, &window);
    builder->side = builder->side >= 0 ? sumi_op_add(graph, builder->side, image) : image;
    return unet_build_resnet(builder, layer_name(part, name, "resnet_up"), &resnet, x);
}
