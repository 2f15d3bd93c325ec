/* The training loop: an objective's graph, differentiated and planned once, and an optimizer. It
   knows nothing of diffusion; objectives are in files of their own. */
#ifndef SUMI_LEARN_TRAINER_H
#define SUMI_LEARN_TRAINER_H

#include "learn/objective.h"
#include "learn/optimizer.h"

struct sumi_trainer {
    sumi_context *context;
    const sumi_recipe *recipe;
    sumi_weights *weights;
    sumi_model *model; /* NULL for a custom objective */
    struct objective objective;
    int64_t batch; /* items a step takes, for rates */
    uint64_t seed;

    sumi_graph *graph;
    sumi_plan *plan;
    sumi_node loss;
    const float **gradients; /* [weights] in the plan's memory, NULL where not trained */
    struct optimizer optimizer;
    bool averaged; /* the network holds the averages, and optimizer.average the trained weights */

    int64_t step, steps;
    float *losses; /* [step] */
    int64_t losses_capacity;
};

/* Draws a few samples in few steps (run.c); none, with samples->data NULL, where the network's
   predictions lead out of the finite numbers. */
sumi_status trainer_draw_preview(sumi_model *model, sumi_array *samples);

/* Room for at least `count` losses. */
sumi_status trainer_reserve_losses(sumi_trainer *trainer, int64_t count);

#endif
