/* SPDX-License-Identifier: Apache-2.0 */
/* Times drawn by the losses so far, so that the gradient is less noisy (Nichol & Dhariwal 2021,
   section 3.3): p_t is proportional to sqrt(E[L_t^2]) over the last ten losses of each time, and
   each loss counts 1 / (T p_t), which leaves the expectation as it is. Until every time has had
   ten, all are as likely. */
#ifndef SUMI_LEARN_IMPORTANCE_H
#define SUMI_LEARN_IMPORTANCE_H

#include "learn/objective.h"

struct importance {
    int64_t count;  /* T; 0 where it is not used */
    float *losses;  /* [T, 10] the latest of each time, in any order */
    float *seen;    /* [T] how many losses each time has had */
    double *ladder; /* [T] p_0 + ... + p_t */
};

/* On failure nothing is left to release. */
sumi_status importance_open(sumi_context *context, int64_t count, struct importance *importance);
void importance_release(sumi_context *context, struct importance *importance); /* accepts zeros */

/* Works out the chances of all times from the losses so far. */
void importance_prepare(struct importance *importance);
/* The time at a place of [0, 1). */
int64_t importance_draw(const struct importance *importance, double place);
double importance_chance(const struct importance *importance, int64_t time);
/* Notes the loss of an item. */
void importance_note(struct importance *importance, int64_t time, float loss);

/* What a checkpoint keeps of it; returns how many. */
int importance_keep(const struct importance *importance, struct kept kept[MOST_KEPT]);

#endif
