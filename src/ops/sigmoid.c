/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic function: y = 1/(1 + e^-x), y' = y (1 - y). */
#include <math.h>

#include "ops/unary.h"

static double scalar(double x)
{
    return 1 / (1 + exp(-x));
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node complement = sumi_op_affine(graph, node, -1, 1);
    sumi_node slope = sumi_op_multiply(graph, node, complement);
    gradients[0] = sumi_op_multiply(graph, upstream, slope);
}

const struct op op_sigmoid = {.name = "sigmoid",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .infer = unary_infer,
                              .gradient = gradient,
                              .reference = unary_reference,
                              .of_one = scalar,
                              .in_place = true};

sumi_node sumi_op_sigmoid(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_sigmoid, x);
}
