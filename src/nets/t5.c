/* SPDX-License-Identifier: Apache-2.0 */
/* T5's encoder: layers of attention, whose scores are not scaled but get a bias by relative
   position, and of feed-forward networks, each behind an RMS norm; see t5.h. */
#include "nets/t5.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "nets/encoder_config.h"
#include "nets/layers.h"

enum {
    TOKEN_LIMIT = 1 << 24,
    LENGTH_LIMIT = 8192, /* tokens, for which there is a bias of each pair */
    WIDTH_LIMIT = 1 << 16,
    INNER_LIMIT = 1 << 18,
    LAYER_LIMIT = 256,
    BUCKET_LIMIT = 1 << 16,
    DISTANCE_LIMIT = 1 << 20
};

static const struct config_key keys[] = {{"architectures", "null"},
                                         {"vocab_size", "32128"},
                                         {"d_model", "512"},
                                         {"d_kv", "64"},
                                         {"d_ff", "2048"},
                                         {"num_layers", "6"},
                                         {"num_heads", "8"},
                                         {"relative_attention_num_buckets", "32"},
                                         {"relative_attention_max_distance", "128"},
                                         {"layer_norm_epsilon", "1e-06"},
                                         {"feed_forward_proj", "\"relu\""},
                                         {NULL, NULL}};

/* ---- The config ---- */

/* The names after "gated-"; transformers computes "gated-gelu" with the tanh form. */
static const struct {
    const char *plain, *gated;
    enum t5_activation activation, gated_activation;
} activations[] = {
    {"relu", "gated-relu", T5_RELU, T5_RELU},
    {"gelu", "gated-gelu", T5_GELU, T5_GELU_TANH},
    {"gelu_new", "gated-gelu_new", T5_GELU_TANH, T5_GELU_TANH},
    {"gelu_pytorch_tanh", "gated-gelu_pytorch_tanh", T5_GELU_TANH, T5_GELU_TANH},
    {"silu", "gated-silu", T5_SILU, T5_SILU},
    {"swish", "gated-swish", T5_SILU, T5_SILU},
};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

static void read_feed(struct config *config, struct t5 *t5)
{
    const char *names[2 * ACTIVATIONS + 1] = {NULL};
    for (int i = 0; i < ACTIVATIONS; i++) {
        names[2 * i] = activations[i].plain;
        names[2 * i + 1] = activations[i].gated;
    }
    int place = config_choice(config, "feed_forward_proj", names);
    t5->gated = place % 2 == 1;
    t5->activation =
        t5->gated ? activations[place / 2].gated_activation : activations[place / 2].activation;
}

static void read_buckets(struct config *config, struct t5 *t5)
{
    static const char distance[] = "relative_attention_max_distance";
    t5->buckets = config_whole(config, "relative_attention_num_buckets", 4, BUCKET_LIMIT);
    t5->distance = config_whole(config, distance, 1, DISTANCE_LIMIT);
    if (t5->distance <= t5->buckets / 4)
        config_fail(config, "\"%s\" should be above %lld, a quarter of the buckets, not %lld",
                    distance, (long long)(t5->buckets / 4), (long long)t5->distance);
}

sumi_status t5_parse(sumi_context *context, const char *json, const char *source, struct t5 *t5)
{
    static const struct encoder_classes classes = {"T5EncoderModel", NULL, keys};
    struct config config;
    bool second;
    *t5 = (struct t5){.width = 0};
    TRY(encoder_config_open(&config, context, json, source, &classes, &second));
    t5->vocabulary = config_whole(&config, "vocab_size", 1, TOKEN_LIMIT);
    t5->width = config_whole(&config, "d_model", 1, WIDTH_LIMIT);
    t5->head_width = config_whole(&config, "d_kv", 1, WIDTH_LIMIT);
    t5->inner = config_whole(&config, "d_ff", 1, INNER_LIMIT);
    t5->layers = config_whole(&config, "num_layers", 1, LAYER_LIMIT);
    t5->heads = config_whole(&config, "num_heads", 1, WIDTH_LIMIT);
    t5->epsilon = config_number(&config, "layer_norm_epsilon", 1e-12, 1);
    if (t5->heads * t5->head_width > WIDTH_LIMIT)
        config_fail(&config, "\"num_heads\" times \"d_kv\" should be at most %d, not %lld",
                    WIDTH_LIMIT, (long long)(t5->heads * t5->head_width));
    read_buckets(&config, t5);
    read_feed(&config, t5);
    config_close(&config);
    return config.status;
}

