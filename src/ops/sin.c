/* SPDX-License-Identifier: Apache-2.0 */
/* Sine of radians: y' = cos x. */
#include <math.h>

#include "ops/unary.h"

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node x = graph_node(graph, node)->inputs[0];
    gradients[0] = sumi_op_multiply(graph, upstream, sumi_op_cos(graph, x));
}

const struct op op_sin = {.name = "sin",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .infer = unary_infer,
                          .gradient = gradient,
                          .reference = unary_reference,
                          .of_one = sin,
                          .in_place = true};

sumi_node sumi_op_sin(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_sin, x);
}
