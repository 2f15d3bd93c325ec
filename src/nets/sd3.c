/* SPDX-License-Identifier: Apache-2.0 */
/* SD3Transformer2DModel: the transformer with two streams, the picture's and the text's, which have
   separate weights and attend to the tokens of both (Esser et al. 2024, section 4).

   With the key "_num_classes", which diffusers does not have and ignores, the network takes the
   class of an item in place of a text: the states and the summary of that text are rows of two
   tables, which are trained with the other weights. */
#include <math.h>

#include "nets/transformer.h"

static const double EPSILON = 1e-6;         /* of all norms */
static const double CLASS_DEVIATION = 0.02; /* of the initial tables of classes */

struct sd3 {
    struct transformer transformer;
    int64_t texts, pooled; /* channels of the text's states and of its summary */
    int64_t classes;       /* without the null class; 0: the network takes a text */
    int64_t table;         /* patches of a side of the stored positions; 0: none are stored */
    enum head_norm norm;   /* of queries and keys of each head */
    bool dual[TRANSFORMER_LAYERS]; /* blocks with a second attention of the picture to itself */
};

enum { STATES = NET_TIMES + 1, POOLED, CLASS = NET_TIMES + 1 };

static const struct config_key keys[] = {{"sample_size", "128"},
                                         {"patch_size", "2"},
                                         {"in_channels", "16"},
                                         {"num_layers", "18"},
                                         {"attention_head_dim", "64"},
                                         {"num_attention_heads", "18"},
                                         {"joint_attention_dim", "4096"},
                                         {"caption_projection_dim", "1152"},
                                         {"pooled_projection_dim", "2048"},
                                         {"out_channels", "16"},
                                         {"pos_embed_max_size", "96"},
                                         {"dual_attention_layers", "[]"},
                                         {"qk_norm", "null"},
                                         {"_num_classes", "null"},
                                         {NULL, NULL}};

/* ---- The config ---- */

static void read_dual(struct config *config, struct sd3 *sd3)
{
    static const char key[] = "dual_attention_layers";
    json_object *list = json_object_object_get(config->object, key);
    if (json_object_is_type(list, json_type_array) && json_object_array_length(list) == 0) return;
    int count = config_length(config, key, TRANSFORMER_LAYERS);
    for (int i = 0; i < count; i++)
        sd3->dual[config_whole_at(config, key, i, 0, sd3->transformer.layers - 1)] = true;
}

static void read_positions(struct config *config, struct sd3 *sd3)
{
    enum { LARGEST = 4096 };
    sd3->table = config_whole_or(config, "pos_embed_max_size", 0, LARGEST, 0);
    if (!sd3->table || sd3->table >= sd3->transformer.base) return;
    config_fail(config, "\"pos_embed_max_size\" is %lld, but \"sample_size\" has %lld patches",
                (long long)sd3->table, (long long)sd3->transformer.base);
}

static void read_text(struct config *config, struct sd3 *sd3)
{
    int64_t width = sd3->transformer.width;
    sd3->texts = config_whole(config, "joint_attention_dim", 1, TRANSFORMER_CHANNELS);
    sd3->pooled = config_whole(config, "pooled_projection_dim", 1, TRANSFORMER_CHANNELS);
    int64_t projected = config_whole(config, "caption_projection_dim", 1, TRANSFORMER_WIDTH);
    if (projected == width) return;
    config_fail(config,
                "\"caption_projection_dim\" should be %lld, the width of the tokens, not %lld",
                (long long)width, (long long)projected);
}

static void read_norm(struct config *config, struct sd3 *sd3)
{
    static const char *const names[] = {"rms_norm", "layer_norm", NULL};
    if (config_is_null(config, "qk_norm")) return;
    sd3->norm = config_choice(config, "qk_norm", names) == 0 ? HEADS_RMS : HEADS_LAYER;
}

