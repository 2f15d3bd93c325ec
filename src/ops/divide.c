/* SPDX-License-Identifier: Apache-2.0 */
/* Quotient of two arrays, element by element: y = a/b, dy/da = 1/b, dy/db = -y/b. */
#include "ops/binary.h"

static double scalar(double a, double b)
{
    return a / b;
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node b = graph_node(graph, node)->inputs[1];
    sumi_node by_dividend = sumi_op_divide(graph, upstream, b);
    sumi_node by_divisor = sumi_op_multiply(graph, by_dividend, node);
    gradients[0] = binary_unbroadcast(graph, node, 0, by_dividend);
    sumi_node sum = binary_unbroadcast(graph, node, 1, by_divisor);
    gradients[1] = sumi_op_affine(graph, sum, -1, 0);
}

const struct op op_divide = {.name = "divide",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .infer = binary_infer,
                             .gradient = gradient,
                             .reference = binary_reference,
                             .of_two = scalar,
                             .in_place = true};

sumi_node sumi_op_divide(sumi_graph *graph, sumi_node a, sumi_node b)
{
    return binary_append(graph, &op_divide, a, b);
}
