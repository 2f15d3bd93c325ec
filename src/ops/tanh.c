/* SPDX-License-Identifier: Apache-2.0 */
/* Hyperbolic tangent: y' = 1 - y^2. */
#include <math.h>

#include "ops/unary.h"

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node square = sumi_op_multiply(graph, node, node);
    gradients[0] = sumi_op_multiply(graph, upstream, sumi_op_affine(graph, square, -1, 1));
}

const struct op op_tanh = {.name = "tanh",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .infer = unary_infer,
                           .gradient = gradient,
                           .reference = unary_reference,
                           .of_one = tanh,
                           .in_place = true};

sumi_node sumi_op_tanh(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_tanh, x);
}
