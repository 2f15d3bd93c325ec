/* SPDX-License-Identifier: Apache-2.0 */
/* Which noise goes with which item. Independent draws are the usual; on straight paths others bend
   the learned flow less:

       optimal  the noise of a batch is dealt out anew, so that the sum of squared distances to the
                items is least (Pooladian et al. 2023; Tong et al. 2023)
       reflow   both ends of a trained model's probability flow (Liu et al. 2022, section 2.2) */
#ifndef SUMI_LEARN_COUPLING_H
#define SUMI_LEARN_COUPLING_H

#include "learn/assignment.h"
#include "learn/objective.h"

/* By the names of train.coupling, in its order. */
enum coupling_kind { COUPLING_INDEPENDENT, COUPLING_OPTIMAL, COUPLING_REFLOW };

struct coupling {
    enum coupling_kind kind;
    int64_t batch, item_size;
    int threads;
    uint64_t seed;
    /* optimal */
    struct assignment assignment;
    float *costs;       /* [batch, batch] */
    float *spare;       /* [batch, item_size] */
    int64_t *column_of; /* [batch] */
    /* reflow */
    int64_t pairs;
    float *noise, *clean; /* [pairs, item_size] */
    int32_t *labels;      /* [pairs], NULL for a model without classes */
};

/* Reads the recipe; for reflow draws the pairs from the model at train.teacher. On failure
   coupling_release is still needed. */
sumi_status coupling_open(const struct learning *learning, int64_t batch,
                          struct coupling *coupling);
void coupling_release(sumi_context *context, struct coupling *coupling); /* accepts zeros */

/* For the optimal coupling: moves the rows of noise[batch, item_size] to the items that they go
   with. */
void coupling_match(struct coupling *coupling, const float *clean, float *noise);

/* For reflow: the pairs of a feed, in a new order each time all have been seen. labels[batch] may
   be NULL. */
void coupling_read(const struct coupling *coupling, int64_t feed, float *clean, float *noise,
                   int32_t *labels);

/* ---- Pairs (reflow.c) ---- */

/* Fills noise, clean and labels, for which there is memory, by the teacher's flow. */
sumi_status reflow_draw(const struct learning *learning, struct coupling *coupling);

#endif
