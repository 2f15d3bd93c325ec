/* SPDX-License-Identifier: Apache-2.0 */
/* Objectives: what a network is trained to do. An objective builds a loss as graph, fills the
   inputs of a step, and may learn from what came out; each is one file with a table, chosen by
   train.objective (objective.c). */
#ifndef SUMI_LEARN_OBJECTIVE_H
#define SUMI_LEARN_OBJECTIVE_H

#include "data/data.h"
#include "models/model.h"

/* What there is to learn from. The four outlive the objective. */
struct learning {
    sumi_context *context;
    const sumi_recipe *recipe;
    sumi_model *model;
    sumi_data *data;
};

/* What one feed of an objective gives: items first .. first + count - 1 of a step's batch. With
   train.accumulate = N, feeds N step to N step + N - 1 make a step. Draws are keyed by the step and
   the number of the item in it, so that they are the same for all N (step_plan.c). */
struct portion {
    int64_t step, first, count;
};
struct portion portion_of(const sumi_recipe *recipe, int64_t feed);

/* Numbers that an objective gathers while it trains, kept in checkpoints beside the weights. */
struct kept {
    const char *name; /* of its tensor in a checkpoint */
    struct shape shape;
    float *values;
};
enum { MOST_KEPT = 4 };

/* All calls but `build` and `feed` may be NULL. */
struct objective {
    void *user;
    /* Adds the inputs and a loss of one element to the graph and returns the loss. */
    sumi_node (*build)(void *user, sumi_graph *graph);
    /* Fills the inputs with a portion of a step's items (portion_of). */
    sumi_status (*feed)(void *user, sumi_plan *plan, int64_t feed);
    /* A node beside the loss that `observe` reads after each run of the plan. */
    sumi_node (*observed)(void *user);
    void (*observe)(void *user, sumi_plan *plan);
    /* Puts into the model what is learned beside its network. Called whenever the network's weights
       become the averages, as before the model is saved or sampled. */
    sumi_status (*publish)(void *user);
    /* Lists what checkpoints keep; returns how many. */
    int (*keep)(void *user, struct kept kept[MOST_KEPT]);
    /* The expected loss of a network that always predicts zero, where the numbers of the data have
       this mean square. */
    double (*zero_loss)(void *user, double mean_square);
    void (*release)(void *user);
};

struct objective_type {
    const char *name; /* of train.objective */
    /* On failure nothing is left to release. */
    sumi_status (*create)(const struct learning *learning, struct objective *objective);
    bool of_bits; /* for binomial diffusion */
};

extern const struct objective_type objective_denoising, objective_variational, objective_hybrid;
extern const struct objective_type objective_sliced, objective_bits, objective_betas;
extern const struct objective_type objective_likelihood;

/* The objective that the recipe names. */
sumi_status objective_create(const struct learning *learning, struct objective *objective);

/* Refuses data whose items or classes are not what the model takes. */
sumi_status objective_check_data(const struct learning *learning);

/* The mean of each item's numbers: each[n, item] to [n]. */
sumi_node objective_item_means(sumi_graph *graph, sumi_node each);

#endif
