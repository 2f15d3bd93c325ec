/* SPDX-License-Identifier: Apache-2.0 */
/* The discriminator of patches and its losses; see discriminator.h. */
#include "learn/discriminator.h"

#include "learn/reconstruction.h"
#include "nets/layers.h"
#include "ops/ops.h"

enum { KERNEL = 4, GROUPS = 8, MOST_WIDENINGS = 3 };
static const double SLOPE = 0.2, EPSILON = 1e-5, TINY = 1e-4, LARGEST_WEIGHT = 1e4;

int64_t discriminator_least_side(const struct discriminator *discriminator)
{
    int64_t side = 3; /* two layers of stride 1, each one place smaller */
    return side << discriminator->layers;
}

static sumi_node leaky(sumi_graph *graph, sumi_node x)
{
    sumi_node below = sumi_op_relu(graph, sumi_op_affine(graph, x, -1, 0));
    return sumi_op_subtract(graph, sumi_op_relu(graph, x), sumi_op_affine(graph, below, SLOPE, 0));
}

static sumi_node add_layer(sumi_graph *graph, int64_t number, sumi_node x, int64_t channels,
                           int64_t stride)
{
    char name[NAME_SIZE];
    const struct layer_window window = {2, KERNEL, stride, 1, 1};
    const struct layer_norm norm = {channels % GROUPS ? 1 : GROUPS, EPSILON};
    layer_name(name, "", "convolutions.%lld", (long long)number);
    x = layer_convolution(graph, name, x, channels, &window);
    if (number > 0) {
        layer_name(name, "", "norms.%lld", (long long)number);
        x = layer_group_norm(graph, name, x, &norm, false);
    }
    return leaky(graph, x);
}

sumi_node discriminator_build(const struct discriminator *discriminator, sumi_graph *graph,
                              sumi_node x)
{
    const struct layer_window window = {2, KERNEL, 1, 1, 1};
    int64_t channels = discriminator->channels, layers = discriminator->layers;
    graph->prefix = DISCRIMINATOR_PREFIX;
    for (int64_t i = 0; i <= layers; i++) {
        if (i > 0 && i <= MOST_WIDENINGS) channels *= 2;
        x = add_layer(graph, i, x, channels, i < layers ? 2 : 1);
    }
    x = layer_convolution(graph, "convolution_out", x, 1, &window);
    graph->prefix = NULL;
    return x;
}

/* E max(0, 1 + sign x). */
static sumi_node hinge(sumi_graph *graph, sumi_node x, double sign)
{
    return reconstruction_mean(graph, sumi_op_relu(graph, sumi_op_affine(graph, x, sign, 1)));
}

sumi_node discriminator_loss(const struct discriminator *discriminator, sumi_graph *graph,
                             sumi_node pictures, sumi_node reconstructions)
{
    sumi_node fixed = ops_stop_gradient(graph, reconstructions);
    sumi_node real = hinge(graph, discriminator_build(discriminator, graph, pictures), -1);
    sumi_node made = hinge(graph, discriminator_build(discriminator, graph, fixed), 1);
    return sumi_op_affine(graph, sumi_op_add(graph, real, made), 0.5, 0);
}

/* The norm of the derivative of a loss. */
static sumi_node slope(sumi_graph *graph, sumi_node loss, sumi_node last)
{
    sumi_node by = -1;
    if (loss < 0 || last < 0 || sumi_graph_gradients(graph, loss, 1, &last, &by) != SUMI_OK)
        return -1;
    return sumi_op_sqrt(graph, reconstruction_sum(graph, sumi_op_multiply(graph, by, by)));
}

sumi_node discriminator_weight(sumi_graph *graph, sumi_node error, sumi_node adversary,
                               sumi_node last)
{
    sumi_node below = sumi_op_affine(graph, slope(graph, adversary, last), 1, TINY);
    sumi_node ratio = sumi_op_divide(graph, slope(graph, error, last), below);
    sumi_node over = sumi_op_relu(graph, sumi_op_affine(graph, ratio, 1, -LARGEST_WEIGHT));
    return ops_stop_gradient(graph, sumi_op_subtract(graph, ratio, over));
}
