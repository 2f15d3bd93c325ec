/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: what a config.json describes, and how it becomes a graph. A network knows nothing of
   weights' values, of noise or of solvers; parameter names and shapes are diffusers' own. */
#ifndef SUMI_NETS_NET_H
#define SUMI_NETS_NET_H

#include <json-c/json.h>

#include "graph/graph.h"

struct net;

/* A class of networks, known by the `_class_name` of its config.json. */
struct net_type {
    const char *class_name;
    /* Reads `given` (an object; any key may be missing) and fills everything of `net` but its
       context and type. What it leaves in net->settings after a failure is released too. */
    sumi_status (*parse)(struct net *net, json_object *given, const char *source);
    /* Adds the forward pass; -1 after a failure. */
    sumi_node (*build)(const struct net *net, sumi_graph *graph, sumi_node x, sumi_node times,
                       sumi_node labels);
};

/* What the `labels` input of a network holds. */
enum net_labels {
    NET_LABELS_NONE,   /* an unconditional network takes none */
    NET_LABELS_CLASS,  /* [n] whole numbers from 0 to classes - 1 */
    NET_LABELS_NUMBER, /* [n] numbers on the scale of the times */
    NET_LABELS_VECTOR  /* [n, label_size]: embeddings that the caller made */
};

struct net {
    sumi_context *context;
    const struct net_type *type;
    char *config;                      /* config.json as it is saved: every key, sorted */
    int item_rank;                     /* 3 for images, 2 for signals, 1 for points */
    int64_t item_shape[SUMI_MAX_RANK]; /* of one input item, channels last; a spatial size is 0
                                          where the config leaves sample_size open */
    int64_t out_channels;              /* the output has the input's spatial size */
    enum net_labels labels;
    int64_t label_size;
    int64_t classes; /* with NET_LABELS_CLASS, else 0 */
    void *settings;  /* the type's own, from context_allocate */
};

/* Reads the text of a config.json into a new network. `source` names it in messages. A missing
   `_class_name` means UNet2DModel. Unknown keys are ignored and not saved. */
sumi_status net_parse(sumi_context *context, const char *json, const char *source,
                      struct net **net);
void net_free(struct net *net); /* accepts NULL */

/* The inputs of a forward pass: x[n, item], times[n] and labels as net->labels says, -1 where the
   network takes none. The spatial size need not be the config's. */
struct net_inputs {
    sumi_node x, times, labels;
};

/* Adds the forward pass to `graph`, with dropout if it is a training graph, and returns the output
   [n, spatial size, out_channels]. The weights appear in graph->weights under diffusers' names.
   Call once a graph: each weight becomes one leaf. */
sumi_node net_build(const struct net *net, sumi_graph *graph, const struct net_inputs *inputs);

extern const struct net_type net_type_unet_2d, net_type_unet_1d, net_type_mlp;

#endif
