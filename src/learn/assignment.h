/* SPDX-License-Identifier: Apache-2.0 */
/* The linear assignment problem: assigns each row to one column so that the sum of costs is
   minimal. */
#ifndef SUMI_LEARN_ASSIGNMENT_H
#define SUMI_LEARN_ASSIGNMENT_H

#include "base/context.h"

/* Workspace for up to `size` rows. */
struct assignment {
    int64_t size;
    double *row_price, *column_price; /* [size] */
    double *distance;                 /* [size] */
    int64_t *row_of;                  /* [size] of each column, -1 while free */
    int64_t *before;                  /* [size] the row from which a column was reached */
    bool *settled;                    /* [size] */
};

/* On failure nothing is left to release. */
sumi_status assignment_open(sumi_context *context, int64_t size, struct assignment *assignment);
void assignment_release(sumi_context *context, struct assignment *assignment); /* accepts zeros */

/* Fills column_of[count] for costs[count, count], which must be finite; count <= size. Takes time
   of the order of count^3. Exact, up to rounding of the sums. */
void assignment_solve(struct assignment *assignment, int64_t count, const float *costs,
                      int64_t *column_of);

#endif
