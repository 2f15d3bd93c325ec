/* SPDX-License-Identifier: Apache-2.0 */
/* Label dropout (Ho and Salimans 2022, algorithm 1): in training the class of each item is
   replaced by the null class with a probability, so that one network learns both predictions of
   classifier-free guidance. */
#ifndef SUMI_LEARN_LABEL_DROPOUT_H
#define SUMI_LEARN_LABEL_DROPOUT_H

#include "learn/objective.h"

struct label_dropout {
    double probability; /* 0: labels stay */
    int32_t null_class;
    uint64_t seed;
};

/* Refuses train.label_dropout for a network without a null class. */
sumi_status label_dropout_check(const struct learning *learning);

/* The settings of the recipe, after the check. */
struct label_dropout label_dropout_of(const struct learning *learning);

/* Reads the items of a feed, x[portion->count, item], and their classes (data_read_batch; NULL for
   none), and replaces some of these. */
sumi_status label_dropout_read(const struct label_dropout *dropout, sumi_data *data,
                               const struct portion *portion, int64_t feed, float *x,
                               int32_t *labels);

/* Replaces classes of a portion's items, labels[portion->count] (NULL for none). The draws are
   keyed by seed, step and item. */
void label_dropout_apply(const struct label_dropout *dropout, const struct portion *portion,
                         int32_t *labels);

#endif
