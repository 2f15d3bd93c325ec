/* SPDX-License-Identifier: Apache-2.0 */
/* A noised batch: the clean items of a step, each brought to a time of the model's path, and the
   inputs of the network that it fills. Every objective that denoises stands on it, and says what
   the network should make of it. All draws are keyed by seed, step and item, so that a step can be
   repeated exactly. */
#ifndef SUMI_LEARN_NOISED_H
#define SUMI_LEARN_NOISED_H

#include "learn/coupling.h"
#include "learn/times.h"

struct noised {
    struct learning learning;
    sumi_solver *solver; /* as the model will be sampled: owner of what the next three point to */
    const struct schedule *schedule;
    const struct noise_path *path;
    const struct solver_options *options;
    enum prediction_type prediction;
    uint64_t seed;
    int64_t batch, item_size; /* batch: of one feed */
    float *clean, *noise;     /* [batch, item_size] */
    int32_t *labels;          /* [batch] classes, NULL where the network is told none */
    struct place *places;     /* [batch] */
    struct times draws;
    struct coupling coupling;
    sumi_node x, times, classes;
    sumi_node chances; /* 1 / (T p) of each item where times are drawn by importance, else -1 */
    sumi_node losses;  /* [batch] */
};

/* On failure noised_release is still needed. */
sumi_status noised_open(const struct learning *learning, struct noised *noised);
void noised_release(struct noised *noised);

/* Adds the inputs and the network; returns what it predicts, [n, item]. */
sumi_node noised_build(struct noised *noised, sumi_graph *graph);

/* An input of x's shape or, `each` being false, of one number an item. */
sumi_node noised_input(const struct noised *noised, sumi_graph *graph, const char *name, bool each);

/* The loss of the batch from losses[n] of its items. */
sumi_node noised_loss(struct noised *noised, sumi_graph *graph, sumi_node losses);

/* The same of the squared errors of a prediction, each item's counting by weights[n] (-1: all
   alike). */
sumi_node noised_squared_error(struct noised *noised, sumi_graph *graph, sumi_node prediction,
                               sumi_node target, sumi_node weights);

/* For `observed`, `observe` and `keep` of an objective whose user data begin with a struct noised:
   learning from the losses of a step which times to draw. */
sumi_node noised_observed(void *user);
void noised_observe(void *user, sumi_plan *plan);
int noised_keep(void *user, struct kept kept[MOST_KEPT]);

/* Reads and noises a portion of a step's items, and writes x, times and labels. Then calls
   `finish`, which may be NULL, for each item, from any thread. */
sumi_status noised_feed(struct noised *noised, sumi_plan *plan, int64_t feed,
                        void (*finish)(void *user, sumi_plan *plan, int64_t item), void *user);

/* Refuses what has no finite numbers at some time that may be drawn: told times, noised items, the
   target (of the model's prediction, where `targets`), and what `judge` finds, which may be NULL:
   the name of a number of the objective that a float cannot hold there, or NULL. */
typedef const char *(*noised_judge)(const void *user, const struct place *place);
sumi_status noised_check(const struct noised *noised, bool targets, noised_judge judge,
                         const void *user);

/* Whether a float holds a number, and its square times some hundreds too. */
bool noised_holds(double value);

/* Writes what the network should predict for an item into its row of target[batch, item_size]. */
void noised_target(const struct noised *noised, int64_t item, float *target);

#endif
