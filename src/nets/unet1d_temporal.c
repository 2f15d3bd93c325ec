/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of UNet1DModel for trajectories (Janner et al. 2022, appendix C): residual layers of two
   convolutions of five taps, each with a norm of eight groups and Mish, with the time between
   them. */
#include "nets/unet1d_model.h"

static const struct layer_norm NORM = {8, 1e-5};

/* Convolution, norm, Mish under NAME. */
static sumi_node convolve(sumi_graph *graph, const char *name, sumi_node x, int64_t out)
{
    const struct layer_window window = layer_same(1, 5);
    char part[NAME_SIZE];
    x = layer_convolution(graph, layer_name(part, name, "conv1d"), x, out, &window);
    x = layer_group_norm(graph, layer_name(part, name, "group_norm"), x, &NORM, false);
    return sumi_op_mish(graph, x);
}

sumi_node unet1d_residual(const struct unet1d_block *block, const char *name, sumi_node x,
                          int64_t out)
{
    const struct layer_window point = layer_same(1, 1);
    sumi_graph *graph = block->graph;
    char part[NAME_SIZE];
    sumi_node time = sumi_op_mish(graph, block->time);
    time = layer_linear(graph, layer_name(part, name, "time_emb"), time, out);
    sumi_node h = convolve(graph, layer_name(part, name, "conv_in"), x, out);
    h = sumi_op_add(graph, h, layer_over_pixels(graph, time));
    h = convolve(graph, layer_name(part, name, "conv_out"), h, out);
    if (layer_size(graph, x, 3) != out)
        x = layer_convolution(graph, layer_name(part, name, "residual_conv"), x, out, &point);
    return sumi_op_add(graph, h, x);
}

sumi_node unet1d_shorten(sumi_graph *graph, const char *name, sumi_node x)
{
    struct layer_window window = layer_same(1, 3);
    char part[NAME_SIZE];
    window.stride = 2;
    layer_name(part, name, "conv");
    return layer_convolution(graph, part, x, layer_size(graph, x, 3), &window);
}

/* Doubles the length by the transposed convolution of four taps BLOCK.upsample.conv. */
static sumi_node lengthen(sumi_graph *graph, const char *block, sumi_node x)
{
    enum { TAPS = 4 };
    if (x < 0) return -1;
    int64_t c = layer_size(graph, x, 3), length = 2 * layer_size(graph, x, 2);
    const sumi_convolution geometry = {.stride = {1, 2}, .before = {0, 1}, .after = {0, 1}};
    char name[NAME_SIZE];
    double fan = (double)(c * TAPS);
    layer_name(name, block, "upsample.conv.weight");
    sumi_node weight =
        sumi_graph_weight(graph, name, 3, (int64_t[]){c, c, TAPS}, SUMI_START_FAN_IN, fan);
    weight = sumi_op_reshape(graph, weight, 4, (int64_t[]){c, c, 1, TAPS});
    layer_name(name, block, "upsample.conv.bias");
    sumi_node bias = sumi_graph_weight(graph, name, 1, &c, SUMI_START_FAN_IN, fan);
    x = sumi_op_convolution_transposed(graph, x, weight, &geometry, 1, length);
    return sumi_op_add(graph, x, sumi_op_reshape(graph, bias, 4, (int64_t[]){1, 1, 1, c}));
}

sumi_node unet1d_residuals(const struct unet1d_block *block, sumi_node x)
{
    char name[NAME_SIZE];
    for (int64_t i = 0; i <= block->layers; i++) {
        layer_name(name, block->name, "resnets.%lld", (long long)i);
        x = unet1d_residual(block, name, x, block->out);
    }
    sumi_graph_mark(block->graph);
    return x;
}

sumi_node unet1d_temporal_down(const struct unet1d_block *block, sumi_node x, sumi_node *skip)
{
    char name[NAME_SIZE];
    *skip = x = unet1d_residuals(block, x);
    if (!block->resampled) return x;
    return unet1d_shorten(block->graph, layer_name(name, block->name, "downsample"), x);
}

sumi_node unet1d_temporal_up(const struct unet1d_block *block, sumi_node x, sumi_node skip)
{
    x = unet1d_residuals(block, sumi_op_concat(block->graph, x, skip, 3));
    return block->resampled ? lengthen(block->graph, block->name, x) : x;
}
