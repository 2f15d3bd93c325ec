/* SPDX-License-Identifier: Apache-2.0 */
/* CLIPTextModel and CLIPTextModelWithProjection: CLIP's encoder of texts, a causal transformer; see
   clip.h. */
#include "nets/clip.h"

enum { TOKEN_LIMIT = 1 << 24, PLACE_LIMIT = 1 << 16, OLD_END = 2 };

static const struct config_key keys[] = {CLIP_KEYS,
                                         {"vocab_size", "49408"},
                                         {"hidden_size", "512"},
                                         {"intermediate_size", "2048"},
                                         {"num_attention_heads", "8"},
                                         {"max_position_embeddings", "77"},
                                         {"eos_token_id", "49407"},
                                         {NULL, NULL}};

sumi_status clip_text_parse(sumi_context *context, const char *json, const char *source,
                            struct clip_text *text)
{
    static const struct encoder_classes classes = {"CLIPTextModel", "CLIPTextModelWithProjection",
                                                   keys};
    struct config config;
    *text = (struct clip_text){.clip = {.width = 0}};
    TRY(clip_open(context, json, source, &classes, &config, &text->clip));
    text->vocabulary = config_whole(&config, "vocab_size", 1, TOKEN_LIMIT);
    text->positions = config_whole(&config, "max_position_embeddings", 1, PLACE_LIMIT);
    text->end = config_whole(&config, "eos_token_id", 0, TOKEN_LIMIT);
    config_close(&config);
    return config.status;
}

/* The row of a text's end among its tokens. */
static int64_t end_of(const struct clip_text *text, int64_t tokens, const int32_t *ids)
{
    int64_t largest = 0;
    for (int64_t i = 0; i < tokens; i++) {
        if (text->end != OLD_END && ids[i] == text->end) return i;
        if (ids[i] > ids[largest]) largest = i;
    }
    return text->end == OLD_END ? largest : 0;
}

void clip_text_ends(const struct clip_text *text, int64_t n, int64_t tokens, const int32_t *ids,
                    int32_t *ends)
{
    for (int64_t i = 0; i < n; i++)
        ends[i] = (int32_t)(i * tokens + end_of(text, tokens, ids + i * tokens));
}

/* The embeddings of the tokens and of their places: [n, tokens, width]. */
static sumi_node embed(const struct clip_text *text, sumi_graph *graph, sumi_node ids)
{
    const double token_deviation = 0.02, place_deviation = 0.01; /* of the paper's code */
    int64_t n = layer_size(graph, ids, 0), tokens = layer_size(graph, ids, 1), count = n * tokens;
    int64_t width = text->clip.width, shape[2] = {text->positions, width};
    if (tokens > text->positions) {
        graph_fail(graph, "CLIPTextModel: a text of %lld tokens is longer than the %lld places",
                   (long long)tokens, (long long)text->positions);
        return -1;
    }
    sumi_node flat = sumi_op_reshape(graph, ids, 1, &count);
    sumi_node x = layer_embedding(graph, "text_model.embeddings.token_embedding", flat,
                                  text->vocabulary, width, token_deviation);
    sumi_node places = sumi_graph_weight(graph, "text_model.embeddings.position_embedding.weight",
                                         2, shape, SUMI_START_NORMAL, place_deviation);
    places = sumi_op_slice(graph, places, 0, 0, tokens);
    places = sumi_op_reshape(graph, places, 3, (int64_t[]){1, tokens, width});
    return sumi_op_add(graph, sumi_op_reshape(graph, x, 3, (int64_t[]){n, tokens, width}), places);
}

sumi_node clip_text_norm(const struct clip_text *text, sumi_graph *graph, sumi_node state)
{
    return layer_layer_norm(graph, "text_model.final_layer_norm", state, text->clip.epsilon);
}

void clip_text_build(const struct clip_text *text, sumi_graph *graph, sumi_node ids, sumi_node ends,
                     struct clip_output *output)
{
    const struct clip *clip = &text->clip;
    output->states[0] = embed(text, graph, ids);
    clip_layers(clip, graph, "text_model", true, output);
    output->last = clip_text_norm(text, graph, output->states[clip->layers]);
    output->pooled = clip_rows(graph, output->last, ends);
    output->vector = clip_project(clip, graph, "text_projection", output->pooled);
}
