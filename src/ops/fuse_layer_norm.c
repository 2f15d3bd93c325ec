/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of layer normalisation by x writes the sums for those by scale and shift to a side
   output, because it reads the same rows. */
#include "ops/fusion.h"
#include "ops/layer_norm.h"

static bool reads(const struct node *node, sumi_node input)
{
    for (int i = 0; i < node->input_count; i++) {
        if (node->inputs[i] == input) return true;
    }
    return false;
}

/* The node with the sums over the rows of a gradient node n, if no node before n reads it. */
static sumi_node find_sums(const struct fusion *fusion, sumi_node n)
{
    const struct node *gradient = &fusion->nodes[n];
    for (sumi_node s = n - 1; s >= 0; s--) {
        const struct node *sums = &fusion->nodes[s];
        if (sums->op != &op_layer_norm_sums || !fusion->uses[s]) continue;
        bool same =
            sums->inputs[LAYER_NORM_X] == gradient->inputs[LAYER_NORM_X]
            && sums->inputs[LAYER_NORM_UPSTREAM] == gradient->inputs[LAYER_NORM_UPSTREAM]
            && sums->attributes.layer_norm.epsilon == gradient->attributes.layer_norm.epsilon
            && sums->attributes.layer_norm.rms == gradient->attributes.layer_norm.rms;
        for (sumi_node m = s + 1; m < n && same; m++) {
            if (fusion->uses[m] && reads(&fusion->nodes[m], s)) return -1;
        }
        if (same) return s;
    }
    return -1;
}

static bool apply_row_sums(struct fusion *fusion, sumi_node n)
{
    struct node *gradient = &fusion->nodes[n];
    if (gradient->op != &op_layer_norm_gradient) return false;
    if (gradient->input_count != LAYER_NORM_GRADIENT_SUMS) return false;
    sumi_node sums = find_sums(fusion, n);
    if (sums < 0) return false;
    struct shape shape = fusion->nodes[sums].shape;
    fusion_make_side_output(fusion, sums, &shape);
    gradient->inputs[gradient->input_count++] = sums;
    fusion_take(fusion, sums);
    return true;
}

const struct fusion_rule fuse_row_sums = {"row_sums", apply_row_sums};
