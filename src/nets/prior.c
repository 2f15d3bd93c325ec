/* SPDX-License-Identifier: Apache-2.0 */
/* PriorTransformer, the prior of unCLIP (Ramesh et al. 2022, section 2.2): a causal transformer
   over the states of a text, its embedding, the time, a noised embedding of a picture and a learned
   token, at which it gives the clean embedding. Without that token its items are sequences, each
   member of which is read at its own place (Jun and Nichol 2023). */
#include "nets/time_embedding.h"
#include "nets/transformer.h"

static const double EPSILON = 1e-5; /* of all norms */

struct prior {
    struct transformer transformer;
    int64_t channels;    /* of an item, and of the text's states */
    int64_t text, clip;  /* channels of the text's embedding, and of the result */
    int64_t time_width;  /* of the first layer of the time */
    int64_t positions;   /* rows of the table of positions */
    int64_t added;       /* tokens behind those of the text, which are never padding */
    bool text_projected; /* whether a layer projects the states to the width of the tokens */
    bool token;          /* whether there is a learned last token */
    bool norm_in, norm_text;
    enum layer_activation activation; /* of the time */
};

enum { POOLED = NET_TIMES + 1, STATES, MASK };

static const struct config_key keys[] = {{"num_attention_heads", "32"},
                                         {"attention_head_dim", "64"},
                                         {"num_layers", "20"},
                                         {"embedding_dim", "768"},
                                         {"num_embeddings", "77"},
                                         {"additional_embeddings", "4"},
                                         {"dropout", "0.0"},
                                         {"time_embed_act_fn", "\"silu\""},
                                         {"norm_in_type", "null"},
                                         {"embedding_proj_norm_type", "null"},
                                         {"encoder_hid_proj_type", "\"linear\""},
                                         {"added_emb_type", "\"prd\""},
                                         {"time_embed_dim", "null"},
                                         {"embedding_proj_dim", "null"},
                                         {"clip_embed_dim", "null"},
                                         {NULL, NULL}};

/* ---- The config ---- */

/* Whether an optional part is there: the key has one value beside null. */
static bool has_part(struct config *config, const char *key, const char *value)
{
    if (config_is_null(config, key)) return false;
    transformer_expect(config, key, value);
    return true;
}

static void read_sizes(struct config *config, struct prior *prior)
{
    enum { TOKENS = 1 << 16 };
    struct transformer *t = &prior->transformer;
    int64_t most = TRANSFORMER_CHANNELS;
    transformer_read_width(config, t);
    t->layers = config_whole(config, "num_layers", 1, TRANSFORMER_LAYERS);
    t->dropout = config_number(config, "dropout", 0, 0.999);
    t->attention_bias = true;
    t->feed = FEED_GELU;
    prior->channels = config_whole(config, "embedding_dim", 1, most);
    prior->text = config_whole_or(config, "embedding_proj_dim", 1, most, prior->channels);
    prior->clip = config_whole_or(config, "clip_embed_dim", 1, most, prior->channels);
    prior->time_width = config_whole_or(config, "time_embed_dim", 1, most, t->width);
    prior->added = config_whole(config, "additional_embeddings", 0, TOKENS);
    prior->positions = config_whole(config, "num_embeddings", 1, TOKENS) + prior->added;
}

/* Items are points with the token, else sequences, for whose members there are positions. A network
   with the token needs as many states of the text as there are positions for them. */
static void declare(const struct prior *prior, struct net *net)
{
    enum { OTHERS = 4 }; /* tokens of the text's embedding, the time, the item and the last one */
    int64_t text = prior->positions - OTHERS;
    int64_t states = prior->text_projected ? prior->channels : prior->transformer.width;
    bool needed = prior->text_projected || (prior->token && text > 0);
    if (prior->token) net_declare_item(net, SUMI_POINTS, &prior->channels);
    else net_declare_item(net, SUMI_SEQUENCE, (int64_t[]){prior->positions, prior->channels});
    net->any_size = true;
    net->out_channels = prior->clip;
    net_declare(net, &(sumi_input){.name = "pooled", .rank = 2, .shape = {0, prior->text}});
    if (!needed) return;
    net_declare(net, &(sumi_input){.name = "states", .rank = 3, .shape = {0, 0, states}});
    net_declare(net, &(sumi_input){.name = "states_mask", .rank = 2, .optional = true});
    net->possible[STATES] = prior->token ? text : 1;
    net->possible[MASK] = (prior->token ? 0 : OTHERS - 1) + prior->positions - prior->added;
}

