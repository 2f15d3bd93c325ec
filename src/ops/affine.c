/* SPDX-License-Identifier: Apache-2.0 */
/* scale * x + shift with two fixed numbers. */
#include "ops/unary.h"

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) {
        output[i] = node->attributes.affine.scale * inputs[0][i] + node->attributes.affine.shift;
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    gradients[0] =
        sumi_op_affine(graph, upstream, graph_node(graph, node)->attributes.affine.scale, 0);
}

const struct op op_affine = {.name = "affine",
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .infer = unary_infer,
                             .gradient = gradient,
                             .reference = reference,
                             .in_place = true};

sumi_node sumi_op_affine(sumi_graph *graph, sumi_node x, double scale, double shift)
{
    if (scale == 1 && shift == 0) return x;
    struct attributes attributes = {.affine = {scale, shift}};
    return graph_append(graph, &op_affine, 1, &x, &attributes);
}
