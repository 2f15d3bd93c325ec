/* SPDX-License-Identifier: Apache-2.0 */
/* Importance sampling of times, which reduces the variance of the gradient (Nichol & Dhariwal 2021,
   section 3.3): p_t is proportional to sqrt(E[L_t^2]) over the last ten losses of each time, and
   each loss has the weight 1 / (T p_t), which preserves the expectation. Until every time has ten
   losses, p_t is uniform. */
#ifndef SUMI_LEARN_IMPORTANCE_H
#define SUMI_LEARN_IMPORTANCE_H

#include "learn/objective.h"

struct importance {
    int64_t count;  /* T; 0 where it is not used */
    float *losses;  /* [T, 10] the last ten of each time, in any order */
    float *seen;    /* [T] number of losses of each time */
    double *ladder; /* [T] p_0 + ... + p_t */
};

/* On failure nothing is left to release. */
sumi_status importance_open(sumi_context *context, int64_t count, struct importance *importance);
void importance_release(sumi_context *context, struct importance *importance); /* accepts zeros */

/* Computes the probabilities of all times from the losses so far. */
void importance_prepare(struct importance *importance);
/* The time for a number of [0, 1), by inverse transform sampling. */
int64_t importance_draw(const struct importance *importance, double place);
double importance_chance(const struct importance *importance, int64_t time);
/* Records the loss of an item. */
void importance_note(struct importance *importance, int64_t time, float loss);

/* Lists its state for checkpoints; returns the number of arrays. */
int importance_keep(const struct importance *importance, struct kept kept[MOST_KEPT]);

#endif
