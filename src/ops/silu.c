/* SPDX-License-Identifier: Apache-2.0 */
/* SiLU, or swish: y = x s(x) with the logistic function s; y' = s + y (1 - s). */
#include <math.h>

#include "ops/unary.h"

static double scalar(double x)
{
    return x / (1 + exp(-x));
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node x = graph_node(graph, node)->inputs[0];
    sumi_node sigmoid = sumi_op_sigmoid(graph, x);
    sumi_node complement = sumi_op_affine(graph, sigmoid, -1, 1);
    sumi_node slope = sumi_op_add(graph, sigmoid, sumi_op_multiply(graph, node, complement));
    gradients[0] = sumi_op_multiply(graph, upstream, slope);
}

const struct op op_silu = {.name = "silu",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .infer = unary_infer,
                           .gradient = gradient,
                           .reference = unary_reference,
                           .of_one = scalar,
                           .in_place = true};

sumi_node sumi_op_silu(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_silu, x);
}
