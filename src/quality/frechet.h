/* SPDX-License-Identifier: Apache-2.0 */
/* Means and covariances of sets of samples, and the Frechet distance between the Gaussians that
   have them: FID, where the samples are features of Inception-v3. */
#ifndef SUMI_QUALITY_FRECHET_H
#define SUMI_QUALITY_FRECHET_H

#include "quality/samples.h"
#include "quality/work.h"

struct moments {
    int64_t rows, columns;
    double *mean;       /* [columns] */
    double *covariance; /* [columns, columns], with divisor rows - 1 */
};

/* Allocates them, all zero. */
sumi_status moments_reserve(sumi_context *context, int64_t rows, int64_t columns,
                            struct moments *moments);

/* Warns where a covariance of so many rows is singular; 0 rows are an unknown number. */
void moments_warn_of_bias(sumi_context *context, int64_t rows, int64_t columns);

/* Measures those of a set of at least two rows; advances the work by two parts for each row. To be
   released with moments_release, also after a failure. */
sumi_status moments_measure(struct work *work, const struct samples *samples,
                            struct moments *moments);
void moments_release(sumi_context *context, struct moments *moments);

/* |m1-m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Heusel et al. 2017, eq. 6). `mean_term` is the first
   of its terms. */
sumi_status frechet_distance(sumi_context *context, const struct moments *a,
                             const struct moments *b, double *distance, double *mean_term);

#endif
