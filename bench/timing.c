/* SPDX-License-Identifier: Apache-2.0 */
/* Timing; see timing.h. */
#define _POSIX_C_SOURCE 200809L
#include "timing.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/profile.h"

enum { RUNS_LEAST = 5, RUNS_MOST = 1000 };
static const double SECONDS_EACH = 0.25;

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double time_runs(sumi_status (*run)(void *user), void *user, long rest)
{
    double seconds[RUNS_MOST];
    int count = 0;
    if (run(user) != SUMI_OK) return NAN;
    for (double start = profile_clock(), end = start; count < RUNS_MOST;) {
        if (rest) nanosleep(&(struct timespec){.tv_nsec = rest}, NULL);
        double begin = rest ? profile_clock() : end;
        if (run(user) != SUMI_OK) return NAN;
        end = profile_clock();
        seconds[count++] = end - begin;
        if (count >= RUNS_LEAST && end - start > SECONDS_EACH) break;
    }
    qsort(seconds, (size_t)count, sizeof *seconds, compare);
    return seconds[count / 2];
}
