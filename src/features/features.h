/* SPDX-License-Identifier: Apache-2.0 */
/* Networks that turn pictures into rows of features: what one is to the rest (features.c), and the
   kinds of networks. */
#ifndef SUMI_FEATURES_FEATURES_H
#define SUMI_FEATURES_FEATURES_H

#include "base/hash.h"
#include "base/option_set.h"
#include "files/safetensors.h"
#include "graph/graph.h"

enum feature_output { FEATURE_VECTOR, FEATURE_LOGITS };

struct feature_options {
    int64_t batch; /* pictures at a time */
    int output;    /* enum feature_output */
    int resize;    /* enum feature_resize, of Inception */
};

/* A kind of network. */
struct feature_kind {
    const char *name;
    const struct option *options; /* its own */
    /* Reads what describes the network in an open file and its config.json ("" for none), or in the
       model: sets shape, counts and settings. */
    sumi_status (*read)(sumi_features *features, const char *config, const char *source);
    /* Reads a weight of the graph from the file: see struct weight_source. NULL: the tensor of its
       name. */
    sumi_status (*find)(void *features, const char *name, const struct shape *shape, size_t *place);
    sumi_status (*read_weight)(void *features, size_t place, float *data);
    /* Adds the network on x[n, shape]; returns the output that the options ask for. */
    sumi_node (*build)(const sumi_features *features, sumi_graph *graph, sumi_node x);
    /* Writes a picture of bytes[height, width, 3] as the network's input, input[shape]. */
    sumi_status (*prepare)(const sumi_features *features, int height, int width,
                           const uint8_t *bytes, float *input);
};

struct sumi_features {
    sumi_context *context;
    const struct feature_kind *kind;
    char *path;        /* of the weights or of the model */
    void *settings;    /* the kind's own, from context_allocate, or NULL */
    sumi_model *model; /* of a classifier, which has the weights then; else NULL */
    int64_t shape[3];  /* of a prepared picture: height, width, channels */
    int64_t count, classes;
    struct feature_options options;
    struct option_set set;
    char text[OPTION_WORD_SIZE]; /* of the last sumi_features_setting */
    safetensors *file;           /* while it is opened */
    sumi_weights *weights;
    char fingerprint[HASH_TEXT];
    /* Of the last batch and output; plan NULL before the first. */
    sumi_graph *graph;
    sumi_plan *plan;
    sumi_node input, result;
    struct feature_options planned;
};

extern const struct feature_kind feature_inception, feature_clip, feature_classifier;

/* Opens the model of a classifier that Sumi has trained, and sets features->model. */
sumi_status feature_open_classifier(sumi_features *features, const char *folder);

/* The tensor of a file under a name, with that shape: refused with a sentence otherwise. Both are
   what a kind without its own functions uses. */
sumi_status feature_find_tensor(void *features, const char *name, const struct shape *shape,
                                size_t *place);
sumi_status feature_read_tensor(void *features, size_t place, float *data);

#endif
