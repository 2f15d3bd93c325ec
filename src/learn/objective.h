/* SPDX-License-Identifier: Apache-2.0 */
/* Objectives: what a network is trained for. An objective builds a loss as a graph, fills the
   inputs of a step, and may update its own state from the results; each is one file with a table,
   chosen by train.objective (objective.c). */
#ifndef SUMI_LEARN_OBJECTIVE_H
#define SUMI_LEARN_OBJECTIVE_H

#include "data/data.h"
#include "models/model.h"

/* The inputs of a training. All of them outlive the objective. */
struct learning {
    sumi_context *context;
    const sumi_recipe *recipe;
    sumi_model *model;               /* NULL where an auto-encoder is trained */
    sumi_auto_encoder *auto_encoder; /* NULL where a model is trained */
    sumi_data *data;
    bool opening; /* for the first steps, which do not have all terms (objective_opening) */
};

/* The items of one feed: first .. first + count - 1 of a step's batch. With train.accumulate = N,
   feeds N step to N step + N - 1 make up a step. Random numbers are keyed by the step and the index
   of the item in it, so that they are the same for all N (step_plan.c). */
struct portion {
    int64_t step, first, count;
};
struct portion portion_of(const sumi_recipe *recipe, int64_t feed);

/* An array of an objective's state, saved in checkpoints with the weights. */
struct kept {
    const char *name; /* of its tensor in a checkpoint */
    struct shape shape;
    float *values;
};
enum { MOST_KEPT = 4 };

/* A further loss with weights of its own, which it alone trains, such as that of a discriminator:
   those whose names begin with `prefix`. */
struct rival {
    const char *prefix;
    sumi_node loss; /* of one element */
};
enum { MOST_RIVALS = 1 };

/* All functions except `build` and `feed` may be NULL. */
struct objective {
    void *user;
    /* Adds the inputs and a loss of one element to the graph and returns the loss. */
    sumi_node (*build)(void *user, sumi_graph *graph);
    /* Lists the further losses of the built graph; returns their number. */
    int (*rivals)(void *user, struct rival rivals[MOST_RIVALS]);
    /* Fills the inputs with the items of a feed (portion_of). */
    sumi_status (*feed)(void *user, sumi_plan *plan, int64_t feed);
    /* A further node, which `observe` reads after each run of the plan. */
    sumi_node (*observed)(void *user);
    void (*observe)(void *user, sumi_plan *plan);
    /* Writes what is learned beside the network into the model. Called whenever the averages
       replace the network's weights, for example before the model is saved or sampled. */
    sumi_status (*publish)(void *user);
    /* Lists the state for checkpoints; returns the number of arrays. */
    int (*keep)(void *user, struct kept kept[MOST_KEPT]);
    /* The expected loss of a network that always predicts zero, for data with this mean square. */
    double (*zero_loss)(void *user, double mean_square);
    /* Where what is trained is not a model: saves it to a folder, and draws a few items that show
       the progress, both with the averages in the network. */
    sumi_status (*save)(void *user, const char *folder);
    sumi_status (*preview)(void *user, sumi_array *items);
    void (*release)(void *user);
};

struct objective_type {
    const char *name; /* value of train.objective */
    /* On failure nothing is left to release. */
    sumi_status (*create)(const struct learning *learning, struct objective *objective);
    bool of_bits;          /* for binomial diffusion */
    bool of_auto_encoders; /* trains an auto-encoder, not a model */
    /* NULL, or the number of first steps that are trained without some terms. */
    int64_t (*opening)(const sumi_recipe *recipe);
};

extern const struct objective_type objective_denoising, objective_variational, objective_hybrid;
extern const struct objective_type objective_sliced, objective_bits, objective_betas;
extern const struct objective_type objective_likelihood, objective_auto_encoder;
extern const struct objective_type objective_classification;

/* The objective that the recipe names. On failure nothing is left to release. */
sumi_status objective_create(const struct learning *learning, struct objective *objective);

/* The number of first steps that it trains without some of its terms, mostly 0. They are those of
   another objective, for which learning->opening is set. */
int64_t objective_opening(const sumi_recipe *recipe);

/* Refuses data whose items or classes do not match the model's. */
sumi_status objective_check_data(const struct learning *learning);

/* The mean of each item's numbers: each[n, item] to [n]. */
sumi_node objective_item_means(sumi_graph *graph, sumi_node each);

#endif
