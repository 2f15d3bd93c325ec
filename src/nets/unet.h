/* SPDX-License-Identifier: Apache-2.0 */
/* The U-Net, for images and for signals: one description, read from a config, and one builder.
   unet_config.c reads the description, unet_shape.c computes the shape of each layer and checks it,
   unet_resnet.c, unet_attention.c, unet_text.c and unet_skip.c build layers, unet_blocks.c and
   unet.c combine them; unet2d.c, unet1d.c and unet_condition.c have the keys of the classes.

   A signal [n, length, c] is processed as an image [n, 1, length, c], so all nodes below are
   [n,h,w,c]. */
#ifndef SUMI_NETS_UNET_H
#define SUMI_NETS_UNET_H

#include "nets/layers.h"
#include "nets/net.h"
#include "nets/time_embedding.h"

enum {
    UNET_LEVELS = 16,
    UNET_LAYERS = 64,
    UNET_CHANNELS = 65536,
    UNET_RESIDUALS = 20, /* skip connections of a network that takes residuals for them, at most */
    UNET_SKIPS = 1 + UNET_LEVELS * (UNET_LAYERS + 1) /* skip connections, at most */
};

/* How a block changes the spatial size at its end. */
enum unet_sampler { SAMPLER_NONE, SAMPLER_CONVOLUTION, SAMPLER_RESNET, SAMPLER_FIR };

/* How a block attends to the states of a text: not at all, by transformers, or by one attention to
   the text and the pixels. */
enum unet_crossing { CROSS_NONE, CROSS_TRANSFORMER, CROSS_SIMPLE };

struct unet_cross {
    int64_t heads;  /* of transformers */
    int64_t depth;  /* blocks of each transformer */
    bool only_text; /* the pixels do not attend to each other */
};

/* A kind of block, identified by its name in the config. */
struct unet_block_kind {
    const char *name;
    bool attention;
    bool by_option; /* the sampler is that of downsample_type or upsample_type */
    enum unet_sampler sampler;
    bool side_image; /* the Skip blocks of NCSN++, with a side image */
    enum unet_crossing crossing;
};

/* A block of the down or up path. */
struct unet_block {
    const struct unet_block_kind *kind;
    bool up;
    enum unet_sampler sampler;
    int64_t layers;           /* residual layers without the sampler */
    int64_t before, channels; /* input and output channels */
    int64_t last_skip;        /* up: channels of its last skip connection */
    int64_t head_width;       /* of its attention; 0: one head */
    struct unet_cross cross;
};

/* A residual layer. */
enum resample { RESAMPLE_NONE, RESAMPLE_DOWN, RESAMPLE_UP };
struct unet_resnet {
    int64_t in, out;
    int64_t groups_in, groups_out; /* of its two norms */
    double divisor;                /* of the sum at its end */
    bool plain_time;               /* takes the time embedding without its activation */
    enum resample resample;
    bool fir;      /* resampled with the filter (1,3,3,1), else in blocks of two */
    bool shortcut; /* a 1x1 convolution on the residual connection */
};

/* A self-attention layer. */
struct unet_attention {
    int64_t channels, heads, head_width;
    int64_t groups; /* of its norm; 0 for none */
    double divisor;
};

struct unet {
    int rank; /* 2: images, 1: signals */
    int64_t in_channels, out_channels;
    int64_t extra_channels; /* of in_channels, those that are not denoised */
    int64_t kernel;         /* kernel size of the convolutions */
    int64_t down_padding;   /* 1: symmetric, 0: one more after than before */
    bool center_input;
    struct time_settings time;
    int levels;
    int64_t layers; /* residual layers of each down block; up blocks have one more */
    struct unet_block down[UNET_LEVELS], up[UNET_LEVELS];
    bool mid, mid_attention;
    double mid_divisor;
    int64_t mid_groups;         /* of the mid attention's norm; 0 for none */
    int64_t groups, head_width; /* head_width 0: one head */
    double epsilon, dropout;
    bool scale_shift;
    enum layer_activation activation;

    /* UNet2DConditionModel only (unet_condition.c) */
    bool conditional;
    int64_t kernel_in, kernel_out;    /* of the first and the last convolution; 0: `kernel` */
    int64_t states, projected_states; /* channels of the text's states, and after a projection */
    bool linear_projection;           /* around transformers, not by a convolution */
    bool plain_time;        /* blocks that sample by residual layers take the embedding as it is */
    double sampler_divisor; /* of the sums of their residual layers */
    int64_t added, added_time; /* channels of what is added to the time; of each of its numbers */
    bool mid_single;           /* the middle block is one residual layer */
    enum unet_crossing mid_crossing;
    struct unet_cross mid_cross;
};

/* Reads a U-Net with `rank` spatial axes, as net_type.read does. */
void unet_read(struct config *config, struct net *net, int rank);
/* Its steps: the lists of block types and channels; the item, the time embedding with the class
   input, and sample_size. */
