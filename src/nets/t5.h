/* SPDX-License-Identifier: Apache-2.0 */
/* T5EncoderModel: the encoder of texts of T5 (Raffel et al. 2020), whose states condition Stable
   Diffusion 3, PixArt and video networks. Its config.json and parameter names are those of the
   transformers library. */
#ifndef SUMI_NETS_T5_H
#define SUMI_NETS_T5_H

#include "graph/graph.h"
#include "nets/config.h"

enum t5_activation { T5_RELU, T5_GELU, T5_GELU_TANH, T5_SILU };

struct t5 {
    int64_t vocabulary, width, inner, layers;
    int64_t heads, head_width;
    int64_t buckets, distance; /* of relative positions, and where the last bucket begins */
    double epsilon;
    enum t5_activation activation;
    bool gated; /* the activation of one linear layer is a factor of another's result */
};

/* Reads the text of a config.json, whose class is "architectures"[0] or "_class_name". `source`
   names it in messages. */
sumi_status t5_parse(sumi_context *context, const char *json, const char *source, struct t5 *t5);

/* Adds the encoder of ids[n, tokens] (int32): the states [n, tokens, width]. mask[n, tokens] is 1
   for tokens and 0 for padding, or -1 where all are seen. */
sumi_node t5_build(const struct t5 *t5, sumi_graph *graph, sumi_node ids, sumi_node mask);

/* The bucket of a key that is `apart` places after its query: those before it have the first half
   of the buckets, small distances one each, larger ones in logarithmic steps. */
int64_t t5_bucket(const struct t5 *t5, int64_t apart);

#endif
