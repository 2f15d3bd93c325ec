/* SPDX-License-Identifier: Apache-2.0 */
/* CogVideoXTransformer3DModel (Yang et al. 2024): the tokens of a text and those of a video, which
   are patches of one or several frames, attend to each other in one sequence; both go through the
   same layers, but are modulated by the time separately. Items are latents [frames, height, width,
   c]. */
#include <math.h>

#include "nets/time_embedding.h"
#include "nets/transformer.h"

enum { SIZE_LIMIT = 1 << 16, TEXT_LIMIT = 1 << 16 };

struct cogvideox {
    struct transformer transformer;
    int64_t span;        /* frames of a patch */
    bool linear_patches; /* whether patches have the layer that those of several frames do */
    bool patch_bias;
    int64_t frames, height, width; /* of a latent in training */
    int64_t text, most_text;       /* channels of the text's states, tokens of the longest text */
    int64_t time_width, offset_width; /* of embeddings; offset_width 0: there is none */
    struct time_waves waves;
    enum layer_activation activation; /* of the times */
    bool rotary, learned;             /* positions; else sines */
    double space_scale, time_scale;   /* positions are divided by them */
};

enum { STATES = NET_TIMES + 1, OFFSETS };

static const struct config_key keys[] = {{"num_attention_heads", "30"},
                                         {"attention_head_dim", "64"},
                                         {"in_channels", "16"},
                                         {"out_channels", "16"},
                                         {"flip_sin_to_cos", "true"},
                                         {"freq_shift", "0"},
                                         {"time_embed_dim", "512"},
                                         {"ofs_embed_dim", "null"},
                                         {"text_embed_dim", "4096"},
                                         {"num_layers", "30"},
                                         {"dropout", "0.0"},
                                         {"attention_bias", "true"},
                                         {"sample_width", "90"},
                                         {"sample_height", "60"},
                                         {"sample_frames", "49"},
                                         {"patch_size", "2"},
                                         {"patch_size_t", "null"},
                                         {"temporal_compression_ratio", "4"},
                                         {"max_text_seq_length", "226"},
                                         {"activation_fn", "\"gelu-approximate\""},
                                         {"timestep_activation_fn", "\"silu\""},
                                         {"norm_elementwise_affine", "true"},
                                         {"norm_eps", "1e-05"},
                                         {"spatial_interpolation_scale", "1.875"},
                                         {"temporal_interpolation_scale", "1.0"},
                                         {"use_rotary_positional_embeddings", "false"},
                                         {"use_learned_positional_embeddings", "false"},
                                         {"patch_bias", "true"},
                                         {NULL, NULL}};

/* ---- The config ---- */

static void read_channels(struct config *config, struct cogvideox *c)
{
    struct transformer *t = &c->transformer;
    int64_t most = TRANSFORMER_CHANNELS;
    transformer_read_width(config, t);
    t->in_channels = config_whole(config, "in_channels", 1, most);
    t->out_channels = config_whole_or(config, "out_channels", 1, most, t->in_channels);
    t->layers = config_whole(config, "num_layers", 1, TRANSFORMER_LAYERS);
    transformer_read_blocks(config, t);
    c->text = config_whole(config, "text_embed_dim", 1, most);
    c->most_text = config_whole(config, "max_text_seq_length", 1, TEXT_LIMIT);
}

static void read_time(struct config *config, struct cogvideox *c)
{
    c->time_width = config_whole(config, "time_embed_dim", 1, TRANSFORMER_CHANNELS);
    c->offset_width = config_whole_or(config, "ofs_embed_dim", 2, TRANSFORMER_CHANNELS, 0);
    c->waves = (struct time_waves){
        c->transformer.width, (double)config_whole(config, "freq_shift", -SIZE_LIMIT, SIZE_LIMIT),
        config_flag(config, "flip_sin_to_cos")};
    c->activation = layer_activation_read(config, "timestep_activation_fn");
    if (c->offset_width && c->offset_width != c->time_width)
        config_fail(config, "\"ofs_embed_dim\" should be \"time_embed_dim\" %lld, not %lld",
                    (long long)c->time_width, (long long)c->offset_width);
}

