/* SPDX-License-Identifier: Apache-2.0 */
/* Clipping and thresholding of the estimate of clean data within a step. */
#ifndef SUMI_SOLVERS_LIMIT_H
#define SUMI_SOLVERS_LIMIT_H

#include "solvers/options.h"

/* Applies dynamic thresholding or clipping, as the options say, to clean[items, item_size].
   `scratch` has the same size, and may be NULL without thresholding. */
void limit_clean(const struct solver_options *options, int threads, int64_t items,
                 int64_t item_size, float *scratch, float *clean);

#endif
