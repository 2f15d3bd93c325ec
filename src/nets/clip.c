/* SPDX-License-Identifier: Apache-2.0 */
/* What CLIP's two encoders share: the keys of their configs and the layers; see clip.h. */
#include "nets/clip.h"

#include <math.h>

enum { WIDTH_LIMIT = 16384, INNER_LIMIT = 65536 };

/* ---- Configs ---- */

static void read_sizes(struct config *config, bool projected, struct clip *clip)
{
    static const char *const activations[] = {"quick_gelu", "gelu", "gelu_pytorch_tanh", NULL};
    clip->width = config_whole(config, "hidden_size", 1, WIDTH_LIMIT);
    clip->inner = config_whole(config, "intermediate_size", 1, INNER_LIMIT);
    clip->layers = config_whole(config, "num_hidden_layers", 1, CLIP_LAYERS);
    clip->heads = config_whole(config, "num_attention_heads", 1, WIDTH_LIMIT);
    clip->epsilon = config_number(config, "layer_norm_eps", 1e-12, 1);
    clip->activation = (enum clip_activation)config_choice(config, "hidden_act", activations);
    if (projected) clip->projection = config_whole(config, "projection_dim", 1, WIDTH_LIMIT);
    if (config_number(config, "attention_dropout", 0, 1) != 0)
        config_fail(config, "\"attention_dropout\" should be 0; others are not supported");
    if (clip->width % clip->heads == 0) return;
    config_fail(config,
                "\"hidden_size\" should be a multiple of \"num_attention_heads\" %lld, not %lld",
                (long long)clip->heads, (long long)clip->width);
}

sumi_status clip_open(sumi_context *context, const char *json, const char *source,
                      const struct encoder_classes *classes, struct config *config,
                      struct clip *clip)
{
    bool projected = false;
    TRY(encoder_config_open(config, context, json, source, classes, &projected));
    read_sizes(config, projected, clip);
    return SUMI_OK;
}

/* ---- Layers ---- */

static sumi_node activate(sumi_graph *graph, enum clip_activation activation, sumi_node x)
{
    switch (activation) {
    case CLIP_QUICK_GELU: return sumi_op_gelu_quick(graph, x);
    case CLIP_GELU: return sumi_op_gelu(graph, x);
    case CLIP_GELU_TANH: return sumi_op_gelu_tanh(graph, x);
    }
    return -1;
}

static sumi_node attend(const struct clip *clip, sumi_graph *graph, const char *name, bool causal,
                        sumi_node x)
{
    char part[NAME_SIZE];
    double scale = 1 / sqrt((double)(clip->width / clip->heads));
    sumi_node q = layer_linear(graph, layer_name(part, name, "q_proj"), x, clip->width);
    sumi_node k = layer_linear(graph, layer_name(part, name, "k_proj"), x, clip->width);
    sumi_node v = layer_linear(graph, layer_name(part, name, "v_proj"), x, clip->width);
    x = sumi_op_attention_masked(graph, q, k, v, -1, causal, clip->heads, scale);
    return layer_linear(graph, layer_name(part, name, "out_proj"), x, clip->width);
}

static sumi_node build_layer(const struct clip *clip, sumi_graph *graph, const char *name,
                             bool causal, sumi_node x)
{
    char part[NAME_SIZE];
    sumi_node h = layer_layer_norm(graph, layer_name(part, name, "layer_norm1"), x, clip->epsilon);
    x = sumi_op_add(graph, x, attend(clip, graph, layer_name(part, name, "self_attn"), causal, h));
    h = layer_layer_norm(graph, layer_name(part, name, "layer_norm2"), x, clip->epsilon);
    h = layer_linear(graph, layer_name(part, name, "mlp.fc1"), h, clip->inner);
    h = activate(graph, clip->activation, h);
    h = layer_linear(graph, layer_name(part, name, "mlp.fc2"), h, clip->width);
    return sumi_op_add(graph, x, h);
}

void clip_layers(const struct clip *clip, sumi_graph *graph, const char *prefix, bool causal,
                 struct clip_output *output)
{
    for (int64_t i = 0; i < clip->layers; i++) {
        char name[NAME_SIZE];
        layer_name(name, prefix, "encoder.layers.%lld", (long long)i);
        output->states[i + 1] = build_layer(clip, graph, name, causal, output->states[i]);
        sumi_graph_mark(graph);
    }
}

sumi_node clip_rows(sumi_graph *graph, sumi_node x, sumi_node rows)
{
    int64_t width = layer_size(graph, x, 2);
    int64_t flat[2] = {layer_size(graph, x, 0) * layer_size(graph, x, 1), width};
    return sumi_op_gather(graph, sumi_op_reshape(graph, x, 2, flat), rows);
}

sumi_node clip_project(const struct clip *clip, sumi_graph *graph, const char *name,
                       sumi_node pooled)
{
    const struct layer_linear plain = {false, LAYER_START_TORCH};
    return clip->projection ? layer_linear_of(graph, name, pooled, clip->projection, &plain) : -1;
}
