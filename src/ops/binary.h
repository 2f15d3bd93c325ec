/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by element-wise ops of two inputs, with numpy's broadcasting: shapes are aligned at their
   last axes, and an axis that is missing or has size 1 is repeated. */
#ifndef SUMI_OPS_BINARY_H
#define SUMI_OPS_BINARY_H

#include "ops/ops.h"

sumi_status binary_infer(sumi_graph *graph, struct node *node);
sumi_node binary_append(sumi_graph *graph, const struct op *op, sumi_node a, sumi_node b);
/* output[i] = of_two(a[i], b[i]) by the op's function, both broadcast to the output's shape */
void binary_reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key);
/* Sums `gradient`, which has the output's shape, to the shape of the node's input. */
sumi_node binary_unbroadcast(sumi_graph *graph, sumi_node node, int input, sumi_node gradient);

#endif