/* ---- Relative positions ---- */

int64_t t5_bucket(const struct t5 *t5, int64_t apart)
{
    int64_t half = t5->buckets / 2, single = half / 2, first = apart > 0 ? half : 0;
    int64_t distance = llabs(apart);
    if (distance < single) return first + distance;
    /* In float32, as by transformers, so that no distance at a border changes its bucket. */
    float share = logf((float)distance / (float)single);
    share /= (float)log((double)t5->distance / (double)single);
    int64_t step = (int64_t)(share * (float)(half - single));
    return first + (single + step < half ? single + step : half - 1);
}

/* The buckets of all pairs of a query and a key, [tokens * tokens], as a constant. */
static sumi_node pair_buckets(const struct t5 *t5, sumi_graph *graph, int64_t tokens)
{
    int64_t count = tokens * tokens;
    float *values = context_allocate(graph->context, (size_t)count, sizeof *values);
    if (!values) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return -1;
    }
    for (int64_t i = 0; i < count; i++) values[i] = (float)t5_bucket(t5, i % tokens - i / tokens);
    sumi_node node = sumi_graph_constant(graph, 1, &count, values);
    context_release(graph->context, values);
    return node;
}

/* The bias of scores by relative position, which all layers share: [1, heads, tokens, tokens]. */
static sumi_node position_bias(const struct t5 *t5, sumi_graph *graph, int64_t tokens)
{
    const double deviation = 1 / sqrt((double)t5->width);
    sumi_node bias =
        layer_embedding(graph, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias",
                        pair_buckets(t5, graph, tokens), t5->buckets, t5->heads, deviation);
    bias = sumi_op_reshape(graph, bias, 3, (int64_t[]){tokens, tokens, t5->heads});
    bias = sumi_op_permute(graph, bias, (const int[]){2, 0, 1});
    return sumi_op_reshape(graph, bias, 4, (int64_t[]){1, t5->heads, tokens, tokens});
}

/* The same with padding hidden: [n, heads, tokens, tokens]. */
static sumi_node hide_padding(sumi_graph *graph, sumi_node bias, sumi_node mask)
{
    const double hidden = 1e30;
    if (mask < 0) return bias;
    int64_t shape[4] = {layer_size(graph, mask, 0), 1, 1, layer_size(graph, mask, 1)};
    sumi_node padding = sumi_op_affine(graph, mask, hidden, -hidden);
    return sumi_op_add(graph, bias, sumi_op_reshape(graph, padding, 4, shape));
}

/* ---- Layers ---- */

/* x[..., in] to [..., out] by NAME.weight [out, in], which starts normal. */
static sumi_node linear(sumi_graph *graph, const char *parent, const char *child, sumi_node x,
                        int64_t out, double deviation)
{
    char name[NAME_SIZE];
    if (x < 0) return -1;
    int64_t shape[2] = {out, layer_size(graph, x, graph_shape(graph, x)->rank - 1)};
    layer_name(name, parent, "%s.weight", child);
    sumi_node weight = sumi_graph_weight(graph, name, 2, shape, SUMI_START_NORMAL, deviation);
    return sumi_op_linear(graph, x, weight, -1);
}

