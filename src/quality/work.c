/* SPDX-License-Identifier: Apache-2.0 */
/* The progress of a measurement, with the time that is left at the mean speed so far. */
#include "quality/work.h"

#include <time.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void work_begin(struct work *work, int64_t steps)
{
    work->done = 0;
    work->steps = steps;
    work->started = seconds();
}

sumi_status work_advance(struct work *work, int64_t parts)
{
    work->done += parts;
    if (!work->progress) return SUMI_OK;
    double spent = seconds() - work->started;
    const sumi_progress progress = {
        .size = sizeof progress,
        .task = work->task,
        .step = work->done,
        .steps = work->steps,
        .rate = spent > 0 ? (double)work->done / spent : 0,
        .rate_unit = "rows/s",
        .seconds_left =
            work->done > 0 ? spent * (double)(work->steps - work->done) / (double)work->done : -1,
    };
    if (work->progress(work->user, &progress)) return SUMI_OK;
    return context_fail(work->context, SUMI_STOPPED, "%s: stopped", work->task);
}