static void read_all(struct config *config, struct net *net)
{
    struct prior *prior = net->settings;
    read_sizes(config, prior);
    prior->activation = layer_activation_read(config, "time_embed_act_fn");
    prior->norm_in = has_part(config, "norm_in_type", "layer");
    prior->norm_text = has_part(config, "embedding_proj_norm_type", "layer");
    prior->text_projected = has_part(config, "encoder_hid_proj_type", "linear");
    prior->token = has_part(config, "added_emb_type", "prd");
    if (prior->token && prior->text_projected && prior->positions < 5)
        config_fail(config,
                    "there are positions for %lld tokens (\"num_embeddings\" and "
                    "\"additional_embeddings\"), but there are at least 5",
                    (long long)prior->positions);
    declare(prior, net);
}

/* ---- Tokens ---- */

/* x[n, width] as one token of each item. */
static sumi_node as_token(sumi_graph *graph, sumi_node x)
{
    return sumi_op_reshape(graph, x, 3,
                           (int64_t[]){layer_size(graph, x, 0), 1, layer_size(graph, x, 1)});
}

/* The embedding of the times, [n, width]. */
static sumi_node embed_time(sumi_graph *graph, const struct prior *prior, sumi_node times)
{
    int64_t width = prior->transformer.width;
    const struct time_waves waves = {width, 0, true};
    const struct layer_mlp mlp = {prior->time_width, width, prior->activation, LAYER_START_TORCH};
    return layer_mlp(graph, "time_embedding", time_waves(graph, &waves, times), &mlp);
}

static sumi_node embed_text(sumi_graph *graph, const struct prior *prior, sumi_node pooled)
{
    if (prior->norm_text) pooled = layer_layer_norm(graph, "embedding_proj_norm", pooled, EPSILON);
    return layer_linear(graph, "embedding_proj", pooled, prior->transformer.width);
}

/* All tokens, [n, length, width]; *first receives the place of the items' own. */
static sumi_node build_tokens(sumi_graph *graph, const struct prior *prior,
                              const struct net_nodes *nodes, int64_t *first)
{
    int64_t width = prior->transformer.width, n = layer_size(graph, nodes->at[NET_X], 0);
    sumi_node states = nodes->at[STATES],
              x = layer_linear(graph, "proj_in", nodes->at[NET_X], width);
    sumi_node tokens = as_token(graph, embed_text(graph, prior, nodes->at[POOLED]));
    sumi_node time = as_token(graph, embed_time(graph, prior, nodes->at[NET_TIMES]));
    if (prior->token) x = as_token(graph, x);
    if (states >= 0) {
        if (prior->text_projected)
            states = layer_linear(graph, "encoder_hidden_states_proj", states, width);
        tokens = sumi_op_concat(graph, states, tokens, 1);
    }
    tokens = sumi_op_concat(graph, tokens, time, 1);
    *first = layer_size(graph, tokens, 1);
    tokens = sumi_op_concat(graph, tokens, x, 1);
    if (!prior->token) return tokens;
    sumi_node last =
        sumi_graph_weight(graph, "prd_embedding", 3, (int64_t[]){1, 1, width}, SUMI_START_ZERO, 0);
    last = sumi_op_broadcast(graph, last, 3, (int64_t[]){n, 1, width});
    return sumi_op_concat(graph, tokens, last, 1);
}

/* Adds the learned positions, of all tokens or only of the items' own. */
static sumi_node add_positions(sumi_graph *graph, const struct prior *prior, sumi_node tokens,
                               int64_t first)
{
    int64_t width = prior->transformer.width, length = layer_size(graph, tokens, 1);
    int64_t behind = length - first - prior->positions;
    sumi_node table =
        sumi_graph_weight(graph, "positional_embedding", 3, (int64_t[]){1, prior->positions, width},
                          SUMI_START_ZERO, 0);
    if (length == prior->positions) return sumi_op_add(graph, tokens, table);
    if (behind == (prior->token ? 1 : 0))
        return sumi_op_add(graph, tokens, sumi_op_pad(graph, table, 1, first, behind));
    graph_fail(graph,
               "PriorTransformer: there are %lld tokens, but positions for %lld "
               "(\"num_embeddings\" and \"additional_embeddings\")",
               (long long)length, (long long)prior->positions);
    return -1;
}

/* ---- Attention ---- */

static const double HIDDEN = -10000; /* added to scores of what is not seen, as by diffusers */

