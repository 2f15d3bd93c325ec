/* SPDX-License-Identifier: Apache-2.0 */
/* Square root: y' = 1/(2y). */
#include <math.h>

#include "ops/unary.h"

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node quotient = sumi_op_divide(graph, upstream, node);
    gradients[0] = sumi_op_affine(graph, quotient, 0.5, 0);
}

const struct op op_sqrt = {.name = "sqrt",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .infer = unary_infer,
                           .gradient = gradient,
                           .reference = unary_reference,
                           .of_one = sqrt,
                           .in_place = true};

sumi_node sumi_op_sqrt(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_sqrt, x);
}
