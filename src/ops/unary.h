/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by element-wise ops of one input. */
#ifndef SUMI_OPS_UNARY_H
#define SUMI_OPS_UNARY_H

#include "ops/ops.h"

/* The result has the input's shape. */
sumi_status unary_infer(sumi_graph *graph, struct node *node);
sumi_node unary_append(sumi_graph *graph, const struct op *op, sumi_node x);
/* output[i] = of_one(input[i]) by the op's function */
void unary_reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                     double *output, const struct run_key *key);

#endif
