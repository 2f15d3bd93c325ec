/* SPDX-License-Identifier: Apache-2.0 */
/* Checks before the first step whether a solver is unstable with its number of steps, by a trial
   run on Gaussian data, whose denoiser is known. */
#ifndef SUMI_SOLVERS_FORECAST_H
#define SUMI_SOLVERS_FORECAST_H

#include "solvers/solver.h"

/* Refuses a prepared solver whose steps are too few: those that would bring Gaussian data of
   deviation sigma_data to a far larger one. Only warns where a class of diffusers is followed, and
   for annealed Langevin dynamics, whose steps are too few rather than unstable. */
sumi_status forecast_check(sumi_solver *solver);

#endif
