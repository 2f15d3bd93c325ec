/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: what a config.json describes, and how it becomes a graph. A network knows nothing of
   weights' values, of noise or of solvers; parameter names and shapes are diffusers' own. */
#ifndef SUMI_NETS_NET_H
#define SUMI_NETS_NET_H

#include <json-c/json.h>

#include "base/item_kind.h"
#include "graph/graph.h"

struct net;

/* How many inputs a network has at most, and the places of those that all have. */
enum { NET_INPUTS = 12, NET_X = 0, NET_TIMES = 1 };

enum { NET_SIZE = 1 << 20 }; /* the largest spatial size of an item */

/* The inputs of a forward pass as nodes of a graph, in the order of net->inputs; -1 for an optional
   one that is left out. */
struct net_nodes {
    sumi_node at[NET_INPUTS];
};

/* x and the times, and no others. */
static inline struct net_nodes net_nodes_of(sumi_node x, sumi_node times)
{
    struct net_nodes nodes = {{x, times}};
    for (int i = NET_TIMES + 1; i < NET_INPUTS; i++) nodes.at[i] = -1;
    return nodes;
}

/* A class of networks, known by the `_class_name` of its config.json. */
struct net_type {
    const char *class_name;
    /* Reads `given` (an object; any key may be missing) and fills everything of `net` but its
       context and type. What it leaves in net->settings after a failure is released too. */
    sumi_status (*parse)(struct net *net, json_object *given, const char *source);
    /* Adds the forward pass; -1 after a failure. The nodes have the shapes that were declared. */
    sumi_node (*build)(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes);
};

struct net {
    sumi_context *context;
    const struct net_type *type;
    char *config;                      /* config.json as it is saved: every key, sorted */
    enum sumi_item_kind kind;          /* of an item */
    int item_rank;                     /* 3 for images, 2 for signals, 1 for points */
    int64_t item_shape[SUMI_MAX_RANK]; /* of one input item, channels last; a spatial size is 0
                                          where the config leaves sample_size open */
    int64_t size_multiple;             /* that spatial sizes have to be multiples of; 0 for any */
    int64_t out_channels;              /* the output has the input's spatial size */
    int input_count;
    sumi_input inputs[NET_INPUTS]; /* x[n, item], times[n], then what else the network is told */
    void *settings;                /* the type's own, from context_allocate */
};

/* Reads the text of a config.json into a new network. `source` names it in messages. A missing
   `_class_name` means UNet2DModel. Unknown keys are ignored and not saved. */
sumi_status net_parse(sumi_context *context, const char *json, const char *source,
                      struct net **net);
void net_free(struct net *net); /* accepts NULL */

/* Gives an item of open size its spatial sizes, sizes[count], before the network is built. A size
   that the network has already is only compared. */
sumi_status net_set_size(struct net *net, int count, const int64_t *sizes);

/* Adds the forward pass to `graph`, with dropout if it is a training graph, and returns the output
   [n, spatial size, out_channels]. The weights appear in graph->weights under diffusers' names.
   Call once a graph: each weight becomes one leaf. Sizes that the declaration leaves open need not
   be the config's. */
sumi_node net_build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes);

/* ---- Declaring and finding inputs (inputs.c) ---- */

/* For `parse`, once kind and shape of an item are known: declares x[n, item] and times[n]. */
void net_declare_item(struct net *net, enum sumi_item_kind kind, const int64_t *shape);
/* Declares one more; the name must live as long as the network. */
void net_declare(struct net *net, const sumi_input *input);

/* The number of the input of that name, or -1. */
int net_find_input(const struct net *net, const char *name);

/* The names of the inputs after x and times, "class, states", into text[size]; "" for none. */
const char *net_input_names(const struct net *net, char *text, size_t size);

/* Number of classes of the input "class"; 0 where there is none. */
int64_t net_classes(const struct net *net);

/* The shape of an input for so many items by the declaration alone; a size that is left open
   stays 0. */
struct shape net_input_shape(const struct net *net, int number, int64_t items);

/* Adds an input of a graph for every input of the network: shapes[number], or where that is NULL
   or of rank 0 the declared one. Optional inputs without a shape are left out. */
void net_add_inputs(const struct net *net, sumi_graph *graph, int64_t items,
                    const struct shape *shapes, struct net_nodes *nodes);

/* Puts whole numbers into an input's memory, from number `first` on. */
void net_put_integers(sumi_plan *plan, sumi_node node, int64_t first, int64_t count,
                      const int32_t *values);

extern const struct net_type net_type_unet_2d, net_type_unet_1d, net_type_mlp;

#endif
