/* A noised batch: the clean items of a step, each brought to a time of the model's process, and the
   inputs of the network that it fills. Every objective that denoises stands on it, and says what
   the network should make of it. All draws are keyed by seed, step and item, so that a step can be
   repeated exactly. */
#ifndef SUMI_LEARN_NOISED_H
#define SUMI_LEARN_NOISED_H

#include "learn/objective.h"
#include "solvers/solver.h"

/* Where an item is noised to: x = signal clean + noise e. */
struct place {
    int64_t index; /* of its time in the schedule's table */
    double time;   /* as the network is told */
    double signal, noise;
};

struct noised {
    struct learning learning;
    sumi_solver *solver; /* as the model will be sampled: owner of what the next two point to */
    const struct schedule *schedule;
    const struct solver_options *options;
    uint64_t seed;
    int64_t batch, item_size; /* batch: of one feed */
    float *clean, *noise; /* [batch, item_size] */
    int32_t *labels;      /* [batch], NULL where the network takes none */
    struct place *places; /* [batch] */
    sumi_node x, times, classes;
};

/* On failure noised_release is still needed. */
sumi_status noised_open(const struct learning *learning, struct noised *noised);
void noised_release(struct noised *noised);

/* Adds the inputs and the network; returns what it predicts, [n, item]. */
sumi_node noised_build(struct noised *noised, sumi_graph *graph);

/* An input of x's shape or, `each` being false, of one number an item. */
sumi_node noised_input(const struct noised *noised, sumi_graph *graph, const char *name,
                       bool each);

/* Reads and noises a portion of a step's items, and writes x, times and labels. Then calls `finish`, which
   may be NULL, for each item, from any thread. */
sumi_status noised_feed(struct noised *noised, sumi_plan *plan, int64_t feed,
                        void (*finish)(void *user, sumi_plan *plan, int64_t item), void *user);

#endif
