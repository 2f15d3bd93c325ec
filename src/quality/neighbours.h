/* SPDX-License-Identifier: Apache-2.0 */
/* Distances to nearest neighbours, and the measures made of them: precision and recall of
   Kynkaanniemi et al. 2019, density and coverage of Naeem et al. 2020. */
#ifndef SUMI_QUALITY_NEIGHBOURS_H
#define SUMI_QUALITY_NEIGHBOURS_H

#include "quality/samples.h"
#include "quality/work.h"

/* Writes the squared distances of each row of a to its k nearest rows of b, nearest first, to
   distances[a.rows, k], and their indices to indices (or NULL); `same` leaves a row itself out.
   b has at least k rows (k + 1 where `same`). A part of the work for each row of a. */
sumi_status neighbours_find(struct work *work, const struct samples *a, const struct samples *b,
                            bool same, int64_t k, double *distances, int64_t *indices);

struct prdc {
    double precision, recall, density, coverage;
};

/* The manifold of a set is the union of balls around its rows, each with the distance to the k-th
   neighbour in the set as its radius. Both sets have more than k rows. The work advances by two
   parts for each row of either set. */
sumi_status neighbours_prdc(struct work *work, const struct samples *samples,
                            const struct samples *reference, int64_t k, struct prdc *result);

#endif
