/* SPDX-License-Identifier: Apache-2.0 */
/* Error function: y' = 2/sqrt(pi) e^(-x^2). */
#include <math.h>

#include "ops/unary.h"

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    static const double TWO_BY_ROOT_PI = 1.1283791670955125739;
    sumi_node x = graph_node(graph, node)->inputs[0];
    sumi_node square = sumi_op_multiply(graph, x, x);
    sumi_node bell = sumi_op_exp(graph, sumi_op_affine(graph, square, -1, 0));
    sumi_node slope = sumi_op_affine(graph, bell, TWO_BY_ROOT_PI, 0);
    gradients[0] = sumi_op_multiply(graph, upstream, slope);
}

const struct op op_erf = {.name = "erf",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .infer = unary_infer,
                          .gradient = gradient,
                          .reference = unary_reference,
                          .of_one = erf,
                          .in_place = true};

sumi_node sumi_op_erf(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_erf, x);
}
