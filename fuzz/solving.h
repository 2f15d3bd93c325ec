/* SPDX-License-Identifier: Apache-2.0 */
/* A small run of a solver, for targets that read its options. */
#ifndef FUZZ_SOLVING_H
#define FUZZ_SOLVING_H

#include <stdlib.h>

#include "sumi.h"

enum { SOLVING_STEPS = 64, SOLVING_CALLS = 2000 };

/* Halves x, in as many channels as are asked for; gives up where there is no end. */
static inline sumi_status solving_halve(void *user, int64_t count, int64_t item_size,
                                        int64_t output_size, const float *x, const float *times,
                                        float *output)
{
    int *calls = user;
    (void)times;
    if (++*calls > SOLVING_CALLS) return SUMI_STOPPED;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < output_size; j++)
            output[i * output_size + j] = 0.5f * x[i * item_size + j % item_size];
    }
    return SUMI_OK;
}

/* Solves for two items of four places and three channels, where the time list is short. */
static inline void solving_run(sumi_solver *solver)
{
    const int64_t shape[] = {2, 4, 3};
    float x[2 * 4 * 3];
    int calls = 0;
    int64_t steps = sumi_solver_times(solver, NULL, 0);
    if (steps > 0 && steps <= SOLVING_STEPS && sumi_solver_start(solver, 3, shape, x) == SUMI_OK)
        sumi_solver_run(solver, solving_halve, &calls, 3, shape, x, NULL, NULL);
}

/* A solver by number, counted round. */
static inline sumi_status solving_create(sumi_context *context, size_t number, sumi_solver **solver)
{
    sumi_solver_info info = {.size = sizeof info};
    int count = 0;
    while (sumi_solver_describe(count, &info)) count++;
    if (!sumi_solver_describe((int)(number % (size_t)count), &info)) abort();
    return sumi_solver_create(context, info.name, solver);
}

#endif
