/* SPDX-License-Identifier: Apache-2.0 */
/* Attention leaves each row's largest score and sum in a side output, so that its gradient need not
   go over the scores once more to find them; the gradient then reads the result of the forward pass
   too. */
#include "ops/attention.h"
#include "ops/fusion.h"

/* The attention whose gradient node n is; -1 where it is not computed. */
static sumi_node find_forward(const struct fusion *fusion, sumi_node n)
{
    const struct node *gradient = &fusion->nodes[n];
    for (sumi_node f = n - 1; f >= 0; f--) {
        const struct node *forward = &fusion->nodes[f];
        if (forward->op != &op_attention || !fusion->uses[f]) continue;
        bool same = forward->attributes.attention.heads == gradient->attributes.attention.heads
                    && forward->attributes.attention.scale == gradient->attributes.attention.scale;
        for (int i = 0; i < 3; i++) same = same && forward->inputs[i] == gradient->inputs[i];
        if (same) return f;
    }
    return -1;
}

static bool apply_rows(struct fusion *fusion, sumi_node n)
{
    struct node *gradient = &fusion->nodes[n];
    if (gradient->op != &op_attention_gradient || gradient->input_count != 4) return false;
    sumi_node f = find_forward(fusion, n);
    if (f < 0) return false;
    struct node *forward = &fusion->nodes[f];
    if (forward->input_count == ATTENTION_ROWS) {
        sumi_node side_output = fusion_spare(fusion, f);
        if (side_output < 0) return false;
        const struct shape *q = &fusion->nodes[forward->inputs[0]].shape;
        struct shape rows = {4, {q->size[0], forward->attributes.attention.heads, q->size[1], 2}};
        fusion_make_side_output(fusion, side_output, &rows);
        forward->inputs[forward->input_count++] = side_output;
        fusion_take(fusion, side_output);
    }
    gradient->inputs[ATTENTION_GRADIENT_RESULT] = f;
    gradient->inputs[ATTENTION_GRADIENT_ROWS] = forward->inputs[ATTENTION_ROWS];
    gradient->input_count = ATTENTION_GRADIENT_ROWS + 1;
    fusion_take(fusion, f);
    fusion_take(fusion, forward->inputs[ATTENTION_ROWS]);
    return true;
}

const struct fusion_rule fuse_rows = {"rows", apply_rows};