void unet_read_levels(struct config *config, struct unet *unet);
void unet_declare(struct config *config, struct unet *unet, struct net *net);
/* The keys that both classes share with the same default. */
#define UNET_KEYS                                                                                  \
    TIME_KEYS, {"sample_size", "null"}, {"center_input_sample", "false"},                          \
        {"layers_per_block", "2"}, {"mid_block_scale_factor", "1"}, {"downsample_padding", "1"},   \
        {"downsample_type", "\"conv\""}, {"upsample_type", "\"conv\""}, {"dropout", "0.0"},        \
        {"act_fn", "\"silu\""}, {"attention_head_dim", "8"}, {"attn_norm_num_groups", "null"},     \
        {"norm_eps", "1e-05"}, {"resnet_time_scale_shift", "\"default\""},                         \
    {                                                                                              \
        "add_attention", "true"                                                                    \
    }

/* The kind of block of that name ("AttnDownBlock2D") in a path of `unet`; on failure records it in
   `config`. */
const struct unet_block_kind *unet_find_block(struct config *config, const char *name, bool up,
                                              const struct unet *unet);

/* Layer `layer` of a block; number block->layers is its sampler. */
struct unet_resnet unet_block_resnet(const struct unet *unet, const struct unet_block *block,
                                     int64_t layer);
struct unet_attention unet_block_attention(const struct unet *unet, const struct unet_block *block);
struct unet_resnet unet_mid_resnet(const struct unet *unet);
struct unet_attention unet_mid_attention(const struct unet *unet);
/* The channels of the skip connections, channels[UNET_SKIPS], in order; returns how many. */
int64_t unet_skip_channels(const struct unet *unet, int64_t channels[UNET_SKIPS]);
/* Records a failure in `config` if the network cannot be built. */
void unet_check(struct config *config, const struct unet *unet);
/* The same if a network is larger than any published one; `count` is about its number of
   parameters. */
void unet_check_parameters(struct config *config, double count);
/* The number that spatial sizes must be a multiple of: two to the number of halvings. */
int64_t unet_size_multiple(const struct unet *unet);

/* ---- building ---- */

struct unet_builder {
    sumi_graph *graph;
    const struct unet *unet;
    sumi_node time; /* activated embedding [n, width]; -1 in networks without times */
    sumi_node skips[UNET_SKIPS];
    int skip_count;
    sumi_node side;                /* the side image of Skip blocks, or -1 */
    sumi_node plain_time;          /* the embedding before its activation, for plain_time */
    sumi_node states, states_bias; /* of the text; the bias of scores by its mask, or -1 */
    const sumi_node *residuals;    /* [UNET_RESIDUALS] added to the skip connections, and then one
                                      added to the middle, each or -1; NULL for none */
};

sumi_node unet_build_resnet(struct unet_builder *builder, const char *name,
                            const struct unet_resnet *resnet, sumi_node x);
sumi_node unet_build_attention(struct unet_builder *builder, const char *name,
                               const struct unet_attention *attention, sumi_node x);
/* The same without its norm and without the residual path around it. */
sumi_node unet_attend(struct unet_builder *builder, const char *name,
                      const struct unet_attention *attention, sumi_node x);
/* Attention NAME to the text, with a residual connection: `attention` is that of the simple form.
 */
sumi_node unet_build_cross(struct unet_builder *builder, const char *name,
                           enum unet_crossing crossing, const struct unet_attention *attention,
                           const struct unet_cross *cross, sumi_node x);
/* Halves or doubles the spatial size with the binomial filter (1,3,3,1). */
sumi_node unet_fir_down(sumi_graph *graph, sumi_node x);
sumi_node unet_fir_up(sumi_graph *graph, sumi_node x);
/* The ends of Skip blocks: resample x and the side image, and combine them. */
sumi_node unet_build_skip_down(struct unet_builder *builder, const char *name,
                               const struct unet_block *block, sumi_node x);
sumi_node unet_build_skip_up(struct unet_builder *builder, const char *name,
                             const struct unet_block *block, sumi_node x);
sumi_node unet_build_down(struct unet_builder *builder, int level, sumi_node x);
sumi_node unet_build_mid(struct unet_builder *builder, sumi_node x);
sumi_node unet_build_up(struct unet_builder *builder, int level, sumi_node x);

/* Begins a forward pass on x with the embedding of the times [n, width]; false where the sizes of x
   do not fit. */
bool unet_begin(struct unet_builder *builder, const struct net *net, sumi_node embedding,
                sumi_node x);
/* The first convolution, to whose result `hint` is added unless it is -1, and the down blocks,
   which push the skip connections. */
sumi_node unet_build_way_down(struct unet_builder *builder, sumi_node x, sumi_node hint);
/* The forward pass by a builder, with the embedding of the times [n, width]. */
sumi_node unet_build_with(struct unet_builder *builder, const struct net *net, sumi_node embedding,
                          const struct net_nodes *nodes);
/* The forward pass of an unconditional class: x[n,h,w,c] or x[n,length,c]. */
sumi_node unet_build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes);

/* ---- UNet2DConditionModel and what has its way down (unet_condition.c) ---- */

/* Reads the keys of its config and declares the inputs but residuals; net->settings begins with a
   struct unet. */
void unet_condition_read(struct config *config, struct net *net);
/* Lets the states of the text into a builder, and returns the embedding of the times and of all
   that is added to them. */
sumi_node unet_condition_begin(const struct net *net, const struct net_nodes *nodes,
                               struct unet_builder *builder);

#endif
