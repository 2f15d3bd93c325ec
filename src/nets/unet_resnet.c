/* SPDX-License-Identifier: Apache-2.0 */
/* The residual layer of a U-Net (He et al. 2016, in the order norm, activation, convolution), with
   the time embedding between its two convolutions; as a sampler it changes the spatial size. */
#include "nets/unet.h"

static struct layer_norm norm_of(const struct unet_builder *builder, int64_t groups)
{
    return (struct layer_norm){groups, builder->unet->epsilon};
}

static sumi_node norm_and_activation(struct unet_builder *builder, const char *name, sumi_node x,
                                     int64_t groups)
{
    struct layer_norm norm = norm_of(builder, groups);
    enum layer_activation activation = builder->unet->activation;
    if (activation == LAYER_SILU) return layer_group_norm(builder->graph, name, x, &norm, true);
    x = layer_group_norm(builder->graph, name, x, &norm, false);
    return layer_activate(builder->graph, activation, x);
}

static sumi_node resample(struct unet_builder *builder, const struct unet_resnet *resnet,
                          sumi_node x)
{
    sumi_graph *graph = builder->graph;
    int64_t down = builder->unet->rank == 2 ? 2 : 1;
    switch (resnet->resample) {
    case RESAMPLE_NONE: break;
    case RESAMPLE_DOWN:
        if (resnet->fir) return unet_fir_down(graph, x);
        return sumi_op_affine(graph, sumi_op_block_sum(graph, x, down, 2), 0.5 / (double)down, 0);
    case RESAMPLE_UP:
        return resnet->fir ? unet_fir_up(graph, x) : sumi_op_upsample(graph, x, down, 2);
    }
    return x;
}

/* The second norm and activation with the time embedding as scale and shift: h (1 + scale) + shift
   after the norm (Dhariwal and Nichol 2021, AdaGN). This is a norm with weights for each item:
   weight (1 + scale) and bias (1 + scale) + shift, [n, c]. */
static sumi_node scale_shift_norm(struct unet_builder *builder, const char *name,
                                  const struct unet_resnet *resnet, sumi_node x, sumi_node time)
{
    sumi_graph *graph = builder->graph;
    const struct unet *unet = builder->unet;
    char part[NAME_SIZE];
    int64_t c = resnet->out;
    bool silu = unet->activation == LAYER_SILU;
    sumi_node weight =
        sumi_graph_weight(graph, layer_name(part, name, "norm2.weight"), 1, &c, SUMI_START_ONE, 0);
    sumi_node bias =
        sumi_graph_weight(graph, layer_name(part, name, "norm2.bias"), 1, &c, SUMI_START_ZERO, 0);
    sumi_node factor = sumi_op_affine(graph, sumi_op_slice(graph, time, 1, 0, c), 1, 1);
    sumi_node shift = sumi_op_slice(graph, time, 1, c, c);
    shift = sumi_op_add(graph, sumi_op_multiply(graph, factor, bias), shift);
    x = sumi_op_group_norm(graph, x, sumi_op_multiply(graph, factor, weight), shift,
                           resnet->groups_out, unet->epsilon, silu);
    return silu ? x : layer_activate(graph, unet->activation, x);
}

/* Adds the time embedding, if there is one, to x[n,h,w,out], and returns the input of the second
   convolution. */
static sumi_node let_time_in(struct unet_builder *builder, const char *name,
                             const struct unet_resnet *resnet, sumi_node x)
{
    sumi_graph *graph = builder->graph;
    bool scale_shift = builder->unet->scale_shift;
    char part[NAME_SIZE];
    if (builder->time < 0)
        return norm_and_activation(builder, layer_name(part, name, "norm2"), x, resnet->groups_out);
    sumi_node time = resnet->plain_time ? builder->plain_time : builder->time;
    time = layer_linear(graph, layer_name(part, name, "time_emb_proj"), time,
                        (scale_shift ? 2 : 1) * resnet->out);
    if (scale_shift) return scale_shift_norm(builder, name, resnet, x, time);
    x = sumi_op_add(graph, x, layer_over_pixels(graph, time));
    return norm_and_activation(builder, layer_name(part, name, "norm2"), x, resnet->groups_out);
}

sumi_node unet_build_resnet(struct unet_builder *builder, const char *name,
                            const struct unet_resnet *resnet, sumi_node x)
{
    sumi_graph *graph = builder->graph;
    const struct unet *unet = builder->unet;
    char part[NAME_SIZE];
    struct layer_window window = layer_same(unet->rank, unet->kernel);
    struct layer_window point = layer_same(unet->rank, 1);

    sumi_node h =
        norm_and_activation(builder, layer_name(part, name, "norm1"), x, resnet->groups_in);
    h = resample(builder, resnet, h);
    h = layer_convolution(graph, layer_name(part, name, "conv1"), h, resnet->out, &window);
    h = let_time_in(builder, name, resnet, h);
    if (unet->dropout > 0) h = sumi_op_dropout(graph, h, unet->dropout);
    h = layer_convolution(graph, layer_name(part, name, "conv2"), h, resnet->out, &window);

    x = resample(builder, resnet, x);
    if (resnet->shortcut) {
        x = layer_convolution(graph, layer_name(part, name, "conv_shortcut"), x, resnet->out,
                              &point);
    }
    sumi_node sum = sumi_op_add(graph, x, h);
    if (resnet->divisor != 1) sum = sumi_op_affine(graph, sum, 1 / resnet->divisor, 0);
    sumi_graph_mark(graph);
    return sum;
}
