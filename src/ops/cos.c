/* SPDX-License-Identifier: Apache-2.0 */
/* Cosine of radians: y' = -sin x. */
#include <math.h>

#include "ops/unary.h"

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node x = graph_node(graph, node)->inputs[0];
    sumi_node negative_sine = sumi_op_affine(graph, sumi_op_sin(graph, x), -1, 0);
    gradients[0] = sumi_op_multiply(graph, upstream, negative_sine);
}

const struct op op_cos = {.name = "cos",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .infer = unary_infer,
                          .gradient = gradient,
                          .reference = unary_reference,
                          .of_one = cos,
                          .in_place = true};

sumi_node sumi_op_cos(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_cos, x);
}