/* HIDDEN for tokens after each: [1, 1, length, length]. */
static sumi_node causal_bias(sumi_graph *graph, int64_t length)
{
    float *values =
        context_allocate_zeroed(graph->context, (size_t)(length * length), sizeof *values);
    if (!values) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return -1;
    }
    for (int64_t i = 0; i < length; i++)
        for (int64_t k = i + 1; k < length; k++) values[i * length + k] = (float)HIDDEN;
    sumi_node node = sumi_graph_constant(graph, 4, (int64_t[]){1, 1, length, length}, values);
    context_release(graph->context, values);
    return node;
}

/* The bias of scores by the mask of the text; -1 without one, when all tokens see all, as in
   diffusers. */
static sumi_node build_bias(sumi_graph *graph, const struct prior *prior, sumi_node mask,
                            int64_t length)
{
    if (mask < 0) return -1;
    int64_t n = layer_size(graph, mask, 0), text = layer_size(graph, mask, 1);
    if (text + prior->added != length) {
        graph_fail(graph,
                   "PriorTransformer: \"states_mask\" is for %lld tokens, but should be for %lld",
                   (long long)text, (long long)(length - prior->added));
        return -1;
    }
    sumi_node padding = sumi_op_affine(graph, mask, -HIDDEN, HIDDEN);
    padding = sumi_op_pad(graph, padding, 1, 0, prior->added);
    padding = sumi_op_reshape(graph, padding, 4, (int64_t[]){n, 1, 1, length});
    return sumi_op_add(graph, padding, causal_bias(graph, length));
}

static sumi_node build_block(sumi_graph *graph, const struct transformer *t, int64_t number,
                             sumi_node tokens, sumi_node bias)
{
    char block[NAME_SIZE], name[NAME_SIZE];
    layer_name(block, "transformer_blocks", "%lld", (long long)number);
    sumi_node h = layer_layer_norm(graph, layer_name(name, block, "norm1"), tokens, EPSILON);
    h = transformer_attend(graph, t, layer_name(name, block, "attn1"), h, h, bias);
    tokens = sumi_op_add(graph, tokens, h);
    h = layer_layer_norm(graph, layer_name(name, block, "norm3"), tokens, EPSILON);
    h = transformer_feed_plain(graph, t, layer_name(name, block, "ff"), h);
    return sumi_op_add(graph, tokens, h);
}

/* ---- The forward pass ---- */

/* Statistics of the data's embeddings, which are kept with the weights: results are multiplied by
   the deviations and the means are added. A new network has the ones and zeros of standard data. */
static void add_statistics(sumi_graph *graph, const struct prior *prior)
{
    const int64_t shape[2] = {1, prior->clip};
    float *values = context_allocate_zeroed(graph->context, (size_t)prior->clip, sizeof *values);
    if (!values) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return;
    }
    graph_table(graph, "clip_mean", 2, shape, values);
    for (int64_t i = 0; i < prior->clip; i++) values[i] = 1;
    graph_table(graph, "clip_std", 2, shape, values);
    context_release(graph->context, values);
}

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const struct prior *prior = net->settings;
    const struct transformer *t = &prior->transformer;
    int64_t first = 0, n = layer_size(graph, nodes->at[NET_X], 0);
    sumi_node tokens = build_tokens(graph, prior, nodes, &first);
    tokens = add_positions(graph, prior, tokens, first);
    if (tokens < 0) return -1;
    int64_t length = layer_size(graph, tokens, 1);
    sumi_node bias = build_bias(graph, prior, nodes->at[MASK], length);
    if (prior->norm_in) tokens = layer_layer_norm(graph, "norm_in", tokens, EPSILON);
    sumi_graph_mark(graph);
    for (int64_t i = 0; i < t->layers; i++) {
        tokens = build_block(graph, t, i, tokens, bias);
        sumi_graph_mark(graph);
    }
    tokens = layer_layer_norm(graph, "norm_out", tokens, EPSILON);
    if (prior->token) first = length - 1;
    tokens = sumi_op_slice(graph, tokens, 1, first, length - first);
    if (prior->token) tokens = sumi_op_reshape(graph, tokens, 2, (int64_t[]){n, t->width});
    add_statistics(graph, prior);
    return layer_linear(graph, "proj_to_clip_embeddings", tokens, prior->clip);
}

const struct net_type net_type_prior = {.class_name = "PriorTransformer",
                                        .part = "transformer",
                                        .pipeline = "SumiPipeline",
                                        .keys = keys,
                                        .settings_size = sizeof(struct prior),
                                        .read = read_all,
                                        .build = build};
