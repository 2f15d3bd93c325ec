/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of several evaluations, for solvers on scales with sigmas: the list of places holds one
   entry for each evaluation, at shares of the way that the step goes. */
#ifndef SUMI_SOLVERS_STAGES_H
#define SUMI_SOLVERS_STAGES_H

#include "solvers/solver.h"

/* Puts `count` entries in the place of each one, shares[0] being 0. Where an evaluation would be at
   sigma 0, the step keeps its first entry alone, and is Euler's; of a velocity on a straight path
   that is known, and `to_the_end` asks for it. The grid's sigmas are of `scale`. */
sumi_status stages_insert(sumi_context *context, const struct solver_options *options,
                          const struct noise_path *path, int count, const double *shares,
                          bool to_the_end, enum scale scale, struct grid *grid);

/* Where a place is in its step. */
struct stage {
    int64_t first; /* place of the step's first evaluation */
    int64_t next;  /* place of the next step's */
    int number;    /* of this evaluation, from 0 */
    bool plain;    /* the step has but one: Euler's */
    bool late;     /* the run begins within this step */
};
struct stage stage_here(const struct solver_run *run, int count);

/* What is left of a step that the run begins within: Euler's, from where it begins. */
sumi_status stage_late(struct solver_run *run, const struct stage *stage);

/* Stirs fresh noise into the state at `sigma`, so that it is at `raised` (Karras et al. 2022,
   algorithm 2, line 6). `noise` is a row. */
void stage_stir(struct solver_run *run, double sigma, double raised, float *noise);

/* x = row + weight slope */
void stage_advance(struct solver_run *run, const float *row, double weight, const float *slope);

#endif
