/* SPDX-License-Identifier: Apache-2.0 */
/* Models: a network's config, its weights and its scheduler. Creating a model and accessing its
   parts is in model.c; models come from open.c, weights.c, from_recipe.c and compose.c; save.c
   writes them, and session.h runs them. */
#ifndef SUMI_MODELS_MODEL_H
#define SUMI_MODELS_MODEL_H

#include "base/json.h"
#include "base/names.h"
#include "base/options.h"
#include "files/safetensors.h"
#include "nets/net.h"

struct auto_encoder_part;
struct text_encoder_part;

/* A pipeline has up to three text encoders, each with its tokenizer. */
enum { TEXT_PARTS = 3 };
struct text_part {
    struct text_encoder_part *encoder; /* NULL for none */
    sumi_tokenizer *tokenizer;         /* NULL for none */
};

/* Read-only once it is created, unless a trainer or its owner changes it. Sessions run it. */
struct sumi_model {
    sumi_context *context;
    struct net *net;
    sumi_weights *weights;
    char *scheduler; /* scheduler_config.json */
    struct names class_names;
    struct auto_encoder_part *auto_encoder; /* its items are latents of it; NULL for none */
    struct text_part texts[TEXT_PARTS];     /* "text_encoder", "text_encoder_2" ... */
    char *index;                            /* the opened model_index.json, or NULL */
};

/* ---- Parts (parts.c) ---- */

/* Opens every part that the text of a model_index.json names; a null part is absent. */
sumi_status parts_open(sumi_model *model, const char *folder, const char *index,
                       const char *source);

/* The names that a kind of part has in folders, by number from 0; NULL past the last. */
const char *part_name_of(sumi_part_kind kind, int number);

/* Loaders: of the network or the scheduler, each from its own folder (open.c). */
sumi_status part_load_network(sumi_model *model, const char *folder);
sumi_status part_load_scheduler(sumi_model *model, const char *folder);
sumi_status part_load_auto_encoder(sumi_model *model, const char *folder); /* auto_encoder.c */
sumi_status part_load_text_encoder(sumi_model *model, const char *folder); /* text_parts.c */
sumi_status part_load_tokenizer(sumi_model *model, const char *folder);

/* ---- Text encoders and tokenizers (text_parts.c) ---- */

/* Refuses a tokenizer that has more tokens than its text encoder. */
sumi_status text_parts_check(const sumi_model *model, const char *folder);
/* Writes their folders. */
sumi_status text_parts_write(const sumi_model *model, const char *folder);
void text_parts_free(sumi_model *model);
/* The number-th of them, from 0, for sumi_model_part; false past the last. */
bool text_parts_describe(const sumi_model *model, int number, sumi_part *part);

/* Opens a single-file checkpoint (single_file_open.c). */
sumi_status model_open_file(sumi_model *model, const char *path);

/* ---- Creating one (model.c) ---- */

/* Reads the network from the text of a config.json into a model without one. */
sumi_status model_read_network(sumi_model *model, const char *config, const char *source);

/* Creates a model without weights from the text of a config.json. `source` names it in messages. */
sumi_status model_begin(sumi_context *context, const char *config, const char *source,
                        sumi_model **model);

/* Creates the weights by building the network once, with initial values keyed by `seed`. */
sumi_status model_make_weights(sumi_model *model, uint64_t seed);

/* ---- Networks of the caller (compose.c) ---- */

/* Whether the network is the caller's own, which has no config.json. */
bool model_is_composed(const sumi_model *model);

/* ---- The network in a graph (model.c) ---- */

/* The name of the network's part in a pipeline folder. */
const char *model_part_name(const sumi_model *model);

/* Numbers of an input item and of an output item. */
int64_t model_item_size(const sumi_model *model);
int64_t model_output_size(const sumi_model *model);

/* Refuses a model whose config has no sample_size. */
sumi_status model_check_size(sumi_context *context, const sumi_model *model);

/* ---- Weights from a file (weights.c) ---- */

/* How the names of weight files begin: those of diffusers and those of transformers. */
#define DIFFUSERS_STEM "diffusion_pytorch_model"
#define TRANSFORMERS_STEM "model"

/* Finds the weights of a model folder, whose name begins with a stem: a single file, a variant of
   it, or the index of a sharded set. */
sumi_status weights_locate(sumi_context *context, const char *folder, const char *stem,
                           char path[]);

