/* SPDX-License-Identifier: Apache-2.0 */
/* Fusion: rewriting a plan's own copies of the nodes, so that neighbouring ops become one. A rule
   looks at a node and what it reads, and where it finds its pattern it turns the node into the
   fused op. The node keeps its number and its value, so nothing else has to know; what it swallowed
   is no longer read by anyone and so never computed. The graph itself is left alone. */
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
    /* Whether it has changed anything. Called on needed nodes in rising order, until no rule
       changes anything more. It keeps `uses` true, and lets nodes read only nodes of lower
       numbers. */
    bool (*apply)(struct fusion *fusion, sumi_node node);
};

/* Applies the rules, a list that ends with NULL, to what outputs[count] need. */
sumi_status fuse(sumi_context *context, struct node *nodes, int32_t node_count, int count,
                 const sumi_node *outputs, const struct fusion_rule *const *rules);

/* Whether the node shows all of its input's memory, under a shape of its own. */
bool fusion_is_view(const struct fusion *fusion, sumi_node node);
/* The node behind views that show all of it and that nobody else reads; `node` itself where it is
   no such view. */
sumi_node fusion_source(const struct fusion *fusion, sumi_node node);
/* The nearest node below `before` that nobody needs and that can become something else, or -1. */
sumi_node fusion_spare(const struct fusion *fusion, sumi_node before);

/* Adds one to the uses of a node that is read anew, or takes one from those of a node that is no
   longer read; of a node that nobody reads any more, its inputs lose a reader too. */
void fusion_take(struct fusion *fusion, sumi_node node);
void fusion_drop(struct fusion *fusion, sumi_node node);

/* Puts another node in the place of one, whose readers stay. */
void fusion_replace(struct fusion *fusion, sumi_node node, const struct node *by);
/* Turns a node into a side output of that shape, to be filled by a later node. */
void fusion_make_side_output(struct fusion *fusion, sumi_node node, const struct shape *shape);

#endif
