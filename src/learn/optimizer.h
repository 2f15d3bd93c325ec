/* SPDX-License-Identifier: Apache-2.0 */
/* AdamW with gradient clipping and an exponential moving average of the weights, over all weights
   of a network in one pass. */
#ifndef SUMI_LEARN_OPTIMIZER_H
#define SUMI_LEARN_OPTIMIZER_H

#include "files/recipe.h"
#include "graph/backend.h"

struct optimizer_settings {
    double learning_rate, final_learning_rate, weight_decay, beta1, beta2, epsilon;
    double clip; /* largest norm of the whole gradient; 0 for no limit */
    double ema;  /* decay of the average; 0 for no averages */
    bool ema_warmup;
    bool cosine; /* decay after the warm-up */
    int64_t warmup, steps;
    const bool *takes; /* [weights], read at creation: those of this optimizer; NULL for all */
};

/* The elements of a chunk: those of a weight from `first` on. */
struct chunk_place {
    int64_t weight, first;
};

/* Arrays [count of each weight], one for each weight of the network; NULL where this optimizer does
   not train it. */
struct optimizer {
    sumi_context *context;
    sumi_weights *weights;
    int64_t count; /* number of weights at creation; later ones are not trained */
    struct optimizer_settings settings;
    float **first, **second;        /* running means of the gradient and of its square */
    float **average;                /* EMA of the weights */
    struct optimizer_chunk *chunks; /* chunks of all trained weights, in order */
    struct chunk_place *places;     /* of the chunks */
    int64_t chunk_count;
};

struct optimizer_settings optimizer_settings_of(const sumi_recipe *recipe);

sumi_status optimizer_create(sumi_weights *weights, const struct optimizer_settings *settings,
                             struct optimizer *optimizer);
void optimizer_release(struct optimizer *optimizer);

/* The learning rate of a step (from 0): linear warm-up, then constant or cosine decay. */
double optimizer_rate(const struct optimizer_settings *settings, int64_t step);
/* Decay of the average at a step. */
double optimizer_average_decay(const struct optimizer_settings *settings, int64_t step);

/* Applies gradients[weight] (NULL where not trained) for `step`. The norm of the whole gradient
   before clipping goes to *norm; where it is not finite nothing is changed and the status is
   SUMI_ERROR_NUMBER. */
sumi_status optimizer_apply(struct optimizer *optimizer, int64_t step,
                            const float *const *gradients, double *norm);

/* The least operations and bytes of that: the norm reads the gradients; the step reads them again,
   and reads and writes weights, moments and averages. */
struct cost optimizer_cost(const struct optimizer *optimizer, const float *const *gradients);

#endif
