/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of diffusion transformers over patches of a picture (Peebles and Xie 2023): from a picture
   to patches and back, positions, attention, feed-forward layers, the embedding of times, and the
   modulation of a block; and the keys of their configs. dit.c, pixart.c and sd3.c build networks of
   them with diffusers' names.

   Tokens are [n, length, width]; arrays of one row for each item, such as a shift, are [n,
   width]. */
#ifndef SUMI_NETS_TRANSFORMER_H
#define SUMI_NETS_TRANSFORMER_H

#include "nets/layers.h"
#include "nets/net.h"
#include "nets/positions.h"

enum {
    TRANSFORMER_LAYERS = 512,
    TRANSFORMER_HEADS = 1024,
    TRANSFORMER_WIDTH = 1 << 15,
    TRANSFORMER_CHANNELS = 1 << 16,
    TRANSFORMER_PATCH = 256,
    TRANSFORMER_CLASSES = 1 << 24,
    TIME_WAVES = 256 /* channels of the sinusoid of a time */
};

/* What a feed-forward layer applies between its two linear layers. */
enum feed_kind { FEED_GELU, FEED_GELU_TANH, FEED_GELU_QUICK, FEED_SILU, FEED_GEGLU, FEED_SWIGLU };

struct transformer {
    int64_t heads, head_width, width; /* width = heads * head_width */
    int64_t in_channels, out_channels, layers;
    int64_t patch, base;  /* pixels of a side; patches of a side of sample_size */
    double interpolation; /* positions are divided by it */
    bool attention_bias;  /* of q, k and v */
    bool affine;          /* whether the norms of blocks have trained scale and shift */
    double epsilon;       /* of these norms */
    double dropout;
    enum feed_kind feed;
};

/* ---- Reading a config (transformer_config.c) ---- */

/* num_attention_heads and attention_head_dim. */
void transformer_read_width(struct config *config, struct transformer *t);
/* in_channels, out_channels, num_layers, patch_size and sample_size; declares the picture. */
void transformer_read_patches(struct config *config, struct transformer *t, struct net *net);
/* dropout, attention_bias, activation_fn, norm_elementwise_affine and norm_eps. */
void transformer_read_blocks(struct config *config, struct transformer *t);
/* Refuses a key of the class that has a value other than this one. */
void transformer_expect(struct config *config, const char *key, const char *value);

/* ---- Layers (transformer.c) ---- */

/* x[n,h,w,c] to tokens by pos_embed.proj, without positions. */
sumi_node transformer_embed(sumi_graph *graph, const struct transformer *t, sumi_node x);
/* The table of positions of a grid, [rows * columns, width], which the caller releases; NULL after
   a failure. */
float *transformer_positions(sumi_graph *graph, const struct transformer *t,
                             const struct position_grid *grid);
/* Adds the table of positions of a picture of x's size to tokens. */
sumi_node transformer_place(sumi_graph *graph, const struct transformer *t, sumi_node tokens,
                            sumi_node x);
/* From tokens, by the linear layer NAME, to a picture of x's size. */
sumi_node transformer_picture(sumi_graph *graph, const struct transformer *t, const char *name,
                              sumi_node tokens, sumi_node x);

/* The part `number` of parts[n, many * width]: [n, width]. */
sumi_node transformer_part(sumi_graph *graph, const struct transformer *t, sumi_node parts,
                           int64_t number);
/* parts[count], each [n, width], from condition[n, c] by the linear layer NAME, which starts at
   zero. */
void transformer_modulation(sumi_graph *graph, const struct transformer *t, const char *name,
                            sumi_node condition, int count, sumi_node *parts);
/* norm(tokens) (1 + scale) + shift. The norm has weights under NAME unless that is NULL. */
sumi_node transformer_modulate(sumi_graph *graph, const char *name, sumi_node tokens,
                               sumi_node shift, sumi_node scale, double epsilon);
/* tokens + gate layer */
sumi_node transformer_add(sumi_graph *graph, sumi_node tokens, sumi_node layer, sumi_node gate);

/* Attention of the tokens to `context` by NAME.to_q, to_k, to_v and to_out.0; the bias as of
   sumi_op_attention_masked, or -1. */
sumi_node transformer_attend(sumi_graph *graph, const struct transformer *t, const char *name,
                             sumi_node tokens, sumi_node context, sumi_node bias);
/* How queries and keys are normalised head by head, with epsilon 1e-6. */
enum head_norm { HEADS_PLAIN, HEADS_RMS, HEADS_LAYER };
/* x[n, length, width] with each head normalised, by the weights NAME. */
sumi_node transformer_norm_heads(sumi_graph *graph, const struct transformer *t,
                                 enum head_norm norm, const char *name, sumi_node x);
/* The feed-forward layer NAME.net.0.proj, the activation, NAME.net.2. */
sumi_node transformer_feed_plain(sumi_graph *graph, const struct transformer *t, const char *name,
                                 sumi_node tokens);
/* The end of a block: tokens + gate layer(modulated tokens), where the feed-forward layer is
   transformer_feed_plain. `parts` are shift, scale and gate; `norm` is the
   name of transformer_modulate, with t->epsilon. */
sumi_node transformer_feed(sumi_graph *graph, const struct transformer *t, const char *norm,
                           const char *name, sumi_node tokens, const sumi_node parts[3]);

/* The embedding of times[n] by sines and by NAME.linear_1, SiLU, NAME.linear_2: [n, width]. */
sumi_node transformer_time(sumi_graph *graph, const char *name, sumi_node times, int64_t width);

#endif
