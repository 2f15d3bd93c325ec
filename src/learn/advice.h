/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings about a training that can be done but will probably disappoint. */
#ifndef SUMI_LEARN_ADVICE_H
#define SUMI_LEARN_ADVICE_H

#include "learn/objective.h"

/* Before the first step: a set smaller than a batch, much signal left at the last noise level, data
   far from where samples are clipped or from what the noise levels are made for. Reads some items;
   the mean square of their numbers to *mean_square. */
sumi_status advice_before(const struct learning *learning, double *mean_square);

/* Whether a loss grows instead of falling: the median of some steps is compared with the least such
   median before, and with the loss of predicting zero. */
enum { ADVICE_STEPS = 8 };
struct advice_course {
    double zero_loss;    /* 0 where it is not known */
    double first, least; /* medians; 0 before there are any */
    bool told;
};
/* After each step; losses[count] are all so far. */
void advice_after(sumi_context *context, const sumi_recipe *recipe, struct advice_course *course,
                  const float *losses, int64_t count);

#endif
