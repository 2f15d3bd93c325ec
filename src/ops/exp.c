/* SPDX-License-Identifier: Apache-2.0 */
/* Exponential: y = e^x, y' = y. */
#include <math.h>

#include "ops/unary.h"

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    gradients[0] = sumi_op_multiply(graph, upstream, node);
}

const struct op op_exp = {.name = "exp",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .infer = unary_infer,
                          .gradient = gradient,
                          .reference = unary_reference,
                          .of_one = exp,
                          .in_place = true};

sumi_node sumi_op_exp(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_exp, x);
}
