/* SPDX-License-Identifier: Apache-2.0 */
/* LatteTransformer3DModel (Ma et al. 2024, variant 1): spatial blocks, in which the patches of a
   frame attend to each other and to a text, and temporal blocks, in which the patches at one place
   of all frames attend to each other, by turns. Items are latents [frames, height, width, c]. */
#include "nets/latte.h"

#include "nets/transformer_single.h"

struct latte {
    struct transformer transformer;
    int64_t captions; /* channels of the text's states */
    bool cross;       /* whether spatial blocks attend to the text */
    bool still;       /* without temporal blocks */
};

enum { STATES = NET_TIMES + 1 };

static const struct config_key keys[] = {{"num_attention_heads", "16"},
                                         {"attention_head_dim", "88"},
                                         {"in_channels", "null"},
                                         {"out_channels", "null"},
                                         {"num_layers", "1"},
                                         {"dropout", "0.0"},
                                         {"cross_attention_dim", "null"},
                                         {"attention_bias", "false"},
                                         {"sample_size", "64"},
                                         {"patch_size", "null"},
                                         {"activation_fn", "\"geglu\""},
                                         {"num_embeds_ada_norm", "null"},
                                         {"norm_type", "\"layer_norm\""},
                                         {"norm_elementwise_affine", "true"},
                                         {"norm_eps", "1e-05"},
                                         {"caption_channels", "null"},
                                         {"video_length", "16"},
                                         {NULL, NULL}};

static void read_text(struct config *config, struct latte *latte)
{
    int64_t width = latte->transformer.width;
    int64_t cross = config_whole_or(config, "cross_attention_dim", 1, TRANSFORMER_CHANNELS, 0);
    latte->captions = config_whole(config, "caption_channels", 1, TRANSFORMER_CHANNELS);
    latte->cross = cross > 0;
    if (!cross || cross == width) return;
    config_fail(config,
                "\"cross_attention_dim\" should be %lld, the width to which \"caption_channels\" "
                "are projected, not %lld",
                (long long)width, (long long)cross);
}

static void read_all(struct config *config, struct net *net)
{
    enum { SMALLEST = 64 };
    struct latte *latte = net->settings;
    struct transformer *t = &latte->transformer;
    transformer_expect(config, "norm_type", "ada_norm_single");
    transformer_read_width(config, t);
    transformer_read_patches(config, t, net);
    transformer_read_blocks(config, t);
    config_whole_or(config, "num_embeds_ada_norm", 1, TRANSFORMER_CLASSES, 0);
    int64_t size = net->item_shape[0];
    int64_t frames = config_whole(config, "video_length", 1, NET_SIZE);
    t->interpolation = size >= SMALLEST ? (double)(size / SMALLEST) : 1;
    read_text(config, latte);
    net_declare_item(net, SUMI_VIDEO, (int64_t[]){frames, size, size, t->in_channels});
    net_declare(net, &(sumi_input){.name = "states", .rank = 3, .shape = {0, 0, latte->captions}});
}

void latte_set_temporal(struct net *net, bool temporal)
{
    struct latte *latte = net->settings;
    latte->still = !temporal;
}

/* ---- The forward pass ---- */

/* Adds the position of its frame to each token; a single frame has none. */
static sumi_node place_frames(sumi_graph *graph, const struct transformer *t, sumi_node tokens,
                              int64_t frames)
{
    int64_t length = layer_size(graph, tokens, 1), n = layer_size(graph, tokens, 0);
    if (frames == 1) return tokens;
    float *table = context_allocate(graph->context, (size_t)(frames * t->width), sizeof *table);
    if (!table) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return -1;
    }
    for (int64_t i = 0; i < frames; i++) positions_of((double)i, t->width, table + i * t->width);
    sumi_node places = sumi_graph_constant(graph, 4, (int64_t[]){1, frames, 1, t->width}, table);
    context_release(graph->context, table);
    tokens = sumi_op_reshape(graph, tokens, 4, (int64_t[]){n, frames, length / frames, t->width});
    tokens = sumi_op_add(graph, tokens, places);
    return sumi_op_reshape(graph, tokens, 3, (int64_t[]){n, length, t->width});
}

/* Tokens through a spatial block and the temporal one behind it. The weights of the temporal one
   are there even where its result is not used. */
static sumi_node build_pair(sumi_graph *graph, const struct latte *latte, int64_t number,
                            struct single_block block, sumi_node tokens)
{
    char name[NAME_SIZE];
    block.name = layer_name(name, "transformer_blocks", "%lld", (long long)number);
    block.view = VIEW_FRAMES;
    tokens = single_build(graph, &block, tokens);
    sumi_graph_mark(graph);
    block.name = layer_name(name, "temporal_transformer_blocks", "%lld", (long long)number);
    block.view = VIEW_PLACES;
    block.states = block.bias = -1;
    sumi_node placed = number ? tokens : place_frames(graph, block.t, tokens, block.frames);
    sumi_node after = single_build(graph, &block, placed);
    sumi_graph_mark(graph);
    return latte->still ? tokens : after;
}

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const struct latte *latte = net->settings;
    const struct transformer *t = &latte->transformer;
    const struct shape video = *graph_shape(graph, nodes->at[NET_X]);
    int64_t n = video.size[0], frames = video.size[1];
    int64_t shape[5] = {n, frames, video.size[2], video.size[3], t->out_channels};
    sumi_node x =
        sumi_op_reshape(graph, nodes->at[NET_X], 4,
                        (int64_t[]){n * frames, video.size[2], video.size[3], video.size[4]});
    sumi_node embedding = transformer_time(graph, "adaln_single.emb.timestep_embedder",
                                           nodes->at[NET_TIMES], t->width);
    sumi_node states = single_text(graph, t, nodes->at[STATES]);
    sumi_node tokens = transformer_place(graph, t, transformer_embed(graph, t, x), x);
    if (tokens < 0) return -1;
    int64_t places = layer_size(graph, tokens, 1);
    tokens = sumi_op_reshape(graph, tokens, 3, (int64_t[]){n, frames * places, t->width});
    const struct single_block block = {.t = t,
                                       .time = single_time(graph, t, embedding),
                                       .states = latte->cross ? states : -1,
                                       .bias = -1,
                                       .frames = frames};
    sumi_graph_mark(graph);
    for (int64_t i = 0; i < t->layers; i++) tokens = build_pair(graph, latte, i, block, tokens);
    tokens = single_end(graph, t, tokens, embedding);
    tokens = sumi_op_reshape(graph, tokens, 3, (int64_t[]){n * frames, places, t->width});
    tokens = transformer_picture(graph, t, "proj_out", tokens, x);
    return sumi_op_reshape(graph, tokens, 5, shape);
}

const struct net_type net_type_latte = {.class_name = "LatteTransformer3DModel",
                                        .part = "transformer",
                                        .pipeline = "LattePipeline",
                                        .variance_is_optional = true,
                                        .keys = keys,
                                        .settings_size = sizeof(struct latte),
                                        .read = read_all,
                                        .build = build};
