/* SPDX-License-Identifier: Apache-2.0 */
/* What an op adds to its result before that leaves it: a number for each channel, one for each
   item and channel, and an array of the result's size; then all is scaled. Convolutions and matrix
   products carry one; fusion (src/ops/fusion.c) puts additions there that followed them.
       y = scale (y + bias[c] + item[n, c] + residual[n, ..., c]) */
#ifndef SUMI_OPS_EPILOGUE_H
#define SUMI_OPS_EPILOGUE_H

#include "graph/graph.h"

/* Members of attributes.epilogue.parts: which of the three are there, as inputs in this order
   behind the op's own two. attributes.epilogue.scale is the scale. */
enum { EPILOGUE_BIAS = 1, EPILOGUE_ITEM = 2, EPILOGUE_RESIDUAL = 4 };

/* Number of the input that is this part, or -1 where the node has none. */
int epilogue_input(const struct node *node, unsigned part);

/* Records a failure unless the inputs are as the mask says and fit a result of this shape. Only
   their number of elements counts, so that views need not be made for it. */
sumi_status epilogue_check(sumi_graph *graph, const struct node *node, const struct shape *result);

/* Applies it to the result of a reference kernel. */
void epilogue_reference(const struct node *node, const double *const *inputs, double *output);

/* Operations of it. */
double epilogue_operations(const struct node *node);

#endif
