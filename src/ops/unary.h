/* SPDX-License-Identifier: Apache-2.0 */
/* What ops of one input share that work element by element. */
#ifndef SUMI_OPS_UNARY_H
#define SUMI_OPS_UNARY_H

#include "ops/ops.h"

/* The result has the input's shape. */
sumi_status unary_infer(sumi_graph *graph, struct node *node);
sumi_node unary_append(sumi_graph *graph, const struct op *op, sumi_node x);
/* output[i] = function(input[i]) */
void unary_reference(const struct node *node, const double *const *inputs, double *output,
                     double (*function)(double));

#endif
