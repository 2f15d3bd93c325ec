/* SPDX-License-Identifier: Apache-2.0 */
/* The exact Wasserstein distance of two sets of as many samples, by the best assignment. */
#ifndef SUMI_QUALITY_ASSIGNMENT_H
#define SUMI_QUALITY_ASSIGNMENT_H

#include "quality/samples.h"
#include "quality/work.h"

/* The least mean of the squared distances of rows of a to rows of b under all assignments of one to
   the other; both sets have as many rows. Takes time of rows^3 and memory of rows^2. The work
   advances by two parts for each row. */
sumi_status assignment_cost(struct work *work, const struct samples *a, const struct samples *b,
                            double *mean_square);

#endif
