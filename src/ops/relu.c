/* SPDX-License-Identifier: Apache-2.0 */
/* Rectifier: y = max(x, 0); its derivative at 0 is defined as 0. */
#include "ops/unary.h"

static double scalar(double x)
{
    return x > 0 ? x : 0;
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node x = graph_node(graph, node)->inputs[0];
    gradients[0] = sumi_op_multiply(graph, upstream, sumi_op_step(graph, x));
}

const struct op op_relu = {.name = "relu",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .infer = unary_infer,
                           .gradient = gradient,
                           .reference = unary_reference,
                           .of_one = scalar,
                           .in_place = true};

sumi_node sumi_op_relu(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_relu, x);
}