/* What a network's weights are made by: building all that reads them once. */
struct weight_builder {
    sumi_context *context;
    bool old_names;       /* whether attention may have the names of diffusers' first files */
    const char *prefix;   /* that names of a file may lack, or NULL */
    const char *needless; /* the end of names that a file may have in addition, or NULL */
    void *user;
    sumi_status (*build)(void *user, sumi_graph *graph);
};
struct weight_builder model_weight_builder(sumi_model *model);

/* Makes weights with initial values keyed by `seed`, or what `source` has, if it is not NULL. What
   is in *weights after a failure is to be freed too. */
sumi_status weights_make(const struct weight_builder *builder, uint64_t seed,
                         const struct weight_source *source, sumi_weights **weights);
/* The same from an opened safetensors file, which is freed or kept by the weights; it has all of
   them and no others. `name` is for messages. */
sumi_status weights_read(const struct weight_builder *builder, const char *name, safetensors *file,
                         sumi_weights **weights);

/* The same from the path of a safetensors file. */
sumi_status weights_load(const struct weight_builder *builder, const char *path,
                         sumi_weights **weights);
/* The weights of a model from an opened file. */
sumi_status weights_take(sumi_model *model, const char *name, safetensors *file);
/* Whether a weight is one that an objective trains or reads in addition to those of the network;
   such are not saved with it (save.c). Their names begin with BESIDE_PREFIX. */
#define BESIDE_PREFIX "objective."
bool weight_is_beside(const struct weight *weight);
/* Writes weights as safetensors (save.c). */
sumi_status weights_put(sumi_context *context, const sumi_weights *weights, file_writer *writer);
/* Writes the folder of a network: its weights, in a file STEM.safetensors that appears whole or not
   at all, and config.json. */
sumi_status network_write(sumi_context *context, const char *folder, const char *stem,
                          const sumi_weights *weights, const char *config);

/* The files of a network's folder, and the text of its config.json, which the caller releases
   (open.c). */
struct network_files {
    char config[PATH_SIZE], weights[PATH_SIZE], *text;
};
sumi_status network_find(sumi_context *context, const char *folder, const char *stem,
                         struct network_files *files);

/* ---- Schedulers (scheduler.c) ---- */

extern const struct option noise_keys[]; /* of a recipe's [noise] */

/* DDPMScheduler with diffusers' defaults, as a new text. */
sumi_status scheduler_default(sumi_context *context, char **text);
/* Makes a scheduler_config.json from a recipe's [noise] section. */
sumi_status scheduler_from_recipe(sumi_context *context, const sumi_recipe *recipe, char **text);
/* Checks the text of a scheduler_config.json and converts it to the form that is saved. */
sumi_status scheduler_read(sumi_context *context, const char *text, const char *source,
                           char **result);
/* The model's own solver for its path alone, also where the network is not one to sample with, as a
   classifier (sample.c). */
sumi_status model_path_solver(sumi_context *context, const sumi_model *model, sumi_solver **solver);
/* Whether the scheduler is that of a binomial diffusion, whose items are bits (sample.c). */
bool model_is_binomial(const sumi_model *model);
/* Its class, such as "DDPMScheduler", into name[size]. */
sumi_status scheduler_class(sumi_context *context, const char *text, char *name, size_t size);

/* ---- model_index.json (pipeline.c) ---- */

/* The model_index.json of the saved model, as a new text. */
sumi_status pipeline_index(const sumi_model *model, char **text);

/* ---- Names of classes (class_names.c) ---- */

/* Copies the class names of a data set, for a network that takes classes. */
sumi_status class_names_copy(sumi_model *model, const sumi_data *data);
/* Reads them from a model_index.json, if it has any; after the network is read. */
sumi_status class_names_read(sumi_model *model, json_object *index, const char *source);
/* Adds them to an object as {"0": "cat"}, if there are any; false where memory ran out. */
bool class_names_add(const sumi_model *model, json_object *what, const char *key);
/* The same for the model_index.json of a saved model. */
bool class_names_write(const sumi_model *model, json_object *index);

/* ---- Recipes (from_recipe.c) ---- */

/* Makes a config.json, as a new text, from a recipe's [model] section for items of a kind and
   shape. */
sumi_status config_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                               enum sumi_item_kind kind, const int64_t *shape, int classes,
                               char **text);

/* Reads a text file such as config.json into a new text. */
sumi_status model_read_text(sumi_context *context, const char *path, char **text);

#endif
