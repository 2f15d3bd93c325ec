/* SPDX-License-Identifier: Apache-2.0 */
/* Networks from a recipe's [model]: each kind of network, by its name in model.kind, declares the
   keys that it reads and makes its config.json from them. */
#ifndef SUMI_NETS_RECIPE_H
#define SUMI_NETS_RECIPE_H

#include "base/item_kind.h"
#include "base/members.h"
#include "files/recipe.h"

/* What a network is made for. */
struct net_request {
    sumi_context *context;
    const sumi_recipe *recipe;
    enum sumi_item_kind kind; /* kind and shape of an item */
    int rank;
    const int64_t *shape;
    int classes;          /* of the data set; 0: it has no labels */
    int64_t outputs;      /* output channels for each channel of an item */
    int64_t out_channels; /* of a classifier; 0: as above */
    bool null_class;      /* label dropout needs a class that stands for none */
    bool times_are_sigma; /* the time input is the noise level */
};

/* A kind of network: refuses what it cannot be made for, and adds the members of its config. */
struct net_kind {
    const char *name; /* in model.kind */
    sumi_status (*check)(const struct net_request *request);
    bool (*add)(json_object *config, const struct net_request *request); /* false: no memory */
};

extern const struct net_kind net_kind_unet2d, net_kind_unet1d; /* unet_recipe.c */
extern const struct net_kind net_kind_auto_encoder;            /* unet_recipe.c */
extern const struct net_kind net_kind_mlp;                     /* mlp_recipe.c */
extern const struct net_kind net_kind_dit, net_kind_mmdit;     /* transformer_recipe.c */

/* The keys of [model]: those that several kinds read (recipe.c), then those of one. */
extern const struct option *const model_tables[];
extern const struct option unet_recipe_keys[], transformer_recipe_keys[];

/* The kind of that name, or NULL. */
const struct net_kind *net_kind_find(const char *name);

/* Makes the text of a config.json from [model]; `source` names it in messages. */
sumi_status net_config_from_recipe(const struct net_request *request, const char *source,
                                   char **text);

/* ---- What kinds share ---- */

/* The Fourier embedding of times needs the noise level. */
sumi_status net_check_times(const struct net_request *request);

/* Whether the network takes the class of each item. */
bool net_takes_classes(const struct net_request *request);
/* The width and the number of equal layers or blocks of an mlp, dit or mmdit. */
int64_t net_width(const struct net_request *request);
int64_t net_depth(const struct net_request *request);

/* Adds the activation function. */
bool net_add_activation(json_object *config, const struct net_request *request);
/* Adds sample_size: a side, or height and width. */
bool net_add_size(json_object *config, const struct net_request *request);
/* Adds the channels of inputs and outputs, and dropout. */
bool net_add_channels(json_object *config, const struct net_request *request);
/* Adds the same, the embedding of times, the activation function and the classes. */
bool net_add_common(json_object *config, const struct net_request *request);

#endif
