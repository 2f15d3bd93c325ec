/* SPDX-License-Identifier: Apache-2.0 */
/* The linear algebra of the Frechet distance, in double: products of tall matrices, a factor of a
   covariance, and the trace of a root. Every sum has an order of its own, so that results do not
   depend on the number of threads. Matrices are row-major. */
#ifndef SUMI_QUALITY_ALGEBRA_H
#define SUMI_QUALITY_ALGEBRA_H

#include "base/context.h"

enum { ALGEBRA_LARGEST = 16384 };

/* Refuses covariances [n, n] larger than that, whose eigenvalues would take hours; `measure` begins
   the sentence. To be called before the others, and before long work. */
sumi_status algebra_check(sumi_context *context, const char *measure, int64_t n);

/* sum[m, n] += left[depth, m]^T right[depth, n]. `half`: only columns from the row's own on, and
   some before, of a square sum. */
struct algebra_product {
    int64_t depth, m, n;
    const double *left, *right;
    double *sum;
    bool half;
};
sumi_status algebra_add_product(sumi_context *context, const struct algebra_product *product);

/* The sum of the square roots of the eigenvalues of a^(1/2) b a^(1/2), those below 0 as 0, of
   covariances a and b [n, n]: the trace of (a b)^(1/2). */
sumi_status algebra_trace_of_root(sumi_context *context, int64_t n, const double *a,
                                  const double *b, double *trace);

#endif
