/* SPDX-License-Identifier: Apache-2.0 */
/* PixArtTransformer2DModel (Chen et al. 2024): a transformer whose modulation comes from the time
   by one layer for all blocks, with a table in each block, and that looks at states of a text.
   Files of diffusers before 0.28 call it Transformer2DModel with norm_type ada_norm_single. */
#include "nets/transformer_single.h"

struct pixart {
    struct transformer transformer;
    int64_t captions; /* channels of the text's states */
    bool projected;   /* whether a layer of the network projects the states to its width */
    bool cross;       /* whether blocks attend to the text */
    bool sized;       /* whether the network has the inputs resolution and aspect_ratio */
};

enum { STATES = NET_TIMES + 1, MASK, RESOLUTION, ASPECT };

static const struct config_key keys[] = {{"num_attention_heads", "16"},
                                         {"attention_head_dim", "72"},
                                         {"in_channels", "4"},
                                         {"out_channels", "8"},
                                         {"num_layers", "28"},
                                         {"dropout", "0.0"},
                                         {"norm_num_groups", "32"},
                                         {"cross_attention_dim", "1152"},
                                         {"attention_bias", "true"},
                                         {"sample_size", "128"},
                                         {"patch_size", "2"},
                                         {"activation_fn", "\"gelu-approximate\""},
                                         {"num_embeds_ada_norm", "1000"},
                                         {"upcast_attention", "false"},
                                         {"norm_type", "\"ada_norm_single\""},
                                         {"norm_elementwise_affine", "false"},
                                         {"norm_eps", "1e-06"},
                                         {"interpolation_scale", "null"},
                                         {"use_additional_conditions", "null"},
                                         {"caption_channels", "null"},
                                         {"attention_type", "\"default\""},
                                         {NULL, NULL}};

/* ---- The config ---- */

/* Positions are scaled, and pictures come with their size, by the size of training where the config
   does not say. */
static void read_sizes(struct config *config, struct pixart *pixart, const struct net *net)
{
    enum { SMALLEST = 64, SIZED = 128 };
    int64_t size = net->item_shape[0], usual = size / SMALLEST > 1 ? size / SMALLEST : 1;
    struct transformer *t = &pixart->transformer;
    t->interpolation = config_number_or(config, "interpolation_scale", 1e-3, 1e6, (double)usual);
    pixart->sized = size == SIZED;
    if (!config_is_null(config, "use_additional_conditions"))
        pixart->sized = config_flag(config, "use_additional_conditions");
    if (pixart->sized && t->width % 3) {
        config_fail(config,
                    "with \"use_additional_conditions\" the width %lld of the tokens should be a "
                    "multiple of 3",
                    (long long)t->width);
    }
}

static void read_text(struct config *config, struct pixart *pixart)
{
    int64_t width = pixart->transformer.width;
    int64_t cross = config_whole_or(config, "cross_attention_dim", 1, TRANSFORMER_CHANNELS, 0);
    int64_t given = config_whole_or(config, "caption_channels", 1, TRANSFORMER_CHANNELS, 0);
    pixart->cross = cross > 0;
    pixart->projected = given > 0;
    pixart->captions = given ? given : cross;
    if (given && cross && cross != width) {
        config_fail(config,
                    "\"cross_attention_dim\" should be %lld, the width to which "
                    "\"caption_channels\" are projected, not %lld",
                    (long long)width, (long long)cross);
    }
}

static void declare(const struct pixart *pixart, struct net *net)
{
    net_declare(net, &(sumi_input){.name = "states",
                                   .rank = 3,
                                   .shape = {0, 0, pixart->captions},
                                   .optional = !pixart->cross});
    net_declare(net, &(sumi_input){.name = "states_mask", .rank = 2, .optional = true});
    if (!pixart->sized) return;
    net_declare(net, &(sumi_input){.name = "resolution", .rank = 2, .shape = {0, 2}});
    net_declare(net, &(sumi_input){.name = "aspect_ratio", .rank = 2, .shape = {0, 1}});
}

static void read_all(struct config *config, struct net *net)
{
    struct pixart *pixart = net->settings;
    struct transformer *t = &pixart->transformer;
    transformer_expect(config, "norm_type", "ada_norm_single");
    transformer_expect(config, "attention_type", "default");
    transformer_read_width(config, t);
    transformer_read_patches(config, t, net);
    transformer_read_blocks(config, t);
    config_whole(config, "num_embeds_ada_norm", 1, TRANSFORMER_CLASSES);
    read_sizes(config, pixart, net);
    read_text(config, pixart);
    declare(pixart, net);
}

/* ---- The forward pass ---- */

/* Embeddings of each number of values[n, k] side by side: [n, k * width]. */
static sumi_node embed_numbers(sumi_graph *graph, const char *name, sumi_node values, int64_t width)
{
    int64_t n = layer_size(graph, values, 0), k = layer_size(graph, values, 1), count = n * k;
    sumi_node all = sumi_op_reshape(graph, values, 1, &count);
    all = transformer_time(graph, name, all, width);
    return sumi_op_reshape(graph, all, 2, (int64_t[]){n, k * width});
}

/* The embedding of the time and, where the network takes it, of the picture's size: [n, width]. */
static sumi_node embed_time(sumi_graph *graph, const struct pixart *pixart,
                            const struct net_nodes *nodes)
{
    int64_t width = pixart->transformer.width;
    sumi_node time =
        transformer_time(graph, "adaln_single.emb.timestep_embedder", nodes->at[NET_TIMES], width);
    if (!pixart->sized) return time;
    sumi_node resolution = embed_numbers(graph, "adaln_single.emb.resolution_embedder",
                                         nodes->at[RESOLUTION], width / 3);
    sumi_node aspect = embed_numbers(graph, "adaln_single.emb.aspect_ratio_embedder",
                                     nodes->at[ASPECT], width / 3);
    return sumi_op_add(graph, time, sumi_op_concat(graph, resolution, aspect, 1));
}

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const struct pixart *pixart = net->settings;
    const struct transformer *t = &pixart->transformer;
    sumi_node x = nodes->at[NET_X], states = nodes->at[STATES];
    sumi_node bias = layer_mask_bias(graph, "PixArtTransformer2DModel", states, nodes->at[MASK]);
    sumi_node embedding = embed_time(graph, pixart, nodes);
    sumi_node time = single_time(graph, t, embedding);
    if (pixart->projected && states >= 0) states = single_text(graph, t, states);
    sumi_node tokens = transformer_place(graph, t, transformer_embed(graph, t, x), x);
    sumi_graph_mark(graph);
    for (int64_t i = 0; i < t->layers; i++) {
        char name[NAME_SIZE];
        layer_name(name, "transformer_blocks", "%lld", (long long)i);
        const struct single_block block = {.t = t,
                                           .name = name,
                                           .time = time,
                                           .states = pixart->cross ? states : -1,
                                           .bias = bias,
                                           .view = VIEW_ALL,
                                           .frames = 1};
        tokens = single_build(graph, &block, tokens);
        sumi_graph_mark(graph);
    }
    tokens = single_end(graph, t, tokens, embedding);
    return transformer_picture(graph, t, "proj_out", tokens, x);
}

const struct net_type net_type_pixart = {.class_name = "PixArtTransformer2DModel",
                                         .pipeline = "PixArtAlphaPipeline",
                                         .part = "transformer",
                                         .variance_is_optional = true,
                                         .keys = keys,
                                         .settings_size = sizeof(struct pixart),
                                         .read = read_all,
                                         .build = build};
