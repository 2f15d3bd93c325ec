/* SPDX-License-Identifier: Apache-2.0 */
/* UnCLIPTextProjModel (Ramesh et al. 2022, section 2.1): brings the embedding of a picture and
   those of a text into the form in which unCLIP's decoder takes them: tokens before the states of
   the text, and what is added to the time. */
#ifndef SUMI_NETS_TEXT_PROJECTION_H
#define SUMI_NETS_TEXT_PROJECTION_H

#include "graph/graph.h"
#include "nets/config.h"

struct text_projection {
    int64_t tokens;   /* made of the embedding of the picture */
    int64_t clip;     /* channels of embeddings and of the text's states */
    int64_t time;     /* channels of what is added to the time */
    int64_t channels; /* of the states for the decoder */
};

sumi_status text_projection_parse(sumi_context *context, const char *json, const char *source,
                                  struct text_projection *projection);

/* What it takes: images[m, clip], the embedding of a text, pooled[n, clip], and its states[n,
   length, clip]. With `guided`, the batch is n = 2 m items, and the first m are without a picture:
   a learned embedding stands for theirs. Else n = m. */
struct text_projection_input {
    sumi_node images, pooled, states;
    bool guided;
};

/* What it gives: states[n, tokens + length, channels], and added[n, time], the decoder's input
   "embedding". */
struct text_projection_output {
    sumi_node states, added;
};

/* False after a failure, which is recorded in the graph. */
bool text_projection_build(const struct text_projection *projection, sumi_graph *graph,
                           const struct text_projection_input *input,
                           struct text_projection_output *output);

#endif
