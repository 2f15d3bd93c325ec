/* SPDX-License-Identifier: Apache-2.0 */
/* DiTTransformer2DModel: the diffusion transformer of Peebles and Xie (2023), whose blocks are
   modulated by time and class (adaLN-Zero). Files of diffusers before 0.28 call it
   Transformer2DModel with norm_type ada_norm_zero. */
#include "nets/time_embedding.h"
#include "nets/transformer.h"

static const double EPSILON = 1e-6;         /* of the norms without a key */
static const double CLASS_DEVIATION = 0.02; /* of the initial table of classes */

struct dit {
    struct transformer transformer;
    int64_t classes; /* without the null class */
};

enum { CLASS = NET_TIMES + 1 };

static const struct config_key keys[] = {{"num_attention_heads", "16"},
                                         {"attention_head_dim", "72"},
                                         {"in_channels", "4"},
                                         {"out_channels", "null"},
                                         {"num_layers", "28"},
                                         {"dropout", "0.0"},
                                         {"norm_num_groups", "32"},
                                         {"attention_bias", "true"},
                                         {"sample_size", "32"},
                                         {"patch_size", "2"},
                                         {"activation_fn", "\"gelu-approximate\""},
                                         {"num_embeds_ada_norm", "1000"},
                                         {"upcast_attention", "false"},
                                         {"norm_type", "\"ada_norm_zero\""},
                                         {"norm_elementwise_affine", "false"},
                                         {"norm_eps", "1e-05"},
                                         {NULL, NULL}};

static void read_all(struct config *config, struct net *net)
{
    struct dit *dit = net->settings;
    struct transformer *t = &dit->transformer;
    transformer_expect(config, "norm_type", "ada_norm_zero");
    transformer_read_width(config, t);
    transformer_read_patches(config, t, net);
    transformer_read_blocks(config, t);
    dit->classes = config_whole(config, "num_embeds_ada_norm", 1, TRANSFORMER_CLASSES);
    net->null_class = true;
    net_declare(net,
                &(sumi_input){
                    .name = "class", .element = SUMI_INT32, .rank = 1, .limit = dit->classes + 1});
}

/* The activated embedding of time and class, [n, width], of a block's own weights. `waves` are the
   sines of the times. */
static sumi_node embed(sumi_graph *graph, const struct dit *dit, const char *block, sumi_node waves,
                       sumi_node classes)
{
    char part[NAME_SIZE];
    int64_t width = dit->transformer.width;
    sumi_node time = layer_time_mlp(graph, layer_name(part, block, "norm1.emb.timestep_embedder"),
                                    waves, width, LAYER_START_NORMAL);
    layer_name(part, block, "norm1.emb.class_embedder.embedding_table");
    sumi_node row = layer_embedding(graph, part, classes, dit->classes + 1, width, CLASS_DEVIATION);
    return sumi_op_silu(graph, sumi_op_add(graph, time, row));
}

/* Tokens through a block; `condition` is its embedding. */
static sumi_node build_block(sumi_graph *graph, const struct dit *dit, const char *block,
                             sumi_node tokens, sumi_node condition)
{
    enum { SHIFT, SCALE, GATE, FEED_SHIFT, FEED_SCALE, FEED_GATE, PARTS };
    const struct transformer *t = &dit->transformer;
    char part[NAME_SIZE], norm[NAME_SIZE];
    sumi_node parts[PARTS];
    layer_name(part, block, "norm1.linear");
    transformer_modulation(graph, t, part, condition, PARTS, parts);
    sumi_node h = transformer_modulate(graph, NULL, tokens, parts[SHIFT], parts[SCALE], EPSILON);
    h = transformer_attend(graph, t, layer_name(part, block, "attn1"), h, h, -1);
    tokens = transformer_add(graph, tokens, h, parts[GATE]);
    return transformer_feed(graph, t, t->affine ? layer_name(norm, block, "norm3") : NULL,
                            layer_name(part, block, "ff"), tokens, &parts[FEED_SHIFT]);
}

/* The last layer is modulated by the first block's embedding, as in diffusers. */
static sumi_node build_end(sumi_graph *graph, const struct dit *dit, sumi_node tokens,
                           sumi_node condition, sumi_node x)
{
    const struct transformer *t = &dit->transformer;
    sumi_node ends[2];
    transformer_modulation(graph, t, "proj_out_1", condition, 2, ends);
    tokens = transformer_modulate(graph, NULL, tokens, ends[0], ends[1], EPSILON);
    return transformer_picture(graph, t, "proj_out_2", tokens, x);
}

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const struct dit *dit = net->settings;
    const struct transformer *t = &dit->transformer;
    const struct time_waves kind = {TIME_WAVES, 1, true};
    sumi_node x = nodes->at[NET_X], first = -1;
    sumi_node waves = time_waves(graph, &kind, nodes->at[NET_TIMES]);
    sumi_node tokens = transformer_place(graph, t, transformer_embed(graph, t, x), x);
    sumi_graph_mark(graph);
    for (int64_t i = 0; i < t->layers; i++) {
        char block[NAME_SIZE];
        layer_name(block, "transformer_blocks", "%lld", (long long)i);
        sumi_node condition = embed(graph, dit, block, waves, nodes->at[CLASS]);
        if (i == 0) first = condition;
        tokens = build_block(graph, dit, block, tokens, condition);
        sumi_graph_mark(graph);
    }
    return build_end(graph, dit, tokens, first, x);
}

const struct net_type net_type_dit = {.class_name = "DiTTransformer2DModel",
                                      .pipeline = "DiTPipeline",
                                      .part = "transformer",
                                      .variance_is_optional = true,
                                      .keys = keys,
                                      .settings_size = sizeof(struct dit),
                                      .read = read_all,
                                      .build = build};
