/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of a kernel over all pairs of rows of two sets, and what is made of them: the squared
   maximum mean discrepancy (Gretton et al. 2012), of which KID and the energy distance are cases.
 */
#ifndef SUMI_QUALITY_KERNELS_H
#define SUMI_QUALITY_KERNELS_H

#include "quality/samples.h"
#include "quality/work.h"

enum kernel_kind {
    KERNEL_POLYNOMIAL, /* (x.y / columns + 1)^degree */
    KERNEL_GAUSSIAN,   /* exp(-|x - y|^2 / (2 width^2)) */
    KERNEL_DISTANCE    /* -|x - y|, of which the discrepancy is half the energy distance */
};

struct kernel {
    enum kernel_kind kind;
    int64_t degree;
    double width;
};

/* Squared discrepancies: without the pairs of a row with itself (unbiased; needs two rows in each
   set), and with them. */
struct discrepancy {
    double unbiased, biased;
};

/* Advances the work by a part for each row of a twice and of b once. */
sumi_status kernel_discrepancy(struct work *work, const struct samples *a, const struct samples *b,
                               const struct kernel *kernel, struct discrepancy *result);

/* The median of the distances of all pairs of the rows of both sets, of at most `most` rows of
   each, evenly chosen. */
sumi_status kernel_median_distance(struct work *work, const struct samples *a,
                                   const struct samples *b, int64_t most, double *median);

#endif
