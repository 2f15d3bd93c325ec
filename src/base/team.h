/* SPDX-License-Identifier: Apache-2.0 */
/* Teams of threads for loops. Starting a team, even one of a single thread, costs more than a small
   loop and allocates from the heap; so a single thread starts none, unless its caller is in a team
   already, which would otherwise share the loop. The OpenMP library keeps a team of one size from
   one loop to the next, but a smaller team ends the surplus threads; therefore a loop uses either
   one thread or all of them. */
#ifndef SUMI_BASE_TEAM_H
#define SUMI_BASE_TEAM_H

#include <omp.h>
#include <stdint.h>

#define TEAM_PRAGMA(TEXT) _Pragma(#TEXT)

/* Makes CALL, a function call, in a team of THREADS threads. The function divides its loops among
   them with `#pragma omp for`. */
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

/* The number of threads that pays off for `work` elementary operations: all, or 1 below some ten
   thousand. */
int worthwhile_threads(int threads, int64_t work);

/* The program's settings of the OpenMP library, saved while a plan changes them. */
struct team_settings {
    int threads, dynamic;
};

/* oneDNN reads the number of threads when it prepares, and relies on it when it runs: a team must
   not be smaller, even if the program or its environment (OMP_DYNAMIC) allows that. */
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
