/* SPDX-License-Identifier: Apache-2.0 */
/* What an op adds to its result before writing it: a number for each channel, one for each item and
   channel, and an array of the result's size; then a factor. Convolutions and matrix products have
   an epilogue, into which fusion (src/ops/fusion.c) moves additions that follow them.
       y = scale (y + bias[c] + item[n, c] + residual[n, ..., c]) */
#ifndef SUMI_OPS_EPILOGUE_H
#define SUMI_OPS_EPILOGUE_H

#include "graph/graph.h"

/* Members of attributes.epilogue.parts: which of the three are present, as inputs in this order
   after the op's own two. attributes.epilogue.scale is the scale. */
enum { EPILOGUE_BIAS = 1, EPILOGUE_ITEM = 2, EPILOGUE_RESIDUAL = 4 };

/* The index of the input for a part, or -1 where the node has none. */
int epilogue_input(const struct node *node, unsigned part);

/* Records a failure unless the inputs match the mask and a result of this shape. Only their numbers
   of elements must match, so that no views are needed. */
sumi_status epilogue_check(sumi_graph *graph, const struct node *node, const struct shape *result);

/* Applies it to the result of a reference kernel. */
void epilogue_reference(const struct node *node, const double *const *inputs, double *output);

/* The number of operations of an epilogue. */
double epilogue_operations(const struct node *node);

#endif
