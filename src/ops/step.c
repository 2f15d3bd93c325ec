/* SPDX-License-Identifier: Apache-2.0 */
/* Unit step: 1 where x > 0, else 0. Its derivative is zero wherever it exists. */
#include "ops/unary.h"

static double scalar(double x)
{
    return x > 0 ? 1 : 0;
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    (void)graph, (void)node, (void)upstream, (void)gradients;
}

const struct op op_step = {.name = "step",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .infer = unary_infer,
                           .gradient = gradient,
                           .reference = unary_reference,
                           .of_one = scalar,
                           .in_place = true};

sumi_node sumi_op_step(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_step, x);
}
