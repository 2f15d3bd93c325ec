/* SPDX-License-Identifier: Apache-2.0 */
/* The inception score of a classifier's outputs. */
#ifndef SUMI_QUALITY_SCORE_H
#define SUMI_QUALITY_SCORE_H

#include "quality/samples.h"
#include "quality/work.h"

/* exp of the mean of KL(p(y|x) || p(y)) over each of `splits` consecutive parts of the rows, which
   are logits of classes: its mean and its deviation over the parts (Salimans et al. 2016). There
   are at least as many rows as parts. */
sumi_status inception_score(struct work *work, const struct samples *logits, int64_t splits,
                            double *mean, double *deviation);

#endif
