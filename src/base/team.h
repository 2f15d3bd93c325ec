/* SPDX-License-Identifier: Apache-2.0 */
/* Teams of threads for loops. Starting a team, even one of a single thread, costs more than a small
   loop and allocates from the heap; so a single thread starts none, unless its caller is in a team
   already, which would otherwise share the loop. Teams of one size are kept by the OpenMP library
   from one loop to the next, while a smaller one ends the threads that are too many: a loop asks
   for one thread, or for all that it may have. */
#ifndef SUMI_BASE_TEAM_H
#define SUMI_BASE_TEAM_H

#include <omp.h>
#include <stdint.h>

#define TEAM_PRAGMA(TEXT) _Pragma(#TEXT)

/* Makes CALL, a call of a function, by THREADS threads at once. The function's loops are shared
   among them by `#pragma omp for`. */
#define BY_TEAM(THREADS, CALL)                                                                     \
    do {                                                                                           \
        int team_size = (THREADS);                                                                 \
        if (team_size > 1 || omp_in_parallel()) {                                                  \
            TEAM_PRAGMA(omp parallel num_threads(team_size))                                       \
            CALL;                                                                                  \
        } else {                                                                                   \
            CALL;                                                                                  \
        }                                                                                          \
    } while (0)

/* Threads worth waking for `work` elementary operations: all, or 1 below some ten thousand. */
int worthwhile_threads(int threads, int64_t work);

/* What a program has asked of the OpenMP library, while a plan asks otherwise. */
struct team_settings {
    int threads, dynamic;
};

/* Libraries underneath read the number of threads when they prepare, and count on it when they run:
   no fewer may come, whatever the program or its environment (OMP_DYNAMIC) says. */
static inline struct team_settings team_begin(int threads)
{
    struct team_settings before = {omp_get_max_threads(), omp_get_dynamic()};
    omp_set_num_threads(threads);
    omp_set_dynamic(0);
    return before;
}

static inline void team_end(struct team_settings before)
{
    omp_set_num_threads(before.threads);
    omp_set_dynamic(before.dynamic);
}

#endif
