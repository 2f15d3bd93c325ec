/* SPDX-License-Identifier: Apache-2.0 */
/* The list of fusion rules, and what they share; see fusion.h. */
#include "ops/fusion.h"

const struct fusion_rule *const fusion_rules[] = {
    &fuse_added,   &fuse_scaled, &fuse_moments, &fuse_sums,     &fuse_residual,
    &fuse_columns, &fuse_concat, &fuse_rows,    &fuse_row_sums, NULL};

void fusion_make_view(struct fusion *fusion, sumi_node node, sumi_node source, int64_t first)
{
    struct node view = {.op = &op_window, .input_count = 1, .inputs = {source}, .weight = -1};
    view.shape = view.attributes.shape = fusion->nodes[node].shape;
    view.attributes.view.first = first;
    fusion_replace(fusion, node, &view);
}
