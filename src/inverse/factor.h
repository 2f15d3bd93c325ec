/* SPDX-License-Identifier: Apache-2.0 */
/* The singular value decomposition of a small matrix, M = sum over k of value[k] left[k]
   right[k]^T, by Jacobi's rotations of its rows (Hestenes 1958). */
#ifndef SUMI_INVERSE_FACTOR_H
#define SUMI_INVERSE_FACTOR_H

#include "base/context.h"

struct factor {
    int64_t rows, columns, rank; /* rank: the lesser of the two; values may be zero */
    double *left;                /* [rank, rows], orthonormal */
    double *values;              /* [rank], from 0 */
    double *right;               /* [rank, columns], orthonormal; zero where the value is */
};

/* Decomposes matrix[rows, columns]. On failure nothing is left to release. */
sumi_status factor_create(sumi_context *context, int64_t rows, int64_t columns,
                          const double *matrix, struct factor *factor);
void factor_release(sumi_context *context, struct factor *factor); /* accepts zeros */

#endif