static sumi_node norm(const struct t5 *t5, sumi_graph *graph, const char *parent, const char *child,
                      sumi_node x)
{
    char name[NAME_SIZE];
    layer_name(name, parent, "%s.weight", child);
    sumi_node scale = sumi_graph_weight(graph, name, 1, &t5->width, SUMI_START_ONE, 0);
    return sumi_op_rms_norm(graph, x, scale, t5->epsilon);
}

static sumi_node attend(const struct t5 *t5, sumi_graph *graph, const char *name, sumi_node x,
                        sumi_node bias)
{
    const double width = (double)t5->width, head = (double)t5->head_width;
    const int64_t inner = t5->heads * t5->head_width;
    sumi_node q = linear(graph, name, "q", x, inner, 1 / sqrt(width * head));
    sumi_node k = linear(graph, name, "k", x, inner, 1 / sqrt(width));
    sumi_node v = linear(graph, name, "v", x, inner, 1 / sqrt(width));
    x = sumi_op_attention_masked(graph, q, k, v, bias, false, t5->heads, 1);
    return linear(graph, name, "o", x, t5->width, 1 / sqrt((double)inner));
}

static sumi_node activate(sumi_graph *graph, enum t5_activation activation, sumi_node x)
{
    switch (activation) {
    case T5_RELU: return sumi_op_relu(graph, x);
    case T5_GELU: return sumi_op_gelu(graph, x);
    case T5_GELU_TANH: return sumi_op_gelu_tanh(graph, x);
    case T5_SILU: return sumi_op_silu(graph, x);
    }
    return -1;
}

static sumi_node feed(const struct t5 *t5, sumi_graph *graph, const char *name, sumi_node x)
{
    const double in = 1 / sqrt((double)t5->width), out = 1 / sqrt((double)t5->inner);
    sumi_node h = linear(graph, name, t5->gated ? "wi_0" : "wi", x, t5->inner, in);
    h = activate(graph, t5->activation, h);
    if (t5->gated) h = sumi_op_multiply(graph, h, linear(graph, name, "wi_1", x, t5->inner, in));
    return linear(graph, name, "wo", h, t5->width, out);
}

static sumi_node build_block(const struct t5 *t5, sumi_graph *graph, int64_t number, sumi_node x,
                             sumi_node bias)
{
    char layer[NAME_SIZE], name[NAME_SIZE];
    layer_name(layer, "", "encoder.block.%lld.layer.0", (long long)number);
    sumi_node h = norm(t5, graph, layer, "layer_norm", x);
    h = attend(t5, graph, layer_name(name, layer, "SelfAttention"), h, bias);
    x = sumi_op_add(graph, x, h);
    layer_name(layer, "", "encoder.block.%lld.layer.1", (long long)number);
    h = norm(t5, graph, layer, "layer_norm", x);
    h = feed(t5, graph, layer_name(name, layer, "DenseReluDense"), h);
    return sumi_op_add(graph, x, h);
}

sumi_node t5_build(const struct t5 *t5, sumi_graph *graph, sumi_node ids, sumi_node mask)
{
    const int64_t n = layer_size(graph, ids, 0), tokens = layer_size(graph, ids, 1);
    const int64_t count = n * tokens;
    if (tokens > LENGTH_LIMIT) {
        graph_fail(graph, "T5EncoderModel: a text of %lld tokens is longer than %d",
                   (long long)tokens, LENGTH_LIMIT);
        return -1;
    }
    sumi_node x = layer_embedding(graph, "shared", sumi_op_reshape(graph, ids, 1, &count),
                                  t5->vocabulary, t5->width, 1);
    x = sumi_op_reshape(graph, x, 3, (int64_t[]){n, tokens, t5->width});
    sumi_node bias = hide_padding(graph, position_bias(t5, graph, tokens), mask);
    for (int64_t i = 0; i < t5->layers; i++) {
        x = build_block(t5, graph, i, x, bias);
        sumi_graph_mark(graph);
    }
    return norm(t5, graph, "encoder", "final_layer_norm", x);
}
