/* SPDX-License-Identifier: Apache-2.0 */
/* Natural logarithm: y = ln x, y' = 1/x. */
#include <math.h>

#include "ops/unary.h"

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node x = graph_node(graph, node)->inputs[0];
    gradients[0] = sumi_op_divide(graph, upstream, x);
}

const struct op op_log = {.name = "log",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .infer = unary_infer,
                          .gradient = gradient,
                          .reference = unary_reference,
                          .of_one = log,
                          .in_place = true};

sumi_node sumi_op_log(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_log, x);
}
