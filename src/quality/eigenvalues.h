/* SPDX-License-Identifier: Apache-2.0 */
/* All eigenvalues of a symmetric matrix. */
#ifndef SUMI_QUALITY_EIGENVALUES_H
#define SUMI_QUALITY_EIGENVALUES_H

#include "base/context.h"

/* Writes the eigenvalues of the symmetric matrix[n, n], of which both halves are read and
   overwritten, to values[n] in ascending order, each to about n roundings of the largest. */
sumi_status eigenvalues_find(sumi_context *context, int64_t n, double *matrix, double *values);

#endif
