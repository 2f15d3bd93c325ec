/* SPDX-License-Identifier: Apache-2.0 */
/* The training loop: an objective's graph, differentiated and planned once, and an optimizer. It
   knows nothing of diffusion; objectives are in files of their own. */
#ifndef SUMI_LEARN_TRAINER_H
#define SUMI_LEARN_TRAINER_H

#include "data/fingerprint.h"
#include "learn/advice.h"
#include "learn/objective.h"
#include "learn/optimizer.h"

struct sumi_trainer {
    sumi_context *context;
    const sumi_recipe *recipe;
    sumi_weights *weights;
    sumi_model *model;       /* NULL for a custom objective */
    struct fingerprint data; /* of what it is trained on; "" where that cannot change */
    struct objective objective;
    int64_t batch; /* items a step takes */
    int64_t parts; /* that they are computed in */
    uint64_t seed;

    sumi_graph *graph;
    sumi_plan *plan;
    sumi_node loss;
    const float **gradients; /* [weights] in the plan's memory, NULL where not trained */
    float **sums;            /* [weights] gradients of a step in several parts, else NULL */
    float *sum_values;       /* what these point into */
    struct optimizer optimizer;
    bool averaged; /* the network holds the averages, and optimizer.average the trained weights */

    struct advice_course course; /* of the loss */
    int64_t step, steps;
    float *losses; /* [step] */
    int64_t losses_capacity;
};

/* Differentiates the objective's loss by all trained weights and plans both (step_plan.c). */
sumi_status trainer_plan(sumi_trainer *trainer);
void trainer_release_plan(sumi_trainer *trainer);

/* Feeds and runs a step's parts: the mean of their losses, which is finite, to *loss, and that of
   their gradients to *gradients [weights], until the next call (step_plan.c). */
sumi_status trainer_descend(sumi_trainer *trainer, float *loss, const float *const **gradients);

/* Draws a few samples in few steps (run.c); none, with samples->data NULL, where the network's
   predictions lead out of the finite numbers or are not for the solver that is used. */
sumi_status trainer_draw_preview(const sumi_model *model, sumi_session *session,
                                 sumi_array *samples);

/* Room for at least `count` losses. */
sumi_status trainer_reserve_losses(sumi_trainer *trainer, int64_t count);

#endif
