/* SPDX-License-Identifier: Apache-2.0 */
/* The forward pass of the U-Net (Ronneberger et al. 2015; as a denoiser Ho et al. 2020, appendix
   B): down blocks, the middle block, and up blocks with the skip connections of the down blocks. */
#include "nets/unet.h"

static bool check_size(sumi_graph *graph, const struct net *net, sumi_node x)
{
    const struct unet *unet = net->settings;
    int64_t multiple = unet_size_multiple(unet);
    for (int axis = 1; axis <= unet->rank; axis++) {
        int64_t size = layer_size(graph, x, axis);
        if (size % multiple == 0) continue;
        graph_fail(graph,
                   "%s: the spatial size should be a multiple of %lld (the network halves it %d "
                   "times), not %lld",
                   net->type->class_name, (long long)multiple, unet->levels - 1, (long long)size);
        return false;
    }
    return true;
}

/* The window of the first or last convolution, of the size `kernel` where it has one of its own. */
static struct layer_window window_of(const struct unet *unet, int64_t kernel)
{
    return layer_same(unet->rank, kernel ? kernel : unet->kernel);
}

/* Adds the residuals that a ControlNet computes for skip connections (Zhang et al. 2023). */
static void add_residuals(struct unet_builder *builder)
{
    for (int i = 0; builder->residuals && i < builder->skip_count && i < UNET_RESIDUALS; i++) {
        if (builder->residuals[i] < 0) continue;
        builder->skips[i] = sumi_op_add(builder->graph, builder->skips[i], builder->residuals[i]);
    }
}

static sumi_node build_mid(struct unet_builder *builder, sumi_node x)
{
    if (builder->unet->mid) x = unet_build_mid(builder, x);
    if (!builder->residuals || builder->residuals[UNET_RESIDUALS] < 0) return x;
    return sumi_op_add(builder->graph, x, builder->residuals[UNET_RESIDUALS]);
}

sumi_node unet_build_way_down(struct unet_builder *builder, sumi_node x, sumi_node hint)
{
    sumi_graph *graph = builder->graph;
    const struct unet *unet = builder->unet;
    struct layer_window in = window_of(unet, unet->kernel_in);
    builder->side = x;
    x = layer_convolution(graph, "conv_in", x, unet->down[0].channels, &in);
    if (hint >= 0) x = sumi_op_add(graph, x, hint);
    builder->skips[builder->skip_count++] = x;
    sumi_graph_mark(graph);
    for (int i = 0; i < unet->levels; i++) x = unet_build_down(builder, i, x);
    return x;
}

/* x[n,h,w,in] to [n,h,w,out]. */
static sumi_node build_path(struct unet_builder *builder, sumi_node x)
{
    sumi_graph *graph = builder->graph;
    const struct unet *unet = builder->unet;
    struct layer_window out = window_of(unet, unet->kernel_out);
    struct layer_norm norm = {unet->groups, unet->epsilon};

    x = unet_build_way_down(builder, x, -1);
    add_residuals(builder);
    x = build_mid(builder, x);
    builder->side = -1;
    for (int i = 0; i < unet->levels; i++) x = unet_build_up(builder, i, x);
    x = layer_group_norm(graph, "conv_norm_out", x, &norm, true);
    x = layer_convolution(graph, "conv_out", x, unet->out_channels, &out);
    return builder->side >= 0 ? sumi_op_add(graph, x, builder->side) : x;
}

/* A signal [n, length, c] as an image [n, 1, length, c], and back. */
static sumi_node to_image(sumi_graph *graph, sumi_node x)
{
    int64_t shape[4] = {layer_size(graph, x, 0), 1, layer_size(graph, x, 1),
                        layer_size(graph, x, 2)};
    return sumi_op_reshape(graph, x, 4, shape);
}

static sumi_node to_signal(sumi_graph *graph, sumi_node x)
{
    int64_t shape[3] = {layer_size(graph, x, 0), layer_size(graph, x, 2), layer_size(graph, x, 3)};
    return sumi_op_reshape(graph, x, 3, shape);
}

bool unet_begin(struct unet_builder *builder, const struct net *net, sumi_node embedding,
                sumi_node x)
{
    if (!check_size(builder->graph, net, x)) return false;
    builder->plain_time = embedding;
    builder->time = layer_activate(builder->graph, builder->unet->activation, embedding);
    return true;
}

sumi_node unet_build_with(struct unet_builder *builder, const struct net *net, sumi_node embedding,
                          const struct net_nodes *nodes)
{
    const struct unet *unet = builder->unet;
    sumi_graph *graph = builder->graph;
    sumi_node x = nodes->at[NET_X];
    if (!unet_begin(builder, net, embedding, x)) return -1;
    if (unet->extra_channels) x = sumi_op_concat(graph, x, nodes->at[net->like_x], 3);
    if (unet->rank == 1) x = to_image(graph, x);
    if (unet->center_input) x = sumi_op_affine(graph, x, 2, -1);
    x = build_path(builder, x);
    return x >= 0 && unet->rank == 1 ? to_signal(graph, x) : x;
}

sumi_node unet_build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const struct unet *unet = net->settings;
    struct unet_builder builder = {.graph = graph, .unet = unet};
    sumi_node embedding = time_embedding(graph, &unet->time, net, nodes);
    sumi_node y = unet_build_with(&builder, net, embedding, nodes);
    return time_scale_output(graph, &unet->time, nodes->at[NET_TIMES], y);
}
