/* SPDX-License-Identifier: Apache-2.0 */
/* The pairing of noise and items. Usually they are independent; on straight paths, other couplings
   make the learned flow straighter:

       optimal  the noise of a batch is permuted so that the sum of squared distances to the items
   is minimal (Pooladian et al. 2023; Tong et al. 2023) reflow   both ends of a trained model's
   probability flow (Liu et al. 2022, section 2.2) */
#ifndef SUMI_LEARN_COUPLING_H
#define SUMI_LEARN_COUPLING_H

#include "learn/assignment.h"
#include "learn/objective.h"

/* In the order of the names of train.coupling. */
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

/* Reads the recipe; for reflow, generates the pairs with the model at train.teacher. Call
   coupling_release also after a failure. */
sumi_status coupling_open(const struct learning *learning, int64_t batch,
                          struct coupling *coupling);
void coupling_release(sumi_context *context, struct coupling *coupling); /* accepts zeros */

/* For the optimal coupling: permutes the rows of noise[batch, item_size] to match their items. */
void coupling_match(struct coupling *coupling, const float *clean, float *noise);

/* For reflow: reads the pairs of a feed, in a new order in each epoch. labels[batch] may be
   NULL. */
void coupling_read(const struct coupling *coupling, int64_t feed, float *clean, float *noise,
                   int32_t *labels);

/* ---- Pairs (reflow.c) ---- */

/* Their number. */
int64_t reflow_pairs(const sumi_recipe *recipe);

/* Fills noise, clean and labels (already allocated) with the teacher's flow. */
sumi_status reflow_draw(const struct learning *learning, struct coupling *coupling);

#endif
