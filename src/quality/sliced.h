/* SPDX-License-Identifier: Apache-2.0 */
/* Distances of two sets along lines: Wasserstein's by the coupling of sorted numbers, and the mean
   of them over directions. */
#ifndef SUMI_QUALITY_SLICED_H
#define SUMI_QUALITY_SLICED_H

#include "quality/samples.h"
#include "quality/work.h"

/* The mean of |x - y|^power under the optimal coupling of two sorted lists, which pairs equal
   quantiles; power is 1 or 2. */
double sorted_transport(int64_t m, const double *x, int64_t n, const double *y, int power);

/* The largest difference of the cumulative distributions of two sorted lists (Kolmogorov and
   Smirnov). */
double sorted_largest_difference(int64_t m, const double *x, int64_t n, const double *y);

void sort_numbers(int64_t count, double *values);

/* Writes the mean of |x - y|^power along each of directions[count, columns] to costs[count];
   advances the work by a part for each direction. */
sumi_status sliced_transport(struct work *work, const struct samples *a, const struct samples *b,
                             int64_t count, const double *directions, int power, double *costs);

#endif
