/* SPDX-License-Identifier: Apache-2.0 */
/* One step of an exponential integrator from level s to level t: the linear part of the diffusion
   ODE or SDE is solved exactly, and what the network says of the data (or the noise) is a
   polynomial in lambda = log(a / s). Lu et al. 2022 (DPM-Solver, eq. 3.4; DPM-Solver++, eq. 9 and
   section 5). */
#ifndef SUMI_SOLVERS_EXPONENTIAL_H
#define SUMI_SOLVERS_EXPONENTIAL_H

#include "solvers/solver.h"

/* x_t = state x_s + value D0 + slope D1 + curve D2 + noise z, with D0 the network's word at s, D1
   its change over the step, as if that were straight, and D2 the change of D1. */
struct exponential {
    double state, value, slope, curve, noise;
};
struct exponential exponential_step(enum algorithm algorithm, const struct level *from,
                                    const struct level *to);

/* The algorithm that the options name; another family's word means the usual one, as when diffusers
   loads one class's configuration into another. */
enum algorithm exponential_algorithm(const struct solver_options *options);

/* Fills `row` with what the algorithm integrates: clean, or the noise that follows from it. */
void exponential_record(const struct solver_run *run, bool noise, float *row);

/* Whether the step from a place leads to clean data, where the slope over an infinite lambda means
   nothing, or nowhere: then it is of the first order. */
bool exponential_is_plain(const struct solver_run *run, int64_t place);

/* The order of a multi-step method at the present place: as many values as there are, at most
   `most`, and fewer at the end where the options or a last level without noise ask for it, or where
   exponential_limit does. */
int exponential_order(const struct solver_run *run, int most);

/* At most `order`, and as many as the step from a place bears: a polynomial through the values so
   far is not carried further than twice the distance of the last two, and a parabola not over more
   than 1/2 in lambda, beyond which the values are far from one. A flow in even steps of time has
   steps in lambda that are five times as long as the ones before, at its end. Classes of diffusers
   carry it any distance. */
int exponential_limit(const struct solver_run *run, int64_t place, int order);

/* Refuses integrating noise down to sigma zero, where it is not determined. */
sumi_status exponential_check(sumi_context *context, const struct solver_options *options,
                              const struct noise_path *path, struct grid *grid);

#endif