/* The size of latents, and how they are cut into patches. */
static void read_size(struct config *config, struct cogvideox *c)
{
    struct transformer *t = &c->transformer;
    int64_t ratio = config_whole(config, "temporal_compression_ratio", 1, SIZE_LIMIT);
    c->width = config_whole(config, "sample_width", 1, SIZE_LIMIT);
    c->height = config_whole(config, "sample_height", 1, SIZE_LIMIT);
    c->frames = (config_whole(config, "sample_frames", 1, NET_SIZE) - 1) / ratio + 1;
    t->patch = config_whole(config, "patch_size", 1, TRANSFORMER_PATCH);
    c->linear_patches = !config_is_null(config, "patch_size_t");
    c->span = config_whole_or(config, "patch_size_t", 1, TRANSFORMER_PATCH, 1);
    c->patch_bias = config_flag(config, "patch_bias") || c->linear_patches;
    if (c->width % t->patch || c->height % t->patch)
        config_fail(config,
                    "\"sample_width\" %lld and \"sample_height\" %lld should be multiples of "
                    "\"patch_size\" %lld",
                    (long long)c->width, (long long)c->height, (long long)t->patch);
    c->frames = (c->frames + c->span - 1) / c->span * c->span;
}

static void read_positions(struct config *config, struct cogvideox *c)
{
    enum { DIVISOR = 16 }; /* for a quarter and twice 3/8 of pairs */
    const struct transformer *t = &c->transformer;
    c->rotary = config_flag(config, "use_rotary_positional_embeddings");
    c->learned = config_flag(config, "use_learned_positional_embeddings");
    c->space_scale = config_number(config, "spatial_interpolation_scale", 1e-6, 1e6);
    c->time_scale = config_number(config, "temporal_interpolation_scale", 1e-6, 1e6);
    if (c->learned && !c->rotary)
        config_fail(config, "\"use_learned_positional_embeddings\" is supported only with "
                            "\"use_rotary_positional_embeddings\"");
    if (c->learned && c->linear_patches)
        config_fail(config, "\"use_learned_positional_embeddings\" is not supported with "
                            "\"patch_size_t\"");
    if ((!c->rotary || c->learned) && t->width % DIVISOR)
        config_fail(config,
                    "\"num_attention_heads\" times \"attention_head_dim\" should be a multiple of "
                    "%d, not %lld",
                    DIVISOR, (long long)t->width);
    if (c->rotary && t->head_width % DIVISOR)
        config_fail(config, "\"attention_head_dim\" should be a multiple of %d, not %lld", DIVISOR,
                    (long long)t->head_width);
}

static void read_all(struct config *config, struct net *net)
{
    struct cogvideox *c = net->settings;
    struct transformer *t = &c->transformer;
    read_channels(config, c);
    read_time(config, c);
    read_size(config, c);
    read_positions(config, c);
    net_declare_item(net, SUMI_VIDEO, (int64_t[]){c->frames, c->height, c->width, t->in_channels});
    net->out_channels = t->out_channels;
    net->any_size = !c->learned;
    net_declare(net, &(sumi_input){.name = "states", .rank = 3, .shape = {0, 0, c->text}});
    if (c->learned) net->possible[STATES] = c->most_text;
    if (c->offset_width) net_declare(net, &(sumi_input){.name = "ofs", .rank = 1});
}

/* ---- Patches ---- */

/* The sizes of a video and of the grid of its patches. */
struct grid {
    int64_t n, frames, rows, columns; /* of patches */
    int64_t span, patch;              /* frames and pixels of a patch */
};

static bool find_grid(sumi_graph *graph, const struct cogvideox *c, sumi_node x, struct grid *grid)
{
    const struct shape *video = graph_shape(graph, x);
    int64_t patch = c->transformer.patch;
    *grid = (struct grid){video->size[0],
                          video->size[1] / c->span,
                          video->size[2] / patch,
                          video->size[3] / patch,
                          c->span,
                          patch};
    if (video->size[1] % c->span == 0 && video->size[2] % patch == 0 && video->size[3] % patch == 0)
        return true;
    char text[SHAPE_TEXT];
    graph_fail(graph,
               "CogVideoXTransformer3DModel: patches of %lldx%lldx%lld do not divide the frames, "
               "rows and columns of %s",
               (long long)c->span, (long long)patch, (long long)patch, shape_text(video, text));
    return false;
}

/* x[n, frames, height, width, c] as patches [n, patches, c * span * patch * patch], each channel by
   channel. */
static sumi_node cut(sumi_graph *graph, const struct grid *g, sumi_node x)
{
    int64_t channels = layer_size(graph, x, 4), numbers = channels * g->span * g->patch * g->patch;
    x = sumi_op_reshape(
        graph, x, 8,
        (int64_t[]){g->n, g->frames, g->span, g->rows, g->patch, g->columns, g->patch, channels});
    x = sumi_op_permute(graph, x, (const int[]){0, 1, 3, 5, 7, 2, 4, 6});
    return sumi_op_reshape(graph, x, 3,
                           (int64_t[]){g->n, g->frames * g->rows * g->columns, numbers});
}

