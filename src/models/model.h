/* SPDX-License-Identifier: Apache-2.0 */
/* Models: a network's config, its weights and the scheduler it is sampled with. Making and reading
   a model's parts is in model.c; where a model comes from in open.c, weights.c, from_recipe.c and
   compose.c; where it goes in save.c; what runs it in session.h. */
#ifndef SUMI_MODELS_MODEL_H
#define SUMI_MODELS_MODEL_H

#include "base/json.h"
#include "base/names.h"
#include "files/safetensors.h"
#include "nets/net.h"

/* Only read once it is made, unless a trainer or its owner changes it; sessions run it. */
struct sumi_model {
    sumi_context *context;
    struct net *net;
    sumi_weights *weights;
    char *scheduler; /* scheduler_config.json */
    struct names class_names;
};

/* ---- Parts (parts.c) ---- */

/* Opens every part that the text of a model_index.json names; a part that is null is none. */
sumi_status parts_open(sumi_model *model, const char *folder, const char *index,
                       const char *source);

/* Loaders: the network or the scheduler in the folder of its own (open.c). */
sumi_status part_load_network(sumi_model *model, const char *folder);
sumi_status part_load_scheduler(sumi_model *model, const char *folder);

/* ---- Making one (model.c) ---- */

/* Reads the network of a config.json's text into a model that has none. */
sumi_status model_read_network(sumi_model *model, const char *config, const char *source);

/* An empty model around the network of a config.json's text. `source` names it in messages. */
sumi_status model_begin(sumi_context *context, const char *config, const char *source,
                        sumi_model **model);

/* Makes the weights by building the network once: initial values keyed by `seed`, or what `source`
   has, if it is not NULL. */
sumi_status model_make_weights(sumi_model *model, uint64_t seed,
                               const struct weight_source *source);

/* ---- Networks of the caller's (compose.c) ---- */

/* Whether the network is the caller's own and has no config.json. */
bool model_is_composed(const sumi_model *model);

/* ---- The network in a graph (model.c) ---- */

/* Numbers of an input item and of an output item. */
int64_t model_item_size(const sumi_model *model);
int64_t model_output_size(const sumi_model *model);

/* Refuses a model whose config leaves the size of an item open. */
sumi_status model_check_size(sumi_context *context, const sumi_model *model);

/* ---- Weights from a file (weights.c) ---- */

/* Finds the weights of a model folder: one file, a variant of it, or the index of a sharded set. */
sumi_status weights_locate(sumi_context *context, const char *folder, char path[]);

/* Makes the model's weights from a safetensors file that has all of them and no others. */
sumi_status weights_load(sumi_model *model, const char *path);
/* The same of an opened file, which is freed; `name` is for messages. */
sumi_status weights_take(sumi_model *model, const char *name, safetensors *file);
/* Writes them as safetensors (save.c). */
sumi_status model_put_weights(const sumi_model *model, file_writer *writer);

/* ---- Schedulers (scheduler.c) ---- */

/* DDPMScheduler with diffusers' defaults, as a new text. */
sumi_status scheduler_default(sumi_context *context, char **text);
/* What a recipe's [noise] section means as scheduler_config.json. */
sumi_status scheduler_from_recipe(sumi_context *context, const sumi_recipe *recipe, char **text);
/* Checks the text of a scheduler_config.json and brings it to the form that is saved. */
sumi_status scheduler_read(sumi_context *context, const char *text, const char *source,
                           char **result);
/* Whether the model is of bits, by its scheduler (sample.c). */
bool model_is_binomial(const sumi_model *model);
/* Its class, such as "DDPMScheduler", into name[size]. */
sumi_status scheduler_class(sumi_context *context, const char *text, char *name, size_t size);

/* ---- model_index.json (pipeline.c) ---- */

/* The index of the folder that the model is saved as, as a new text. */
sumi_status pipeline_index(const sumi_model *model, char **text);

/* ---- Names of classes (class_names.c) ---- */

/* Those that a data set has for the classes that the network is told. */
sumi_status class_names_copy(sumi_model *model, const sumi_data *data);
/* Reads them from a model_index.json, if it has some, once the network is there. */
sumi_status class_names_read(sumi_model *model, json_object *index, const char *source);
/* Adds them to an object as {"0": "cat"}, if there are some; false where memory ran out. */
bool class_names_add(const sumi_model *model, json_object *what, const char *key);
/* The same for the model_index.json of a saved model. */
bool class_names_write(const sumi_model *model, json_object *index);

/* ---- Recipes (from_recipe.c) ---- */

/* The config.json that a recipe's [model] section means, for items of a kind and shape, as a new
   text. */
sumi_status config_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                               enum sumi_item_kind kind, const int64_t *shape, int classes,
                               char **text);

/* Reads a text file such as config.json into a new text. */
sumi_status model_read_text(sumi_context *context, const char *path, char **text);

#endif
