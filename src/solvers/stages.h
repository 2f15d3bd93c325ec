/* SPDX-License-Identifier: Apache-2.0 */
/* Steps with several evaluations, for solvers on scales with sigmas: the list of places has one
   entry for each evaluation, at a fraction of the step. */
#ifndef SUMI_SOLVERS_STAGES_H
#define SUMI_SOLVERS_STAGES_H

#include "solvers/solver.h"

/* Replaces each entry by `count` entries at the fractions shares[count] of its step, shares[0]
   being 0. A step with an evaluation at sigma 0 keeps only its first entry, and is Euler's, unless
   `to_the_end` is set and the network predicts a velocity on a straight path, which is defined
   there. The grid's sigmas are those of `scale`. */
sumi_status stages_insert(sumi_context *context, const struct solver_options *options,
                          const struct noise_path *path, int count, const double *shares,
                          bool to_the_end, enum scale scale, struct grid *grid);

/* The position of a place within its step. */
struct stage {
    int64_t first; /* place of the step's first evaluation */
    int64_t next;  /* place of the next step's */
    int number;    /* of this evaluation, from 0 */
    bool plain;    /* the step has only one evaluation: Euler's */
    bool late;     /* the run begins within this step */
};
struct stage stage_here(const struct solver_run *run, int count);

/* The rest of a step in whose middle the run begins: an Euler step. */
sumi_status stage_late(struct solver_run *run, const struct stage *stage);

/* Adds fresh noise to the state at `sigma`, to bring it to `raised` (Karras et al. 2022, algorithm
   2, line 6). `noise` is a row. */
void stage_churn(struct solver_run *run, double sigma, double raised, float *noise);

/* x = row + weight slope */
void stage_advance(struct solver_run *run, const float *row, double weight, const float *slope);

#endif