static sumi_node join(sumi_graph *graph, const struct grid *g, sumi_node patches, int64_t channels)
{
    patches = sumi_op_reshape(
        graph, patches, 8,
        (int64_t[]){g->n, g->frames, g->rows, g->columns, channels, g->span, g->patch, g->patch});
    patches = sumi_op_permute(graph, patches, (const int[]){0, 1, 5, 2, 6, 3, 7, 4});
    return sumi_op_reshape(graph, patches, 5,
                           (int64_t[]){g->n, g->frames * g->span, g->rows * g->patch,
                                       g->columns * g->patch, channels});
}

/* The linear layer of patches; the weight of those of one frame has the shape of a convolution. */
static sumi_node embed_patches(sumi_graph *graph, const struct cogvideox *c, const struct grid *g,
                               sumi_node x)
{
    const struct transformer *t = &c->transformer;
    int64_t numbers = t->in_channels * g->span * g->patch * g->patch;
    int64_t stored[4] = {t->width, t->in_channels, g->patch, g->patch};
    int64_t flat[2] = {t->width, numbers};
    sumi_node weight =
        sumi_graph_weight(graph, "patch_embed.proj.weight", c->linear_patches ? 2 : 4,
                          c->linear_patches ? flat : stored, SUMI_START_FAN_IN, (double)numbers);
    sumi_node bias = -1;
    if (c->patch_bias)
        bias = sumi_graph_weight(graph, "patch_embed.proj.bias", 1, &t->width, SUMI_START_FAN_IN,
                                 (double)numbers);
    return sumi_op_linear(graph, cut(graph, g, x), sumi_op_reshape(graph, weight, 2, flat), bias);
}

/* ---- Positions ---- */

static float *allocate(sumi_graph *graph, int64_t rows, int64_t columns)
{
    float *values =
        context_allocate_zeroed(graph->context, (size_t)rows, (size_t)columns * sizeof *values);
    if (!values) graph_fail_with(graph, SUMI_ERROR_MEMORY);
    return values;
}

static struct position_video video_of(const struct cogvideox *c, const struct grid *g)
{
    return (struct position_video){g->frames, g->rows, g->columns, c->time_scale, c->space_scale};
}

/* The sines of the places of video tokens: [1, tokens, width], after `text` rows of zeros. */
static float *sine_table(sumi_graph *graph, const struct cogvideox *c, const struct grid *g,
                         int64_t text)
{
    const struct position_video video = video_of(c, g);
    int64_t width = c->transformer.width;
    float *table = allocate(graph, text + g->frames * g->rows * g->columns, width);
    if (table) positions_of_video(&video, width, table + text * width);
    return table;
}

/* Adds positions to the tokens [n, length, width] of the text and the video, of which the first
   `text` are the text's. */
static sumi_node place(sumi_graph *graph, const struct cogvideox *c, const struct grid *g,
                       sumi_node tokens, int64_t text)
{
    int64_t length = layer_size(graph, tokens, 1);
    const int64_t shape[3] = {1, length, c->transformer.width};
    sumi_node node;
    if (c->learned && text != c->most_text) {
        graph_fail(graph,
                   "CogVideoXTransformer3DModel: there are learned positions for texts of %lld "
                   "tokens (\"max_text_seq_length\"), not %lld",
                   (long long)c->most_text, (long long)text);
        return -1;
    }
    float *table = sine_table(graph, c, g, text);
    if (!table) return -1;
    if (c->learned) node = graph_table(graph, "patch_embed.pos_embedding", 3, shape, table);
    else node = sumi_graph_constant(graph, 3, shape, table);
    context_release(graph->context, table);
    return sumi_op_add(graph, tokens, node);
}

/* Tables of rotary positions, which all blocks share; -1 without. */
struct rotary {
    sumi_node cosine, sine;
};

static struct rotary make_rotary(sumi_graph *graph, const struct cogvideox *c, const struct grid *g)
{
    struct rotary rotary = {-1, -1};
    const struct position_video video = video_of(c, g);
    int64_t patch = c->transformer.patch, pairs = c->transformer.head_width / 2;
    const int64_t shape[2] = {g->frames * g->rows * g->columns, pairs};
    struct position_window window = {.down = 1, .across = 1};
    if (!c->rotary) return rotary;
    if (!c->linear_patches)
        window = positions_window(g->rows, g->columns, c->height / patch, c->width / patch);
    float *cosine = allocate(graph, shape[0], pairs), *sine = allocate(graph, shape[0], pairs);
    if (cosine && sine) {
        positions_rotary(&video, &window, pairs, cosine, sine);
        rotary.cosine = sumi_graph_constant(graph, 2, shape, cosine);
        rotary.sine = sumi_graph_constant(graph, 2, shape, sine);
    }
    context_release(graph->context, cosine);
    context_release(graph->context, sine);
    return rotary;
}