/* The last value of "class" stands for none. */
static void declare_classes(struct config *config, struct net *net)
{
    static const char key[] = "_num_classes";
    struct sd3 *sd3 = net->settings;
    sd3->classes = config_whole_or(config, key, 1, TRANSFORMER_CLASSES, 0);
    if (!sd3->classes) {
        config_leave_out(config, key);
        net_declare(net, &(sumi_input){.name = "states", .rank = 3, .shape = {0, 0, sd3->texts}});
        net_declare(net, &(sumi_input){.name = "pooled", .rank = 2, .shape = {0, sd3->pooled}});
        return;
    }
    net->null_class = true;
    net_declare(net,
                &(sumi_input){
                    .name = "class", .element = SUMI_INT32, .rank = 1, .limit = sd3->classes + 1});
}

static void read_all(struct config *config, struct net *net)
{
    struct sd3 *sd3 = net->settings;
    struct transformer *t = &sd3->transformer;
    transformer_read_width(config, t);
    transformer_read_patches(config, t, net);
    t->attention_bias = true;
    t->feed = FEED_GELU_TANH;
    t->epsilon = EPSILON;
    read_positions(config, sd3);
    read_text(config, sd3);
    read_norm(config, sd3);
    if (config->status == SUMI_OK) read_dual(config, sd3);
    declare_classes(config, net);
}

/* ---- Positions ---- */

/* The table of the largest picture, which is stored with the weights and not trained. */
static sumi_node stored_table(sumi_graph *graph, const struct sd3 *sd3)
{
    const struct transformer *t = &sd3->transformer;
    const struct position_grid grid = {sd3->table, sd3->table, t->base, t->interpolation};
    int64_t shape[3] = {1, sd3->table * sd3->table, t->width};
    float *values = transformer_positions(graph, t, &grid);
    if (!values) return -1;
    sumi_node node = graph_table(graph, "pos_embed.pos_embed", 3, shape, values);
    context_release(graph->context, values);
    return node;
}

/* Adds the middle of the table to tokens of a picture of x's size. */
static sumi_node place(sumi_graph *graph, const struct sd3 *sd3, sumi_node tokens, sumi_node x)
{
    const struct transformer *t = &sd3->transformer;
    if (!sd3->table) return transformer_place(graph, t, tokens, x);
    int64_t side = sd3->table, rows = layer_size(graph, x, 1) / t->patch;
    int64_t columns = layer_size(graph, x, 2) / t->patch;
    if (rows > side || columns > side) {
        graph_fail(graph,
                   "SD3Transformer2DModel: a picture of %lldx%lld has more patches than the %lld "
                   "of a side for which there are positions (\"pos_embed_max_size\")",
                   (long long)layer_size(graph, x, 1), (long long)layer_size(graph, x, 2),
                   (long long)side);
        return -1;
    }
    sumi_node table = stored_table(graph, sd3);
    table = sumi_op_reshape(graph, table, 3, (int64_t[]){side, side, t->width});
    table = sumi_op_slice(graph, table, 0, (side - rows) / 2, rows);
    table = sumi_op_slice(graph, table, 1, (side - columns) / 2, columns);
    table = sumi_op_reshape(graph, table, 3, (int64_t[]){1, rows * columns, t->width});
    return sumi_op_add(graph, tokens, table);
}

/* ---- Attention ---- */

/* Names of the layers of one attention of a stream. */
struct attention_names {
    const char *layer[3], *norm[2], *out; /* of q, k and v; of q and k; of the result */
};
static const struct attention_names own_names = {
    {"to_q", "to_k", "to_v"}, {"norm_q", "norm_k"}, "to_out.0"};
static const struct attention_names text_names = {
    {"add_q_proj", "add_k_proj", "add_v_proj"}, {"norm_added_q", "norm_added_k"}, "to_add_out"};

static sumi_node linear(sumi_graph *graph, const char *parent, const char *child, sumi_node x,
                        int64_t width)
{
    char name[NAME_SIZE];
    const struct layer_linear kind = {true, LAYER_START_XAVIER};
    return layer_linear_of(graph, layer_name(name, parent, "%s", child), x, width, &kind);
}

