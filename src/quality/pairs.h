/* SPDX-License-Identifier: Apache-2.0 */
/* Products or squared distances of all pairs of rows of two sets, block by block: the matrix of all
   of them (10,000 x 10,000) is never in memory. Rows are divided among the context's threads; what
   is computed does not depend on their number. */
#ifndef SUMI_QUALITY_PAIRS_H
#define SUMI_QUALITY_PAIRS_H

#include "quality/samples.h"
#include "quality/work.h"

enum pair_kind { PAIR_PRODUCT, PAIR_SQUARED_DISTANCE };

/* Gets values[count] of row `row` of a with rows first ... first + count - 1 of b. All calls for a
   row come from one thread, in the order of `first`; different rows may come at the same time. */
typedef void (*pair_visit)(void *user, int64_t row, int64_t first, int64_t count,
                           const double *values);

/* Visits all pairs, and advances the work by a part for each row of a. */
sumi_status pairs_visit(struct work *work, const struct samples *a, const struct samples *b,
                        enum pair_kind kind, pair_visit visit, void *user);

#endif
