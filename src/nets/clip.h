/* SPDX-License-Identifier: Apache-2.0 */
/* CLIP's two encoders (Radford et al. 2021), each a transformer whose config.json and parameter
   names are those of the transformers library: of texts (clip_text.c), by which networks are
   conditioned, and of pictures (clip_vision.c). clip.c has the layers that both share. */
#ifndef SUMI_NETS_CLIP_H
#define SUMI_NETS_CLIP_H

#include "graph/graph.h"
#include "nets/encoder_config.h"
#include "nets/layers.h"

enum { CLIP_LAYERS = 128 };

/* The shape of an encoder. */
struct clip {
    int64_t width, inner, layers, heads;
    int64_t projection; /* channels of the vector of an item; 0: its class has none */
    double epsilon;
    enum clip_activation { CLIP_QUICK_GELU, CLIP_GELU, CLIP_GELU_TANH } activation;
};

struct clip_text {
    struct clip clip;
    int64_t vocabulary, positions; /* numbers of tokens, and of places in a text */
    int64_t end;                   /* the token that ends a text; see clip_text_ends */
};

struct clip_vision {
    struct clip clip;
    int64_t size, patch, channels; /* of pictures: their side, that of a patch, and channels */
};

/* Reads the text of a config.json, whose class is "architectures"[0] or "_class_name". `source`
   names it in messages. */
sumi_status clip_text_parse(sumi_context *context, const char *json, const char *source,
                            struct clip_text *text);
sumi_status clip_vision_parse(sumi_context *context, const char *json, const char *source,
                              struct clip_vision *vision);

/* What an encoder computes. The states have a row for each token, [n, tokens, width]: state 0 goes
   into the first layer, state i leaves layer i. */
struct clip_output {
    sumi_node states[CLIP_LAYERS + 1];
    sumi_node last;   /* of a text: the last state after the final norm */
    sumi_node pooled; /* [n, width]: the token that stands for the item */
    sumi_node vector; /* [n, projection]; -1 where there is none */
};

/* Adds the encoder of ids[n, tokens] (int32) to a graph. `ends`[n] (int32) are the rows of the
   tokens that stand for their texts among all n * tokens, from clip_text_ends. */
void clip_text_build(const struct clip_text *text, sumi_graph *graph, sumi_node ids, sumi_node ends,
                     struct clip_output *output);

/* The final norm of a text's state, which output->last has of the last one. */
sumi_node clip_text_norm(const struct clip_text *text, sumi_graph *graph, sumi_node state);

/* The rows ends[n] of ids[n, tokens]: in each text the first `end` token, or its first token if
   there is none. In old files, whose end is 2, it is the first of the largest tokens, which is the
   one that ends texts of that vocabulary. */
void clip_text_ends(const struct clip_text *text, int64_t n, int64_t tokens, const int32_t *ids,
                    int32_t *ends);

/* Adds the encoder of pictures x[n, size, size, channels], prepared as CLIP's. */
void clip_vision_build(const struct clip_vision *vision, sumi_graph *graph, sumi_node x,
                       struct clip_output *output);

/* ---- Shared by both (clip.c) ---- */

/* The keys of both configs that have the same default. */
#define CLIP_KEYS                                                                                  \
    {"architectures", "null"}, {"num_hidden_layers", "12"}, {"hidden_act", "\"quick_gelu\""},      \
        {"layer_norm_eps", "1e-05"}, {"projection_dim", "512"},                                    \
    {                                                                                              \
        "attention_dropout", "0.0"                                                                 \
    }

/* Opens the config of one of two classes, without and with a projection, and reads the keys of
   CLIP_KEYS and the sizes. The caller closes `config`. */
sumi_status clip_open(sumi_context *context, const char *json, const char *source,
                      const struct encoder_classes *classes, struct config *config,
                      struct clip *clip);

/* The layers under the name PREFIX.encoder.layers, from output->states[0] on; `causal`: a token
   sees only those before it. */
void clip_layers(const struct clip *clip, sumi_graph *graph, const char *prefix, bool causal,
                 struct clip_output *output);

/* Row numbers rows[n] of x[n, tokens, width]: [n, width]. */
sumi_node clip_rows(sumi_graph *graph, sumi_node x, sumi_node rows);

/* The vector of `pooled` by the weight NAME.weight; -1 for a class without one. */
sumi_node clip_project(const struct clip *clip, sumi_graph *graph, const char *name,
                       sumi_node pooled);

#endif
