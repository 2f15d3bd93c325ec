/* SPDX-License-Identifier: Apache-2.0 */
/* The path of a solver, for the closed forms that a test compares with; not const, so that it can
   be the `user` of a denoiser. */
#ifndef TESTS_SOLVERS_PATH_OF_H
#define TESTS_SOLVERS_PATH_OF_H

#include "check.h"
#include "solvers/solver.h"

static inline struct noise_path *path_of(sumi_solver *solver)
{
    const struct noise_path *path = NULL;
    assert_int_equal(solver_path(solver, &path), SUMI_OK);
    return (struct noise_path *)(uintptr_t)path;
}

#endif
