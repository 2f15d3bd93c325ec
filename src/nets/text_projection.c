/* SPDX-License-Identifier: Apache-2.0 */
/* The projections of unCLIP's decoder; see text_projection.h. */
#include "nets/text_projection.h"

#include "nets/layers.h"

static const char CLASS[] = "UnCLIPTextProjModel";
static const double EPSILON = 1e-5;

static const struct config_key keys[] = {{"clip_extra_context_tokens", "4"},
                                         {"clip_embeddings_dim", "768"},
                                         {"time_embed_dim", "null"},
                                         {"cross_attention_dim", "null"},
                                         {NULL, NULL}};

sumi_status text_projection_parse(sumi_context *context, const char *json, const char *source,
                                  struct text_projection *projection)
{
    enum { TOKENS = 4096, CHANNELS = 1 << 16 };
    struct config config;
    *projection = (struct text_projection){.tokens = 0};
    TRY(config_parse(&config, context, json, source, CLASS, keys));
    projection->tokens = config_whole(&config, "clip_extra_context_tokens", 1, TOKENS);
    projection->clip = config_whole(&config, "clip_embeddings_dim", 1, CHANNELS);
    projection->time = config_whole(&config, "time_embed_dim", 1, CHANNELS);
    projection->channels = config_whole(&config, "cross_attention_dim", 1, CHANNELS);
    config_close(&config);
    return config.status;
}

/* The embeddings of pictures, after m rows of the learned one where the batch is guided. The weight
   is there in any case. */
static sumi_node embeddings(const struct text_projection *projection, sumi_graph *graph,
                            const struct text_projection_input *input)
{
    int64_t shape[2] = {layer_size(graph, input->images, 0), projection->clip};
    sumi_node none = sumi_graph_weight(graph, "learned_classifier_free_guidance_embeddings", 1,
                                       &projection->clip, SUMI_START_ZERO, 0);
    if (!input->guided) return input->images;
    none = sumi_op_reshape(graph, none, 2, (int64_t[]){1, projection->clip});
    return sumi_op_concat(graph, sumi_op_broadcast(graph, none, 2, shape), input->images, 0);
}

/* Tokens [n, tokens, channels] of the embeddings: element channel * tokens + token of the linear
   layer's result is the token's channel. */
static sumi_node make_tokens(const struct text_projection *projection, sumi_graph *graph,
                             sumi_node images)
{
    int64_t n = layer_size(graph, images, 0);
    int64_t shape[3] = {n, projection->channels, projection->tokens};
    sumi_node tokens = layer_linear(graph, "clip_extra_context_tokens_proj", images,
                                    projection->tokens * projection->channels);
    tokens = sumi_op_reshape(graph, tokens, 3, shape);
    return sumi_op_permute(graph, tokens, (const int[]){0, 2, 1});
}

bool text_projection_build(const struct text_projection *projection, sumi_graph *graph,
                           const struct text_projection_input *input,
                           struct text_projection_output *output)
{
    sumi_node images = embeddings(projection, graph, input);
    if (layer_size(graph, images, 0) != layer_size(graph, input->pooled, 0)) {
        graph_fail(graph, "%s: there are %lld texts for %lld embeddings of pictures", CLASS,
                   (long long)layer_size(graph, input->pooled, 0),
                   (long long)layer_size(graph, images, 0));
        return false;
    }
    sumi_node text = layer_linear(graph, "embedding_proj", input->pooled, projection->time);
    sumi_node image = layer_linear(graph, "clip_image_embeddings_project_to_time_embeddings",
                                   images, projection->time);
    output->added = sumi_op_add(graph, image, text);
    sumi_node states =
        layer_linear(graph, "encoder_hidden_states_proj", input->states, projection->channels);
    states = layer_layer_norm(graph, "text_encoder_hidden_states_norm", states, EPSILON);
    output->states = sumi_op_concat(graph, make_tokens(projection, graph, images), states, 1);
    return sumi_graph_status(graph) == SUMI_OK;
}