/* q, k and v of a stream. */
static void project(sumi_graph *graph, const struct sd3 *sd3, const char *attention,
                    const struct attention_names *names, sumi_node x, sumi_node qkv[3])
{
    char name[NAME_SIZE];
    for (int i = 0; i < 3; i++) {
        qkv[i] = linear(graph, attention, names->layer[i], x, sd3->transformer.width);
        if (i == 2) continue;
        layer_name(name, attention, "%s", names->norm[i]);
        qkv[i] = transformer_norm_heads(graph, &sd3->transformer, sd3->norm, name, qkv[i]);
    }
}

static sumi_node attend(sumi_graph *graph, const struct sd3 *sd3, const sumi_node qkv[3])
{
    const struct transformer *t = &sd3->transformer;
    return sumi_op_attention(graph, qkv[0], qkv[1], qkv[2], t->heads,
                             1 / sqrt((double)t->head_width));
}

/* Attention of the tokens of both streams, picture first, to both. In the last block only the
   picture has queries, because the text's result is not used. */
static void attend_jointly(sumi_graph *graph, const struct sd3 *sd3, const char *attention,
                           bool last, sumi_node streams[2])
{
    sumi_node picture[3], text[3];
    int64_t width = sd3->transformer.width;
    int64_t lengths[2] = {layer_size(graph, streams[0], 1), layer_size(graph, streams[1], 1)};
    project(graph, sd3, attention, &own_names, streams[0], picture);
    project(graph, sd3, attention, &text_names, streams[1], text);
    for (int i = last ? 1 : 0; i < 3; i++)
        picture[i] = sumi_op_concat(graph, picture[i], text[i], 1);
    sumi_node both = attend(graph, sd3, picture);
    streams[0] = last ? both : sumi_op_slice(graph, both, 1, 0, lengths[0]);
    streams[0] = linear(graph, attention, own_names.out, streams[0], width);
    if (last) return;
    streams[1] = sumi_op_slice(graph, both, 1, lengths[0], lengths[1]);
    streams[1] = linear(graph, attention, text_names.out, streams[1], width);
}

/* ---- Blocks ---- */

enum { SHIFT, SCALE, GATE, FEED_SHIFT, FEED_SCALE, FEED_GATE, PARTS };
enum { DUAL_SHIFT = PARTS, DUAL_SCALE, DUAL_GATE, DUAL_PARTS };

/* The second attention of the picture, to itself only, computed from the block's input. */
static sumi_node attend_again(sumi_graph *graph, const struct sd3 *sd3, const char *block,
                              sumi_node tokens, const sumi_node *parts)
{
    char attention[NAME_SIZE];
    sumi_node qkv[3];
    sumi_node h =
        transformer_modulate(graph, NULL, tokens, parts[DUAL_SHIFT], parts[DUAL_SCALE], EPSILON);
    layer_name(attention, block, "attn2");
    project(graph, sd3, attention, &own_names, h, qkv);
    return linear(graph, attention, own_names.out, attend(graph, sd3, qkv), sd3->transformer.width);
}

/* Takes the picture's and the text's tokens through block `number`. In the last block only keys and
   values of the text are used, and its norm has the scale before the shift. */