/* Turns the tokens of the video, which come after `text` others. */
static sumi_node turn(sumi_graph *graph, const struct transformer *t, const struct rotary *rotary,
                      sumi_node x, int64_t text)
{
    if (rotary->cosine < 0) return x;
    int64_t length = layer_size(graph, x, 1) - text;
    sumi_node own = sumi_op_slice(graph, x, 1, 0, text);
    sumi_node video = sumi_op_slice(graph, x, 1, text, length);
    video = sumi_op_rotary(graph, video, rotary->cosine, rotary->sine, t->heads);
    return sumi_op_concat(graph, own, video, 1);
}

/* ---- Blocks ---- */

enum { SHIFT, SCALE, GATE, TEXT_SHIFT, TEXT_SCALE, TEXT_GATE, PARTS };

/* What all blocks share: the activated embedding of the time, and the number of the text's
   tokens. */
struct stream {
    const struct cogvideox *c;
    sumi_node condition;
    int64_t text;
    struct rotary rotary;
};

/* The tokens modulated by the layer and the norm under BLOCK.CHILD, the text's by parts of their
   own; *gates receives the gates of both. */
static sumi_node modulate(sumi_graph *graph, const struct stream *s, const char *block,
                          const char *child, sumi_node tokens, sumi_node gates[2])
{
    const struct transformer *t = &s->c->transformer;
    char name[NAME_SIZE], norm[NAME_SIZE];
    sumi_node parts[PARTS];
    int64_t length = layer_size(graph, tokens, 1);
    layer_name(name, block, "%s.linear", child);
    layer_name(norm, block, "%s.norm", child);
    transformer_modulation(graph, t, name, s->condition, PARTS, parts);
    gates[0] = parts[TEXT_GATE];
    gates[1] = parts[GATE];
    sumi_node text = sumi_op_slice(graph, tokens, 1, 0, s->text);
    sumi_node video = sumi_op_slice(graph, tokens, 1, s->text, length - s->text);
    const char *used = t->affine ? norm : NULL;
    text =
        transformer_modulate(graph, used, text, parts[TEXT_SHIFT], parts[TEXT_SCALE], t->epsilon);
    video = transformer_modulate(graph, used, video, parts[SHIFT], parts[SCALE], t->epsilon);
    return sumi_op_concat(graph, text, video, 1);
}

/* tokens + gate layer, with a gate for the text and one for the video. */
static sumi_node add(sumi_graph *graph, const struct stream *s, sumi_node tokens, sumi_node layer,
                     const sumi_node gates[2])
{
    int64_t width = s->c->transformer.width, n = layer_size(graph, tokens, 0);
    int64_t length = layer_size(graph, tokens, 1), first = 0;
    sumi_node parts[2];
    for (int i = 0; i < 2; i++) {
        int64_t count = i ? length - s->text : s->text;
        sumi_node gate = sumi_op_reshape(graph, gates[i], 3, (int64_t[]){n, 1, width});
        parts[i] = sumi_op_multiply(graph, sumi_op_slice(graph, layer, 1, first, count), gate);
        first += count;
    }
    return sumi_op_add(graph, tokens, sumi_op_concat(graph, parts[0], parts[1], 1));
}

static sumi_node attend(sumi_graph *graph, const struct stream *s, const char *name,
                        sumi_node tokens)
{
    const struct transformer *t = &s->c->transformer;
    const struct layer_linear kind = {t->attention_bias, LAYER_START_XAVIER};
    static const char *const layers[] = {"to_q", "to_k", "to_v"};
    static const char *const norms[] = {"norm_q", "norm_k"};
    char part[NAME_SIZE];
    sumi_node qkv[3];
    for (int i = 0; i < 3; i++) {
        layer_name(part, name, "%s", layers[i]);
        qkv[i] = layer_linear_of(graph, part, tokens, t->width, &kind);
        if (i == 2) break;
        layer_name(part, name, "%s", norms[i]);
        qkv[i] = transformer_norm_heads(graph, t, HEADS_LAYER, part, qkv[i]);
        qkv[i] = turn(graph, t, &s->rotary, qkv[i], s->text);
    }
    sumi_node h =
        sumi_op_attention(graph, qkv[0], qkv[1], qkv[2], t->heads, 1 / sqrt((double)t->head_width));
    const struct layer_linear out = {true, LAYER_START_XAVIER};
    return layer_linear_of(graph, layer_name(part, name, "to_out.0"), h, t->width, &out);
}

