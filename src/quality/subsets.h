/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel inception distance over subsets of two sets. */
#ifndef SUMI_QUALITY_SUBSETS_H
#define SUMI_QUALITY_SUBSETS_H

#include "quality/samples.h"
#include "quality/work.h"

enum subset_order { SUBSETS_RANDOM, SUBSETS_CONSECUTIVE };

struct subset_settings {
    int64_t degree, size, count;
    int order; /* enum subset_order */
    uint64_t seed;
};

/* The unbiased squared discrepancy under the polynomial kernel: its mean and its deviation
   (divisor: the number of subsets) over subsets of both sets, each without repetitions. */
sumi_status subsets_measure(struct work *work, const struct subset_settings *settings,
                            const struct samples *a, const struct samples *b, double *mean,
                            double *deviation);

#endif
