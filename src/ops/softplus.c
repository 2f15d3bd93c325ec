/* SPDX-License-Identifier: Apache-2.0 */
/* Softplus: y = ln(1 + e^x), in a form that does not overflow for large x; y' is the logistic
   function. */
#include <math.h>

#include "ops/unary.h"

static double scalar(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node x = graph_node(graph, node)->inputs[0];
    gradients[0] = sumi_op_multiply(graph, upstream, sumi_op_sigmoid(graph, x));
}

const struct op op_softplus = {.name = "softplus",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = unary_infer,
                               .gradient = gradient,
                               .reference = unary_reference,
                               .of_one = scalar,
                               .in_place = true};

sumi_node sumi_op_softplus(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_softplus, x);
}
