/* SPDX-License-Identifier: Apache-2.0 */
/* One step of an exponential integrator from level s to level t: the linear part of the diffusion
   ODE or SDE is solved exactly, and the network's estimate of the data (or of the noise) is
   approximated by a polynomial in lambda = log(a / s). Lu et al. 2022 (DPM-Solver, eq. 3.4;
   DPM-Solver++, eq. 9 and section 5). */
#ifndef SUMI_SOLVERS_EXPONENTIAL_H
#define SUMI_SOLVERS_EXPONENTIAL_H

#include "solvers/solver.h"

/* x_t = state x_s + value D0 + slope D1 + curve D2 + noise z, with D0 the estimate at s, D1 its
   linear change over the step, and D2 the change of D1. */
struct exponential {
    double state, value, slope, curve, noise;
};
struct exponential exponential_step(enum algorithm algorithm, const struct level *from,
                                    const struct level *to);

/* The algorithm that the options name. The value of another family of solvers means the default, as
   when diffusers loads one class's configuration into another. */
enum algorithm exponential_algorithm(const struct solver_options *options);

/* Fills `row` with what the algorithm integrates: the estimate of clean data, or if `noise` the
   noise that follows from it. */
void exponential_record(const struct solver_run *run, bool noise, float *row);

/* Whether the step from a place must be of the first order: because it ends at clean data, where
   lambda is infinite and slopes in it are undefined, or because its length is zero. */
bool exponential_is_plain(const struct solver_run *run, int64_t place);

/* The order of a multi-step method at the current place: the number of values so far, at most
   `most`, and less at the end where the options or a last level without noise require it, or where
   exponential_limit does. */
int exponential_order(const struct solver_run *run, int most);

/* Limits the order of the step from a place: a polynomial through the values so far is not
   extrapolated further than twice the distance between the last two, and a parabola not over more
   than 1/2 in lambda, beyond which it no longer describes the values. A flow in even steps of time
   has, at its end, steps in lambda that are five times as long as the previous ones. Classes of
   diffusers extrapolate over any distance. */
int exponential_limit(const struct solver_run *run, int64_t place, int order);

/* Refuses to integrate the noise down to sigma zero, where it is undefined. */
sumi_status exponential_check(sumi_context *context, const struct solver_options *options,
                              const struct noise_path *path, struct grid *grid);

#endif