static sumi_node build_block(sumi_graph *graph, const struct stream *s, int64_t number,
                             sumi_node tokens)
{
    const struct transformer *t = &s->c->transformer;
    char block[NAME_SIZE], name[NAME_SIZE];
    sumi_node gates[2];
    layer_name(block, "transformer_blocks", "%lld", (long long)number);
    sumi_node h = modulate(graph, s, block, "norm1", tokens, gates);
    h = attend(graph, s, layer_name(name, block, "attn1"), h);
    tokens = add(graph, s, tokens, h, gates);
    h = modulate(graph, s, block, "norm2", tokens, gates);
    h = transformer_feed_plain(graph, t, layer_name(name, block, "ff"), h);
    if (t->dropout > 0) h = sumi_op_dropout(graph, h, t->dropout);
    return add(graph, s, tokens, h, gates);
}

/* ---- The forward pass ---- */

/* The activated embedding of the times and, where the network takes them, of the offsets. */
static sumi_node embed_time(sumi_graph *graph, const struct cogvideox *c,
                            const struct net_nodes *nodes)
{
    const struct layer_mlp mlp = {c->time_width, c->time_width, c->activation, LAYER_START_NORMAL};
    sumi_node waves = time_waves(graph, &c->waves, nodes->at[NET_TIMES]);
    sumi_node embedding = layer_mlp(graph, "time_embedding", waves, &mlp);
    if (c->offset_width) {
        struct time_waves kind = c->waves;
        kind.channels = c->offset_width;
        waves = time_waves(graph, &kind, nodes->at[OFFSETS]);
        embedding = sumi_op_add(graph, embedding, layer_mlp(graph, "ofs_embedding", waves, &mlp));
    }
    return sumi_op_silu(graph, embedding);
}

/* The video's tokens after the last block to patches. */
static sumi_node finish(sumi_graph *graph, const struct stream *s, const struct grid *g,
                        sumi_node video)
{
    const struct transformer *t = &s->c->transformer;
    const struct layer_linear zero = {true, LAYER_START_ZERO};
    sumi_node ends[2];
    transformer_modulation(graph, t, "norm_out.linear", s->condition, 2, ends);
    if (t->affine) video = layer_layer_norm(graph, "norm_final", video, t->epsilon);
    else video = sumi_op_layer_norm(graph, video, -1, -1, t->epsilon);
    video = transformer_modulate(graph, t->affine ? "norm_out.norm" : NULL, video, ends[0], ends[1],
                                 t->epsilon);
    int64_t numbers = t->out_channels * g->span * g->patch * g->patch;
    return layer_linear_of(graph, "proj_out", video, numbers, &zero);
}

static sumi_node build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes)
{
    const struct cogvideox *c = net->settings;
    const struct transformer *t = &c->transformer;
    sumi_node x = nodes->at[NET_X], states = nodes->at[STATES];
    struct grid grid;
    if (!find_grid(graph, c, x, &grid)) return -1;
    struct stream s = {.c = c,
                       .condition = embed_time(graph, c, nodes),
                       .text = layer_size(graph, states, 1),
                       .rotary = make_rotary(graph, c, &grid)};
    sumi_node text = layer_linear(graph, "patch_embed.text_proj", states, t->width);
    sumi_node tokens = sumi_op_concat(graph, text, embed_patches(graph, c, &grid, x), 1);
    if (!c->rotary || c->learned) tokens = place(graph, c, &grid, tokens, s.text);
    if (t->dropout > 0) tokens = sumi_op_dropout(graph, tokens, t->dropout);
    if (tokens < 0) return -1;
    sumi_graph_mark(graph);
    for (int64_t i = 0; i < t->layers; i++) {
        tokens = build_block(graph, &s, i, tokens);
        sumi_graph_mark(graph);
    }
    int64_t patches = layer_size(graph, tokens, 1) - s.text;
    sumi_node video = sumi_op_slice(graph, tokens, 1, s.text, patches);
    return join(graph, &grid, finish(graph, &s, &grid, video), t->out_channels);
}

const struct net_type net_type_cogvideox = {.class_name = "CogVideoXTransformer3DModel",
                                            .part = "transformer",
                                            .pipeline = "CogVideoXPipeline",
                                            .keys = keys,
                                            .settings_size = sizeof(struct cogvideox),
                                            .read = read_all,
                                            .build = build};
