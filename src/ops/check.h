/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that the builders of ops share: of inputs, and of shapes from callers. */
#ifndef SUMI_OPS_CHECK_H
#define SUMI_OPS_CHECK_H

#include "graph/graph.h"

/* Whether the node exists; records a failure if it does not. */
bool ops_node_known(sumi_graph *graph, const char *name, sumi_node node);

/* Copies size[rank] to `shape`; records a failure and returns false if it is not a valid shape. */
bool ops_shape_given(sumi_graph *graph, const char *name, int rank, const int64_t *size,
                     struct shape *shape);

/* Records a failure unless the input has the given rank. `role` names the input in the message. */
sumi_status ops_rank_expect(sumi_graph *graph, const struct node *node, int input, const char *role,
                            int rank);

/* Records "NAME: [2, 3] and [4, 5] do not fit: WHY". */
sumi_status ops_pair_refuse(sumi_graph *graph, const char *name, const struct shape *left,
                            const struct shape *right, const char *why);

/* Records a failure unless 0 <= axis < rank. */
sumi_status ops_axis_expect(sumi_graph *graph, const char *name, int axis,
                            const struct shape *shape);

#endif
