/* SPDX-License-Identifier: Apache-2.0 */
/* The rules by which a plan fuses ops (graph/fuse.h), each by name for tests of its own. */
#ifndef SUMI_OPS_FUSION_H
#define SUMI_OPS_FUSION_H

#include "graph/fuse.h"
#include "ops/ops.h"

/* All of them, ending with NULL. */
extern const struct fusion_rule *const fusion_rules[];

/* Turns a node into a view of `source`, from element `first` on, under the node's own shape. */
void fusion_make_view(struct fusion *fusion, sumi_node node, sumi_node source, int64_t first);

/* Additions and a factor after a convolution or matrix product (src/ops/fuse_epilogue.c). */
extern const struct fusion_rule fuse_added, fuse_scaled;

/* Group normalisation with its neighbours (src/ops/fuse_group_norm.c). */
extern const struct fusion_rule fuse_moments, fuse_sums, fuse_residual, fuse_columns;

/* Concatenations whose readers accept both arrays (src/ops/fuse_concat.c). */
extern const struct fusion_rule fuse_concat;

/* Statistics of attention's rows for its gradient (src/ops/fuse_attention.c). */
extern const struct fusion_rule fuse_rows;

/* Sums of layer normalisation from its gradient by x (src/ops/fuse_layer_norm.c). */
extern const struct fusion_rule fuse_row_sums;

#endif
