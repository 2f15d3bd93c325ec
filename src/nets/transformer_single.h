/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers whose blocks are all modulated by one layer of the time, to which each block adds a
   table of its own (adaLN-single; Chen et al. 2024, 2.3), and that look at a text by
   cross-attention: PixArtTransformer2DModel and LatteTransformer3DModel.

   A video's tokens are [n, frames * patches, width], frame by frame. */
#ifndef SUMI_NETS_TRANSFORMER_SINGLE_H
#define SUMI_NETS_TRANSFORMER_SINGLE_H

#include "nets/transformer.h"

/* Which tokens of a video attend to each other: all of an item, those of a frame, or those at one
   place of all frames. */
enum single_view { VIEW_ALL, VIEW_FRAMES, VIEW_PLACES };

/* What a block reads beside its tokens. */
struct single_block {
    const struct transformer *t;
    const char *name;
    sumi_node time;         /* the modulation that all blocks share, of single_time */
    sumi_node states, bias; /* of the text, and of its scores; states -1: no cross-attention */
    enum single_view view;
    int64_t frames;
};

/* The modulation of all blocks from the embedding of the time, by adaln_single.linear. */
sumi_node single_time(sumi_graph *graph, const struct transformer *t, sumi_node embedding);
/* The text's states[n, length, c], projected to the width of the tokens by caption_projection. */
sumi_node single_text(sumi_graph *graph, const struct transformer *t, sumi_node states);
/* Tokens through a block. */
sumi_node single_build(sumi_graph *graph, const struct single_block *block, sumi_node tokens);
/* Tokens before the last layer, modulated by the embedding itself and a table of its own. */
sumi_node single_end(sumi_graph *graph, const struct transformer *t, sumi_node tokens,
                     sumi_node embedding);

#endif
