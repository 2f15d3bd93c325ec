/* SPDX-License-Identifier: Apache-2.0 */
/* Differences of paired pictures: PSNR and SSIM. */
#ifndef SUMI_QUALITY_PICTURE_H
#define SUMI_QUALITY_PICTURE_H

#include "base/context.h"

enum similarity_window { SIMILARITY_GAUSSIAN, SIMILARITY_UNIFORM };

/* Sizes of the windows: 11 for a Gaussian of deviation 1.5, 7 for the uniform one. */
int64_t similarity_size(enum similarity_window window);

/* The mean structural similarity of two pictures [height, width, channels] of values in a range of
   length `range` (Wang et al. 2004, eq. 13): over all places where the window fits, and channels.
   Variances have the divisor n - 1 with the uniform window, n with the Gaussian. Both sides are at
   least the window's size. */
sumi_status picture_similarity(sumi_context *context, const int64_t shape[3], const double *a,
                               const double *b, double range, enum similarity_window window,
                               double *similarity);

/* The mean square of the differences. */
double picture_mean_square(int64_t count, const double *a, const double *b);

/* 10 log10(range^2 / mean square); infinite for equal pictures. */
double picture_peak_ratio(double mean_square, double range);

#endif
