/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks with a modulation that all share; see transformer_single.h. */
#include "nets/transformer_single.h"

#include <math.h>

static const double EPSILON = 1e-6; /* of the last norm */

enum { SHIFT, SCALE, GATE, FEED_SHIFT, FEED_SCALE, FEED_GATE, PARTS };

sumi_node single_time(sumi_graph *graph, const struct transformer *t, sumi_node embedding)
{
    const struct layer_linear normal = {true, LAYER_START_NORMAL};
    return layer_linear_of(graph, "adaln_single.linear", sumi_op_silu(graph, embedding),
                           PARTS * t->width, &normal);
}

sumi_node single_text(sumi_graph *graph, const struct transformer *t, sumi_node states)
{
    const struct layer_linear kind = {true, LAYER_START_NORMAL};
    states = layer_linear_of(graph, "caption_projection.linear_1", states, t->width, &kind);
    states = sumi_op_gelu_tanh(graph, states);
    return layer_linear_of(graph, "caption_projection.linear_2", states, t->width, &kind);
}

/* The table NAME[rows, width] as [1, rows * width], which is added to the modulation of each item.
   Its initial values are normal with deviation 1 / sqrt(width). */
static sumi_node table(sumi_graph *graph, const struct transformer *t, const char *name,
                       int64_t rows)
{
    sumi_node node = sumi_graph_weight(graph, name, 2, (int64_t[]){rows, t->width},
                                       SUMI_START_NORMAL, 1 / sqrt((double)t->width));
    return sumi_op_reshape(graph, node, 2, (int64_t[]){1, rows * t->width});
}

/* ---- Which tokens attend to each other ---- */

/* x[a, b, width] of each item as [b, a, width]: frames and places in the other order. */
static sumi_node swap(sumi_graph *graph, sumi_node x, int64_t n, int64_t a, int64_t b)
{
    int64_t width = layer_size(graph, x, 2);
    x = sumi_op_reshape(graph, x, 4, (int64_t[]){n, a, b, width});
    x = sumi_op_permute(graph, x, (const int[]){0, 2, 1, 3});
    return sumi_op_reshape(graph, x, 3, (int64_t[]){n * b, a, width});
}

static sumi_node attend(sumi_graph *graph, const struct single_block *block, sumi_node tokens)
{
    char name[NAME_SIZE];
    const struct transformer *t = block->t;
    int64_t n = layer_size(graph, tokens, 0), frames = block->frames;
    int64_t length = layer_size(graph, tokens, 1), places = length / frames;
    const int64_t whole[3] = {n, length, t->width};
    layer_name(name, block->name, "attn1");
    if (block->view == VIEW_ALL) return transformer_attend(graph, t, name, tokens, tokens, -1);
    if (block->view == VIEW_FRAMES)
        tokens = sumi_op_reshape(graph, tokens, 3, (int64_t[]){n * frames, places, t->width});
    else tokens = swap(graph, tokens, n, frames, places);
    tokens = transformer_attend(graph, t, name, tokens, tokens, -1);
    if (block->view == VIEW_PLACES) tokens = swap(graph, tokens, n, places, frames);
    return sumi_op_reshape(graph, tokens, 3, whole);
}

/* Attention of the tokens, without a norm, to the text. */
static sumi_node attend_to_text(sumi_graph *graph, const struct single_block *block,
                                sumi_node tokens)
{
    char name[NAME_SIZE];
    if (block->states < 0) return tokens;
    layer_name(name, block->name, "attn2");
    sumi_node h = transformer_attend(graph, block->t, name, tokens, block->states, block->bias);
    return sumi_op_add(graph, tokens, h);
}

/* ---- A block and the end ---- */

sumi_node single_build(sumi_graph *graph, const struct single_block *block, sumi_node tokens)
{
    const struct transformer *t = block->t;
    char name[NAME_SIZE], norm[NAME_SIZE];
    sumi_node parts[PARTS];
    sumi_node own = table(graph, t, layer_name(name, block->name, "scale_shift_table"), PARTS);
    sumi_node all = sumi_op_add(graph, block->time, own);
    for (int i = 0; i < PARTS; i++) parts[i] = transformer_part(graph, t, all, i);
    layer_name(norm, block->name, "norm1");
    sumi_node h = transformer_modulate(graph, t->affine ? norm : NULL, tokens, parts[SHIFT],
                                       parts[SCALE], t->epsilon);
    tokens = transformer_add(graph, tokens, attend(graph, block, h), parts[GATE]);
    tokens = attend_to_text(graph, block, tokens);
    layer_name(norm, block->name, "norm2");
    return transformer_feed(graph, t, t->affine ? norm : NULL, layer_name(name, block->name, "ff"),
                            tokens, &parts[FEED_SHIFT]);
}

sumi_node single_end(sumi_graph *graph, const struct transformer *t, sumi_node tokens,
                     sumi_node embedding)
{
    sumi_node both = sumi_op_concat(graph, embedding, embedding, 1);
    both = sumi_op_add(graph, both, table(graph, t, "scale_shift_table", 2));
    return transformer_modulate(graph, NULL, tokens, transformer_part(graph, t, both, 0),
                                transformer_part(graph, t, both, 1), EPSILON);
}
