/* SPDX-License-Identifier: Apache-2.0 */
/* The two sets that `sumi eval` compares: samples of a model, a data set of a recipe, pictures or
   arrays; or the mean and the covariance of one. */
#ifndef TOOL_EVAL_SETS_H
#define TOOL_EVAL_SETS_H

#include "inference.h"

struct eval_set {
    const char *name;            /* as the user gave it */
    sumi_array items;            /* [n, item]; nothing where `statistics` were read */
    sumi_array features, logits; /* of the items, [n, count]; nothing until they are needed */
    sumi_statistics *statistics; /* of an .npz file or of the set; NULL until they are needed */
    int64_t evaluations;         /* of the network for each sample; 0 where none was sampled */
    double seconds;              /* that sampling took */
};

/* How sets are read. */
struct eval_reading {
    sumi_context *context;
    const struct inference_settings *settings; /* of a model */
    const struct texts *sets;                  /* values of a recipe: "section.key=value" */
    int64_t count;                             /* samples, or most items; 0: the usual number */
    const sumi_array *like;                    /* a set whose size pictures get, or NULL */
};

/* Whether the path is a folder with a trained model. */
bool eval_is_model(const char *path);

/* Releases what the set has and empties it. */
void eval_set_release(sumi_context *context, struct eval_set *set);

/* Opens a model and its solver with the settings, and closes them: prints what cannot be sampled,
   and returns an exit code. */
int eval_check_model(const struct eval_reading *reading, const char *path);

/* Reads or samples a set. Prints errors and returns an exit code. */
int eval_read(const struct eval_reading *reading, const char *path, struct eval_set *set);

/* Reads the data that a model was trained on, by the recipe in its folder. */
int eval_read_training(const struct eval_reading *reading, const char *folder,
                       struct eval_set *set);

#endif
