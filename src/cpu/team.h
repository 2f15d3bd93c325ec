/* Teams of threads for loops. Making a team, even of one, costs more than a small op, so a single
   thread does without. */
#ifndef SUMI_CPU_TEAM_H
#define SUMI_CPU_TEAM_H

#define TEAM_PRAGMA(TEXT) _Pragma(#TEXT)

/* Makes CALL, a call of a function, by THREADS threads at once. The function's loops are shared
   among them by `#pragma omp for`. */
#define BY_TEAM(THREADS, CALL)                                \
    do {                                                      \
        if ((THREADS) > 1) {                                  \
            TEAM_PRAGMA(omp parallel num_threads(THREADS))    \
            CALL;                                             \
        } else {                                              \
            CALL;                                             \
        }                                                     \
    } while (0)

#endif
