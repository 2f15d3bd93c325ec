/* SPDX-License-Identifier: Apache-2.0 */
/* Sum of two arrays, element by element. */
#include "ops/binary.h"

static double scalar(double a, double b)
{
    return a + b;
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    gradients[0] = binary_unbroadcast(graph, node, 0, upstream);
    gradients[1] = binary_unbroadcast(graph, node, 1, upstream);
}

const struct op op_add = {.name = "add",
                          .min_inputs = 2,
                          .max_inputs = 2,
                          .infer = binary_infer,
                          .gradient = gradient,
                          .reference = binary_reference,
                          .of_two = scalar,
                          .in_place = true};

sumi_node sumi_op_add(sumi_graph *graph, sumi_node a, sumi_node b)
{
    return binary_append(graph, &op_add, a, b);
}
