/* SPDX-License-Identifier: Apache-2.0 */
/* Attention writes each row's largest score and sum to a side output, so that its gradient need not
   recompute them from the scores; the gradient then also reads the result of the forward pass. */
#include "ops/attention.h"
#include "ops/fusion.h"

/* Whether both are of one attention: the same q, k, v and bias, and the same attributes. */
static bool is_of(const struct node *forward, const struct node *gradient)
{
    const struct attributes *a = &forward->attributes, *b = &gradient->attributes;
    bool same = a->attention.heads == b->attention.heads && a->attention.scale == b->attention.scale
                && a->attention.biased == b->attention.biased
                && a->attention.causal == b->attention.causal;
    for (int i = 0; i < 3; i++) same = same && forward->inputs[i] == gradient->inputs[i];
    if (!same || !a->attention.biased) return same;
    return forward->inputs[ATTENTION_BIAS] == gradient->inputs[ATTENTION_GRADIENT_BIAS];
}

/* The attention whose gradient node n is; -1 where it is not computed. */
static sumi_node find_forward(const struct fusion *fusion, sumi_node n)
{
    for (sumi_node f = n - 1; f >= 0; f--) {
        const struct node *forward = &fusion->nodes[f];
        if (forward->op != &op_attention || !fusion->uses[f]) continue;
        if (is_of(forward, &fusion->nodes[n])) return f;
    }
    return -1;
}

/* The side output of an attention, made where it is not there yet; -1 where there is no node for
   it. */
static sumi_node rows_of(struct fusion *fusion, sumi_node f)
{
    struct node *forward = &fusion->nodes[f];
    int rows = attention_input(forward, ATTENTION_ROWS);
    if (forward->input_count > rows) return forward->inputs[rows];
    sumi_node side_output = fusion_spare(fusion, f);
    if (side_output < 0) return -1;
    const struct shape *q = &fusion->nodes[forward->inputs[0]].shape;
    struct shape shape = {4, {q->size[0], forward->attributes.attention.heads, q->size[1], 2}};
    fusion_make_side_output(fusion, side_output, &shape);
    forward->inputs[forward->input_count++] = side_output;
    fusion_take(fusion, side_output);
    return side_output;
}

static bool apply_rows(struct fusion *fusion, sumi_node n)
{
    struct node *gradient = &fusion->nodes[n];
    if (gradient->op != &op_attention_gradient) return false;
    int result = attention_input(gradient, ATTENTION_GRADIENT_RESULT);
    if (gradient->input_count != result) return false;
    sumi_node f = find_forward(fusion, n);
    sumi_node rows = f < 0 ? -1 : rows_of(fusion, f);
    if (rows < 0) return false;
    gradient->inputs[result] = f;
    gradient->inputs[attention_input(gradient, ATTENTION_GRADIENT_ROWS)] = rows;
    gradient->input_count = result + 2;
    fusion_take(fusion, f);
    fusion_take(fusion, rows);
    return true;
}

const struct fusion_rule fuse_rows = {"rows", apply_rows};