static void build_block(sumi_graph *graph, const struct sd3 *sd3, int64_t number,
                        sumi_node condition, sumi_node streams[2])
{
    enum { END_SCALE, END_SHIFT, END_PARTS };
    char block[NAME_SIZE], name[NAME_SIZE];
    const struct transformer *t = &sd3->transformer;
    bool last = number == t->layers - 1, dual = sd3->dual[number];
    sumi_node picture[DUAL_PARTS], text[PARTS], normed[2];
    layer_name(block, "transformer_blocks", "%lld", (long long)number);
    transformer_modulation(graph, t, layer_name(name, block, "norm1.linear"), condition,
                           dual ? DUAL_PARTS : PARTS, picture);
    transformer_modulation(graph, t, layer_name(name, block, "norm1_context.linear"), condition,
                           last ? END_PARTS : PARTS, text);
    normed[0] =
        transformer_modulate(graph, NULL, streams[0], picture[SHIFT], picture[SCALE], EPSILON);
    normed[1] = transformer_modulate(graph, NULL, streams[1], text[last ? END_SHIFT : SHIFT],
                                     text[last ? END_SCALE : SCALE], EPSILON);
    attend_jointly(graph, sd3, layer_name(name, block, "attn"), last, normed);
    sumi_node tokens = transformer_add(graph, streams[0], normed[0], picture[GATE]);
    if (dual) {
        sumi_node again = attend_again(graph, sd3, block, streams[0], picture);
        tokens = transformer_add(graph, tokens, again, picture[DUAL_GATE]);
    }
    layer_name(name, block, "ff");
    streams[0] = transformer_feed(graph, t, NULL, name, tokens, &picture[FEED_SHIFT]);
    if (last) return;
    streams[1] = transformer_add(graph, streams[1], normed[1], text[GATE]);
    layer_name(name, block, "ff_context");
    streams[1] = transformer_feed(graph, t, NULL, name, streams[1], &text[FEED_SHIFT]);
}

/* The text's states [n, length, texts] and summary [n, pooled]: inputs, or rows of the classes. */
static void read_condition(sumi_graph *graph, const struct sd3 *sd3, const struct net_nodes *nodes,
                           sumi_node *states, sumi_node *pooled)
{
    *states = nodes->at[STATES];
    *pooled = nodes->at[POOLED];
    if (!sd3->classes) return;
    sumi_node classes = nodes->at[CLASS];
    int64_t rows = sd3->classes + 1, shape[3] = {layer_size(graph, classes, 0), 1, sd3->texts};
    *states = layer_embedding(graph, "class_states", classes, rows, sd3->texts, CLASS_DEVIATION);
    *states = sumi_op_reshape(graph, *states, 3, shape);
    *pooled = layer_embedding(graph, "class_pooled", classes, rows, sd3->pooled, CLASS_DEVIATION);
}

/* The activated embedding of the times and of the text's summary, [n, width]. */
static sumi_node embed(sumi_graph *graph, const struct sd3 *sd3, sumi_node times, sumi_node pooled)
{
    int64_t width = sd3->transformer.width;
    sumi_node time = transformer_time(graph, "time_text_embed.timestep_embedder", times, width);
    sumi_node text =
        layer_time_mlp(graph, "time_text_embed.text_embedder", pooled, width, LAYER_START_NORMAL);
    return sumi_op_silu(graph, sumi_op_add(graph, time, text));
}

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const struct sd3 *sd3 = net->settings;
    const struct transformer *t = &sd3->transformer;
    sumi_node x = nodes->at[NET_X], ends[2], states, pooled;
    read_condition(graph, sd3, nodes, &states, &pooled);
    sumi_node condition = embed(graph, sd3, nodes->at[NET_TIMES], pooled);
    sumi_node streams[2] = {place(graph, sd3, transformer_embed(graph, t, x), x),
                            linear(graph, "", "context_embedder", states, t->width)};
    sumi_graph_mark(graph);
    for (int64_t i = 0; i < t->layers; i++) {
        build_block(graph, sd3, i, condition, streams);
        sumi_graph_mark(graph);
    }
    transformer_modulation(graph, t, "norm_out.linear", condition, 2, ends);
    sumi_node tokens = transformer_modulate(graph, NULL, streams[0], ends[1], ends[0], EPSILON);
    return transformer_picture(graph, t, "proj_out", tokens, x);
}

const struct net_type net_type_sd3 = {.class_name = "SD3Transformer2DModel",
                                      .pipeline = "StableDiffusion3Pipeline",
                                      .part = "transformer",
                                      .keys = keys,
                                      .settings_size = sizeof(struct sd3),
                                      .read = read_all,
                                      .build = build};
