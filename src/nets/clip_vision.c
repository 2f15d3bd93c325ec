/* SPDX-License-Identifier: Apache-2.0 */
/* CLIPVisionModel and CLIPVisionModelWithProjection: CLIP's encoder of pictures, a vision
   transformer (Dosovitskiy et al. 2021) with a norm before its layers; see clip.h. */
#include <math.h>

#include "nets/clip.h"

enum { SIZE_LIMIT = 4096, CHANNEL_LIMIT = 4096 };

static const struct config_key keys[] = {CLIP_KEYS,
                                         {"hidden_size", "768"},
                                         {"intermediate_size", "3072"},
                                         {"num_attention_heads", "12"},
                                         {"num_channels", "3"},
                                         {"image_size", "224"},
                                         {"patch_size", "32"},
                                         {NULL, NULL}};

sumi_status clip_vision_parse(sumi_context *context, const char *json, const char *source,
                              struct clip_vision *vision)
{
    static const struct encoder_classes classes = {"CLIPVisionModel",
                                                   "CLIPVisionModelWithProjection", keys};
    struct config config;
    *vision = (struct clip_vision){.clip = {.width = 0}};
    TRY(clip_open(context, json, source, &classes, &config, &vision->clip));
    vision->size = config_whole(&config, "image_size", 1, SIZE_LIMIT);
    vision->patch = config_whole(&config, "patch_size", 1, SIZE_LIMIT);
    vision->channels = config_whole(&config, "num_channels", 1, CHANNEL_LIMIT);
    if (vision->size < vision->patch)
        config_fail(&config, "\"image_size\" should be at least \"patch_size\" %lld, not %lld",
                    (long long)vision->patch, (long long)vision->size);
    config_close(&config);
    return config.status;
}

/* The patches of x as [n, patches, width]; pixels that do not fill a patch are left out. */
static sumi_node embed_patches(const struct clip_vision *vision, sumi_graph *graph, sumi_node x)
{
    const struct layer_window window = {
        .rank = 2, .kernel = vision->patch, .stride = vision->patch};
    x = layer_convolution_plain(graph, "vision_model.embeddings.patch_embedding", x,
                                vision->clip.width, &window);
    return layer_sequence(graph, x);
}

/* The class token before the patches, with positions: [n, 1 + patches, width]. */
static sumi_node embed(const struct clip_vision *vision, sumi_graph *graph, sumi_node x)
{
    const double deviation = 0.02;
    int64_t side = vision->size / vision->patch, width = vision->clip.width;
    int64_t tokens = side * side + 1, shape[2] = {tokens, width};
    sumi_node patches = embed_patches(vision, graph, x);
    sumi_node token = sumi_graph_weight(graph, "vision_model.embeddings.class_embedding", 1, &width,
                                        SUMI_START_NORMAL, 1 / sqrt((double)width));
    int64_t items[3] = {layer_size(graph, x, 0), 1, width};
    token = sumi_op_reshape(graph, token, 3, (int64_t[]){1, 1, width});
    sumi_node all = sumi_op_concat(graph, sumi_op_broadcast(graph, token, 3, items), patches, 1);
    sumi_node places = sumi_graph_weight(graph, "vision_model.embeddings.position_embedding.weight",
                                         2, shape, SUMI_START_NORMAL, deviation);
    places = sumi_op_reshape(graph, places, 3, (int64_t[]){1, tokens, width});
    return sumi_op_add(graph, all, places);
}

static bool check_size(const struct clip_vision *vision, sumi_graph *graph, sumi_node x)
{
    int64_t height = layer_size(graph, x, 1), width = layer_size(graph, x, 2);
    if (height == vision->size && width == vision->size) return true;
    graph_fail(graph, "CLIPVisionModel: pictures should be %lldx%lld, not %lldx%lld",
               (long long)vision->size, (long long)vision->size, (long long)height,
               (long long)width);
    return false;
}

void clip_vision_build(const struct clip_vision *vision, sumi_graph *graph, sumi_node x,
                       struct clip_output *output)
{
    const struct clip *clip = &vision->clip;
    *output = (struct clip_output){{-1}, -1, -1, -1};
    if (!check_size(vision, graph, x)) return;
    output->states[0] = layer_layer_norm(graph, "vision_model.pre_layrnorm",
                                         embed(vision, graph, x), clip->epsilon);
    clip_layers(clip, graph, "vision_model", false, output);
    output->last = output->states[clip->layers];
    sumi_node token = sumi_op_slice(graph, output->last, 1, 0, 1);
    int64_t shape[2] = {layer_size(graph, x, 0), clip->width};
    token = sumi_op_reshape(graph, token, 2, shape);
    output->pooled = layer_layer_norm(graph, "vision_model.post_layernorm", token, clip->epsilon);
    output->vector = clip_project(clip, graph, "visual_projection", output->pooled);
}
