/* SPDX-License-Identifier: Apache-2.0 */
/* Which times of a schedule a solver visits. */
#ifndef SUMI_SOLVERS_SPACING_H
#define SUMI_SOLVERS_SPACING_H

#include "solvers/options.h"

/* Allocates the list, noisiest time first: the given timesteps, or `steps` of them by the chosen
   spacing, or all. */
sumi_status spacing_times(sumi_context *context, const struct solver_options *options,
                          const struct schedule *schedule, double **times, int64_t *count);

#endif
