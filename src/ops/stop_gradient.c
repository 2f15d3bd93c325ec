/* SPDX-License-Identifier: Apache-2.0 */
/* The same value without a derivative: a view, no copy. No gradient flows through it (the
   stop-gradient of Nichol & Dhariwal 2021, section 3.1). */
#include <string.h>

#include "ops/unary.h"

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    memcpy(output, inputs[0], (size_t)shape_count(&node->shape) * sizeof(double));
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    (void)graph, (void)node, (void)upstream, (void)gradients;
}

const struct op op_stop_gradient = {.name = "stop_gradient",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .infer = unary_infer,
                                    .gradient = gradient,
                                    .reference = reference,
                                    .view = true};

sumi_node ops_stop_gradient(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_stop_gradient, x);
}
