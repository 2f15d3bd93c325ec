/* SPDX-License-Identifier: Apache-2.0 */
/* A noised batch: the clean items of a step, each noised to a time of the model's path, and the
   inputs of the network that it fills. All denoising objectives are built on it and add their
   targets. All random numbers are keyed by seed, step and item, so that a step can be repeated
   exactly. */
#ifndef SUMI_LEARN_NOISED_H
#define SUMI_LEARN_NOISED_H

#include "learn/coupling.h"
#include "learn/label_dropout.h"
#include "learn/times.h"

struct noised {
    struct learning learning;
    sumi_solver *solver; /* the solver that the model will be sampled with; owns what the next three
                            point to */
    const struct schedule *schedule;
    const struct noise_path *path;
    const struct solver_options *options;
    enum prediction_type prediction;
    uint64_t seed;
    int64_t batch, item_size; /* batch: items of one feed */
    float *clean, *noise;     /* [batch, item_size] */
    int32_t *labels;          /* [batch] classes, or NULL */
    struct place *places;     /* [batch] */
    struct times draws;
    struct coupling coupling;
    struct label_dropout label_dropout;
    sumi_node x, times, classes;
    sumi_node chances; /* 1 / (T p) of each item with importance sampling of times, else -1 */
    sumi_node losses;  /* [batch] */
};

/* Call noised_release also after a failure. */
sumi_status noised_open(const struct learning *learning, struct noised *noised);
/* The same with the classes of items in `labels` for the objective, of a network that does not get
   them and that is not sampled with. */
sumi_status noised_open_labelled(const struct learning *learning, struct noised *noised);
void noised_release(struct noised *noised);
/* `release` of an objective whose user data begin with a struct noised and own nothing else. */
void noised_free(void *user);

/* Adds the inputs and the network; returns its prediction, [n, item]. */
sumi_node noised_build(struct noised *noised, sumi_graph *graph);

/* Adds an input of x's shape or, if `each` is false, of one number per item. */
sumi_node noised_input(const struct noised *noised, sumi_graph *graph, const char *name, bool each);

/* The loss of the batch from losses[n], those of its items. */
sumi_node noised_loss(struct noised *noised, sumi_graph *graph, sumi_node losses);

/* The loss of the batch from the squared errors of a prediction, weighted by weights[n] (-1: all
   equal). */
sumi_node noised_squared_error(struct noised *noised, sumi_graph *graph, sumi_node prediction,
                               sumi_node target, sumi_node weights);

/* An objective whose user data begin with a struct noised and own nothing else; build, feed and
   what it has besides are set by the caller. It updates the importance sampling of times from the
   losses of a step. */
struct objective noised_objective(void *user);

/* Reads and noises a portion of a step's items, and writes x, times and labels. Then calls `finish`
   (or NULL) for each item, from any thread. */
sumi_status noised_feed(struct noised *noised, sumi_plan *plan, int64_t feed,
                        void (*finish)(void *user, sumi_plan *plan, int64_t item), void *user);

/* Refuses a training in which, at some time that may be drawn, the time input, the noised items,
   the target (if `targets`) or a number of the objective is not finite. `judge` (or NULL) returns
   the name of a number of the objective that a float cannot represent at a time, or NULL. */
typedef const char *(*noised_judge)(const void *user, const struct place *place);
sumi_status noised_check(const struct noised *noised, bool targets, noised_judge judge,
                         const void *user);

/* Whether a float can represent a number and some hundred times its square. */
bool noised_holds(double value);

/* Writes the network's target for an item to its row of target[batch, item_size]. */
void noised_target(const struct noised *noised, int64_t item, float *target);

#endif
