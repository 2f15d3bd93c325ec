/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out before the first step whether the steps of a solver are too long for it: the solver
   is run on Gaussian data, whose denoiser is known. */
#ifndef SUMI_SOLVERS_FORECAST_H
#define SUMI_SOLVERS_FORECAST_H

#include "solvers/solver.h"

/* Refuses a prepared solver whose few steps would spread Gaussian data of deviation sigma_data far
   beyond that. Only warns of a class of diffusers, which is followed, and of annealed Langevin
   dynamics, whose steps are not too long but too few. */
sumi_status forecast_check(sumi_solver *solver);

#endif
