/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of a U-Net to the states of a text (Rombach et al. 2022, 3.3): transformers of the
   pixels, whose blocks attend to the pixels and then to the text; and the simple form, one
   attention of the pixels to the text and to each other. */
#include <math.h>

#include "nets/unet.h"

static const double NORM_EPSILON = 1e-6; /* of the norm before a transformer */
static const double EPSILON = 1e-5;      /* of the other norms */
enum { WIDENING = 4 };                   /* of the feed-forward network */

/* ---- Transformers ---- */

struct transforming {
    struct unet_builder *builder;
    const struct unet_cross *cross;
    int64_t width; /* of all heads */
};

/* Attention of x to `context`, with a bias of scores or -1. */
static sumi_node attend(const struct transforming *t, const char *name, sumi_node x,
                        sumi_node context, sumi_node bias)
{
    const struct layer_linear plain = {false, LAYER_START_TORCH};
    sumi_graph *graph = t->builder->graph;
    char part[NAME_SIZE];
    double scale = 1 / sqrt((double)(t->width / t->cross->heads));
    sumi_node q = layer_linear_of(graph, layer_name(part, name, "to_q"), x, t->width, &plain);
    sumi_node k = layer_linear_of(graph, layer_name(part, name, "to_k"), context, t->width, &plain);
    sumi_node v = layer_linear_of(graph, layer_name(part, name, "to_v"), context, t->width, &plain);
    sumi_node h = sumi_op_attention_masked(graph, q, k, v, bias, false, t->cross->heads, scale);
    return layer_linear(graph, layer_name(part, name, "to_out.0"), h, t->width);
}

static sumi_node feed(const struct transforming *t, const char *name, sumi_node x)
{
    sumi_graph *graph = t->builder->graph;
    char part[NAME_SIZE];
    x = layer_linear(graph, layer_name(part, name, "net.0.proj"), x, 2 * WIDENING * t->width);
    return layer_linear(graph, layer_name(part, name, "net.2"), sumi_op_geglu(graph, x), t->width);
}

/* A block of a transformer: x[n, pixels, width]. */
static sumi_node build_block(const struct transforming *t, const char *name, sumi_node x)
{
    sumi_graph *graph = t->builder->graph;
    sumi_node states = t->builder->states;
    char part[NAME_SIZE];
    sumi_node h = layer_layer_norm(graph, layer_name(part, name, "norm1"), x, EPSILON);
    h = attend(t, layer_name(part, name, "attn1"), h, t->cross->only_text ? states : h, -1);
    x = sumi_op_add(graph, h, x);
    h = layer_layer_norm(graph, layer_name(part, name, "norm2"), x, EPSILON);
    h = attend(t, layer_name(part, name, "attn2"), h, states, t->builder->states_bias);
    x = sumi_op_add(graph, h, x);
    h = layer_layer_norm(graph, layer_name(part, name, "norm3"), x, EPSILON);
    return sumi_op_add(graph, feed(t, layer_name(part, name, "ff"), h), x);
}

/* The projections around a transformer are linear layers or 1x1 convolutions, which compute the
   same with weights of another shape. x and the result are [n,h,w,c]. */
static sumi_node project(const struct transforming *t, const char *name, sumi_node x, int64_t out)
{
    const struct layer_window point = layer_same(2, 1);
    sumi_graph *graph = t->builder->graph;
    if (t->builder->unet->linear_projection) return layer_linear(graph, name, x, out);
    return layer_convolution(graph, name, x, out, &point);
}

static sumi_node build_transformer(struct unet_builder *builder, const char *name,
                                   const struct unet_cross *cross, sumi_node x)
{
    sumi_graph *graph = builder->graph;
    if (x < 0) return -1;
    const struct layer_norm norm = {builder->unet->groups, NORM_EPSILON};
    const struct shape image = *graph_shape(graph, x);
    const int64_t channels = image.size[3];
    const struct transforming t = {builder, cross, channels / cross->heads * cross->heads};
    char part[NAME_SIZE];
    sumi_node h = layer_group_norm(graph, layer_name(part, name, "norm"), x, &norm, false);
    h = layer_sequence(graph, project(&t, layer_name(part, name, "proj_in"), h, t.width));
    for (int64_t i = 0; i < cross->depth; i++) {
        layer_name(part, name, "transformer_blocks.%lld", (long long)i);
        h = build_block(&t, part, h);
    }
    h = sumi_op_reshape(graph, h, 4,
                        (int64_t[]){image.size[0], image.size[1], image.size[2], t.width});
    h = project(&t, layer_name(part, name, "proj_out"), h, channels);
    return sumi_op_add(graph, h, x);
}

/* ---- The simple form ---- */

/* The bias of the text's tokens, followed by zeros for the pixels unless only the text is seen. */
static sumi_node bias_of_all(struct unet_builder *builder, const struct unet_cross *cross,
                             int64_t pixels)
{
    if (builder->states_bias < 0 || cross->only_text) return builder->states_bias;
    return sumi_op_pad(builder->graph, builder->states_bias, 3, 0, pixels);
}

/* The projection NAME of the text, before that of the pixels h, OWN, which are seen too unless only
   the text is. */
static sumi_node keys_of(struct unet_builder *builder, const struct unet_cross *cross,
                         const char *name, const char *own, sumi_node h, int64_t width)
{
    sumi_node text = layer_linear(builder->graph, name, builder->states, width);
    if (cross->only_text) return text;
    return sumi_op_concat(builder->graph, text, layer_linear(builder->graph, own, h, width), 1);
}

static sumi_node build_simple(struct unet_builder *builder, const char *name,
                              const struct unet_attention *attention,
                              const struct unet_cross *cross, sumi_node x)
{
    sumi_graph *graph = builder->graph;
    if (x < 0) return -1;
    const struct layer_norm norm = {builder->unet->groups, EPSILON};
    const struct shape image = *graph_shape(graph, x);
    const int64_t width = attention->heads * attention->head_width;
    char part[NAME_SIZE], own[NAME_SIZE];
    sumi_node h = layer_group_norm(graph, layer_name(part, name, "group_norm"), x, &norm, false);
    h = layer_sequence(graph, h);
    sumi_node q = layer_linear(graph, layer_name(part, name, "to_q"), h, width);
    sumi_node k = keys_of(builder, cross, layer_name(part, name, "add_k_proj"),
                          layer_name(own, name, "to_k"), h, width);
    sumi_node v = keys_of(builder, cross, layer_name(part, name, "add_v_proj"),
                          layer_name(own, name, "to_v"), h, width);
    sumi_node bias = bias_of_all(builder, cross, image.size[1] * image.size[2]);
    h = sumi_op_attention_masked(graph, q, k, v, bias, false, attention->heads,
                                 1 / sqrt((double)attention->head_width));
    h = layer_linear(graph, layer_name(part, name, "to_out.0"), h, image.size[3]);
    h = sumi_op_add(graph, sumi_op_reshape(graph, h, image.rank, image.size), x);
    if (attention->divisor == 1) return h;
    return sumi_op_affine(graph, h, 1 / attention->divisor, 0);
}

sumi_node unet_build_cross(struct unet_builder *builder, const char *name,
                           enum unet_crossing crossing, const struct unet_attention *attention,
                           const struct unet_cross *cross, sumi_node x)
{
    x = crossing == CROSS_SIMPLE ? build_simple(builder, name, attention, cross, x)
                                 : build_transformer(builder, name, cross, x);
    sumi_graph_mark(builder->graph);
    return x;
}
