/* SPDX-License-Identifier: Apache-2.0 */
/* The training loop: an objective's graph, differentiated and planned once, and an optimizer. It is
   independent of diffusion; objectives are in files of their own. A training has one such plan or
   several over the same weights, of which each step runs one: for each size of items, and for the
   steps before an objective has all its terms. */
#ifndef SUMI_LEARN_TRAINER_H
#define SUMI_LEARN_TRAINER_H

#include "data/fingerprint.h"
#include "learn/advice.h"
#include "learn/objective.h"
#include "learn/optimizer.h"

/* A loss, and the weights that an optimizer moves down its gradient: those whose names begin with a
   prefix. Each trained weight has one learner; that of the objective's own loss comes first, and
   takes all weights that no other learner has. */
struct learner {
    const char *prefix; /* NULL for the first */
    struct optimizer optimizer;
};
enum { MOST_LEARNERS = 1 + MOST_RIVALS };

/* What a step computes: the losses of an objective and their gradients, for items of one size. */
struct step_plan {
    sumi_model model; /* the trained one with the size of the items; zeros for none */
    struct net net;   /* of that */
    struct objective objective;
    sumi_graph *graph;
    sumi_plan *plan;                 /* of all losses and gradients */
    sumi_node losses[MOST_LEARNERS]; /* of the trainer's learners, in their order */
    int loss_count;                  /* of learners that these steps have */
    const float **gradients;         /* [weights] in the plan's memory, NULL where not trained */
};

struct sumi_trainer {
    sumi_context *context;
    const sumi_recipe *recipe;
    sumi_weights *weights;
    sumi_model *model;       /* NULL for a custom objective or an auto-encoder */
    struct fingerprint data; /* of the training data; "" for generated data */
    int64_t batch;           /* items of a step */
    int64_t parts;           /* parts that a step is computed in */
    uint64_t seed;

    /* For each size of the data set's items one with all losses, then one with those of the
       opening, if there is one. The first of all shows and saves. */
    struct step_plan *plans;
    int plan_count;
    int64_t opening;   /* number of first steps without all losses */
    sumi_data *source; /* NULL for a custom objective */
    struct learner learners[MOST_LEARNERS];
    int learner_count;
    float **sums;      /* [weights] gradients of a step in several parts, else NULL */
    float *sum_values; /* memory of the sums */
    bool averaged;     /* whether the network has the averages, and the optimizers' averages are the
                          trained weights */

    struct advice_course course; /* the course of the loss, for warnings */
    int64_t step, steps;
    float *losses; /* [step] */
    int64_t losses_capacity;
};

/* Builds the losses of each plan, differentiates each by the weights of its learner, and plans all
   of them (step_plan.c). */
sumi_status trainer_plan(sumi_trainer *trainer);
void trainer_release_plans(sumi_trainer *trainer);

/* The plan of the next step. */
struct step_plan *trainer_next_plan(const sumi_trainer *trainer);

/* The learner of a trained weight. */
struct learner *trainer_learner_of(const sumi_trainer *trainer, int64_t weight);

/* Feeds and runs a step's parts by its plan. Writes the mean of their losses to *loss, and points
   *gradients [weights] to that of their gradients, valid until the next call. A loss that is not
   finite is an error (step_plan.c). */
sumi_status trainer_descend(sumi_trainer *trainer, float *loss, const float *const **gradients);

/* Generates a few samples in a few steps (run.c). samples->data is NULL where the network's
   predictions give values that are not finite or the solver does not support them. */
sumi_status trainer_draw_preview(const sumi_model *model, sumi_session *session,
                                 sumi_array *samples);

/* Ensures capacity for at least `count` losses. */
sumi_status trainer_reserve_losses(sumi_trainer *trainer, int64_t count);

#endif
