/* SPDX-License-Identifier: Apache-2.0 */
/* Fusion: rewriting a plan's own copies of the nodes, so that neighbouring ops become one. A rule
   matches a node and its inputs against its pattern and turns the node into the fused op. The node
   keeps its number and its value, so its readers do not change; the nodes that it replaces are no
   longer read and not computed. The graph itself is not changed. */
#ifndef SUMI_GRAPH_FUSE_H
#define SUMI_GRAPH_FUSE_H

#include "graph/graph.h"

struct fusion {
    struct node *nodes; /* in the graph's order, numbers and shapes */
    int32_t count;
    int32_t *uses; /* reads of each node by needed nodes; an output counts as many more */
};

struct fusion_rule {
    const char *name;
    /* Returns whether it has changed anything. Called for needed nodes in ascending order until no
       rule changes anything. It must keep `uses` correct and let nodes read only nodes with lower
       numbers. */
    bool (*apply)(struct fusion *fusion, sumi_node node);
};

/* Applies the rules, a list that ends with NULL, to what outputs[count] need. */
sumi_status fuse(sumi_context *context, struct node *nodes, int32_t node_count, int count,
                 const sumi_node *outputs, const struct fusion_rule *const *rules);

/* Whether the node is a view of its whole input with another shape. */
bool fusion_is_view(const struct fusion *fusion, sumi_node node);
/* The node behind such views, as long as each has only one reader; `node` itself if it is not such
   a view. */
sumi_node fusion_source(const struct fusion *fusion, sumi_node node);
/* The nearest unused node below `before`, which can be replaced by something else, or -1. */
sumi_node fusion_spare(const struct fusion *fusion, sumi_node before);

/* Adds one to the uses of a node that gains a reader, or subtracts one for a reader that it loses;
   where none is left, the node's inputs lose a reader too. */
void fusion_take(struct fusion *fusion, sumi_node node);
void fusion_drop(struct fusion *fusion, sumi_node node);

/* Replaces a node by another; its readers stay. */
void fusion_replace(struct fusion *fusion, sumi_node node, const struct node *by);
/* Turns a node into a side output of that shape, to be filled by a later node. */
void fusion_make_side_output(struct fusion *fusion, sumi_node node, const struct shape *shape);

#endif
