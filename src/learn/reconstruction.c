/* SPDX-License-Identifier: Apache-2.0 */
/* The terms of an auto-encoder's loss; see reconstruction.h. */
#include "learn/reconstruction.h"

/* x, of one element, as [1]. */
static sumi_node as_number(sumi_graph *graph, sumi_node x)
{
    const int64_t one = 1;
    return sumi_op_reshape(graph, x, 1, &one);
}

static unsigned all_axes(const sumi_graph *graph, sumi_node x)
{
    return (1u << graph_shape(graph, x)->rank) - 1;
}

sumi_node reconstruction_sum(sumi_graph *graph, sumi_node x)
{
    return x < 0 ? -1 : as_number(graph, sumi_op_sum(graph, x, all_axes(graph, x)));
}

sumi_node reconstruction_mean(sumi_graph *graph, sumi_node x)
{
    return x < 0 ? -1 : as_number(graph, sumi_op_mean(graph, x, all_axes(graph, x)));
}

/* KL(N(mean, variance) | N(0, 1)) = sum (mean^2 + variance - 1 - log variance) / 2 of each item,
   over all its latents (Kingma & Welling 2014, appendix B); the mean over items: [1]. */
static sumi_node build_divergence(sumi_graph *graph, sumi_node moments)
{
    sumi_node mean = auto_encoder_mean(graph, moments);
    sumi_node logs = auto_encoder_log_variance(graph, moments);
    sumi_node square = sumi_op_multiply(graph, mean, mean);
    sumi_node variance = sumi_op_affine(graph, sumi_op_exp(graph, logs), 1, -1);
    sumi_node each = sumi_op_subtract(graph, sumi_op_add(graph, square, variance), logs);
    if (each < 0) return -1;
    double items = (double)graph_shape(graph, each)->size[0];
    return sumi_op_affine(graph, reconstruction_sum(graph, each), 0.5 / items, 0);
}

struct reconstruction reconstruction_build(const struct auto_encoder *coder, sumi_graph *graph,
                                           int64_t items, const int64_t *picture)
{
    const int64_t whole[4] = {items, picture[0], picture[1], picture[2]};
    const int64_t small[4] = {items, picture[0] / coder->factor, picture[1] / coder->factor,
                              coder->latent_channels};
    struct reconstruction made = {.pictures = sumi_graph_input(graph, "pictures", 4, whole),
                                  .noise = sumi_graph_input(graph, "noise", 4, small)};
    sumi_node moments = auto_encoder_encode(coder, graph, made.pictures);
    sumi_node latents = auto_encoder_draw(graph, moments, made.noise);
    made.divergence = build_divergence(graph, moments);
    made.output = auto_encoder_decode(coder, graph, latents);
    return made;
}

sumi_node reconstruction_error(sumi_graph *graph, const struct reconstruction *reconstruction,
                               bool squared)
{
    sumi_node x = sumi_op_subtract(graph, reconstruction->output, reconstruction->pictures);
    if (squared) return reconstruction_mean(graph, sumi_op_multiply(graph, x, x));
    sumi_node below = sumi_op_relu(graph, sumi_op_affine(graph, x, -1, 0));
    return reconstruction_mean(graph, sumi_op_add(graph, sumi_op_relu(graph, x), below));
}
