/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: what a config.json describes, and how it becomes a graph. A network is independent of
   the values of weights, of noise and of solvers; parameter names and shapes are those of
   diffusers. */
#ifndef SUMI_NETS_NET_H
#define SUMI_NETS_NET_H

#include "base/item_kind.h"
#include "graph/graph.h"
#include "nets/config.h"

struct net;

/* The largest number of inputs of a network, and the indices of those that all networks have. */
enum { NET_INPUTS = 32, NET_X = 0, NET_TIMES = 1 };

enum { NET_SIZE = 1 << 20 }; /* the largest spatial size of an item */

/* The inputs of a forward pass as nodes of a graph, in the order of net->inputs; -1 for an omitted
   optional one. */
struct net_nodes {
    sumi_node at[NET_INPUTS];
};

/* The nodes x and times, and no others. */
static inline struct net_nodes net_nodes_of(sumi_node x, sumi_node times)
{
    struct net_nodes nodes = {{x, times}};
    for (int i = NET_TIMES + 1; i < NET_INPUTS; i++) nodes.at[i] = -1;
    return nodes;
}

/* A class of networks, identified by the `_class_name` of its config.json. */
struct net_type {
    const char *class_name;
    const char *part;          /* its name in a pipeline folder; NULL: "unet" */
    const char *pipeline;      /* the class of its pipelines; NULL: determined by the other parts */
    bool variance_is_optional; /* solvers may use the first half of twice as many output channels as
                                  of input, and leave the variance in the second */
    const struct config_key *keys; /* of its config */
    size_t settings_size;          /* of net->settings */
    /* Reads a config, which has every key, and fills everything of `net` but its context, type and
       config. net->settings is there, zeroed. Failures are recorded in the config. */
    void (*read)(struct config *config, struct net *net);
    /* Adds the forward pass; -1 after a failure. The nodes have the shapes that were declared. */
    sumi_node (*build)(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes);
};

struct net {
    sumi_context *context;
    const struct net_type *type;
    char *config;                      /* config.json in the saved form: every key, sorted */
    enum sumi_item_kind kind;          /* of an item */
    int item_rank;                     /* 3 for images, 2 for signals, 1 for points */
    int64_t item_shape[SUMI_MAX_RANK]; /* of one input item, channels last; a spatial size is 0
                                          where the config has no sample_size */
    int64_t own_shape[SUMI_MAX_RANK];  /* item_shape as the config has it */
    int64_t size_multiple;             /* spatial sizes must be multiples of it; 0 for any */
    bool any_size;                     /* the spatial size may differ from the config's */
    bool null_class;                   /* whether the last value of "class" is the null class */
    bool values;                       /* gives one number for an item, so is no denoiser */
    int64_t out_channels;              /* the output has the input's spatial size */
    int input_count;
    sumi_input inputs[NET_INPUTS]; /* x[n, item], times[n], then further inputs */
    /* A size for the open dimensions of each input with which the network can be built; 0: 1. */
    int64_t possible[NET_INPUTS];
    int like_x;     /* an input with the spatial sizes of x; 0: none */
    void *settings; /* the type's own, from context_allocate */
};

/* Reads the text of a config.json into a new network. `source` names it in messages. A missing
   `_class_name` means UNet2DModel. Unknown keys are ignored and not saved. */
sumi_status net_parse(sumi_context *context, const char *json, const char *source,
                      struct net **net);
/* The same for a class that is no denoiser and is read by its own type only. */
sumi_status net_parse_type(sumi_context *context, const char *json, const char *source,
                           const struct net_type *type, struct net **net);
void net_free(struct net *net); /* accepts NULL */

/* Sets the spatial sizes of an item, sizes[count], before the network is built. Sizes that the
   config has must be the same, unless the network takes any size. */
sumi_status net_set_size(struct net *net, int count, const int64_t *sizes);

/* How many pixels, or points of a signal, an item has for each one of the config's size; 1 where
   the config has none. */
double net_resolution(const struct net *net);

/* Adds the forward pass to `graph`, with dropout if it is a training graph, and returns the output
   [n, spatial size, out_channels]. The weights appear in graph->weights under diffusers' names.
   Call it once per graph: each weight becomes one leaf. Sizes that the declaration leaves open may
   differ from the config's. */
sumi_node net_build(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes);

/* Refuses nodes that are not of the declared shapes, or more or fewer than are declared. */
bool net_check_nodes(const struct net *net, sumi_graph *graph, const struct net_nodes *nodes);

/* ---- Declaring and finding inputs (inputs.c) ---- */

/* Declares x[n, item] and times[n]; `read` calls it once the kind and shape of an item are
   known. */
void net_declare_item(struct net *net, enum sumi_item_kind kind, const int64_t *shape);
/* Declares a further input; its name must live as long as the network. */
void net_declare(struct net *net, const sumi_input *input);

/* The number of the input of that name, or -1. */
int net_find_input(const struct net *net, const char *name);

/* The names of the inputs after x and times, "class, states", into text[size]; "" for none. */
const char *net_input_names(const struct net *net, char *text, size_t size);

/* The number of classes of the input "class", without the null class; 0 if there is none. */
int64_t net_classes(const struct net *net);
/* The class that stands for none, which comes after the others; -1 where there is none. */
int64_t net_null_class(const struct net *net);

/* The declared shape of an input for a number of items; an open size stays 0. */
struct shape net_input_shape(const struct net *net, int number, int64_t items);

/* Adds a graph input for every input of the network, with the shape shapes[number] or, where that
   is NULL or of rank 0, the declared one. Omits optional inputs without a shape. */
void net_add_inputs(const struct net *net, sumi_graph *graph, int64_t items,
                    const struct shape *shapes, struct net_nodes *nodes);

/* Writes whole numbers to an input's memory, from index `first` on. */
void net_put_integers(sumi_plan *plan, sumi_node node, int64_t first, int64_t count,
                      const int32_t *values);

extern const struct net_type net_type_unet_2d, net_type_unet_2d_condition, net_type_unet_1d,
    net_type_mlp, net_type_dit, net_type_pixart, net_type_sd3, net_type_prior, net_type_latte,
    net_type_cogvideox, net_type_unet_1d_model;

#endif
