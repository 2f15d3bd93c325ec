/* SPDX-License-Identifier: Apache-2.0 */
/* The score for solvers of stochastic equations, on the path's own scale x = a x0 + s e: grad log
   q_t(x) = (a x0hat - x) / s^2 (Song et al. 2021, eq. 7 with Tweedie's x0hat). */
#ifndef SUMI_SOLVERS_SCORE_H
#define SUMI_SOLVERS_SCORE_H

#include "solvers/solver.h"

/* Fills `row` from x and clean, at a level of the state. */
void score_fill(const struct solver_run *run, const struct level *level, float *row);

/* One step of length dt (negative) of the reverse equation, dx = [f x - g^2 score] dt + g dw (Song
   et al. 2021, eq. 6), from the current place to the next. A step to clean data has no noise, and
   returns the estimate. `noise` is a row. */
void score_euler_maruyama(struct solver_run *run, const float *score, float *noise);

#endif
