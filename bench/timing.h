/* SPDX-License-Identifier: Apache-2.0 */
/* Timing for the programs that bench/run starts. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include "sumi.h"

/* The median of the seconds of `run`, after one uncounted run; NaN if it fails. Before each run it
   sleeps for `rest` nanoseconds (below a second), so that threads may go to sleep. */
double time_runs(sumi_status (*run)(void *user), void *user, long rest);

#endif
