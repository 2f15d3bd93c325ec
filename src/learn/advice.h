/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings about trainings that are possible but will probably give poor results. */
#ifndef SUMI_LEARN_ADVICE_H
#define SUMI_LEARN_ADVICE_H

#include "learn/objective.h"

/* Checks before the first step: warns of a data set smaller than a batch, of much signal left at
   the last noise level, and of data outside the range of clipping or of a scale that the noise
   levels do not suit. Reads some items and writes the mean square of their numbers to
   *mean_square. */
sumi_status advice_before(const struct learning *learning, double *mean_square);

/* Detects a loss that grows instead of falling: compares the median of the last steps with the
   least median so far and with the loss of predicting zero. */
enum { ADVICE_STEPS = 8 };
struct advice_course {
    double zero_loss;    /* 0 where unknown */
    double first, least; /* medians; 0 before there are any */
    bool warned;
};
/* Called after each step with losses[count], all losses so far. */
void advice_after(sumi_context *context, const sumi_recipe *recipe, struct advice_course *course,
                  const float *losses, int64_t count);

#endif
