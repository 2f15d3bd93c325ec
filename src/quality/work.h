/* SPDX-License-Identifier: Apache-2.0 */
/* A measurement while it runs: its context and its progress, of which the caller is informed. */
#ifndef SUMI_QUALITY_WORK_H
#define SUMI_QUALITY_WORK_H

#include "base/context.h"

struct work {
    sumi_context *context;
    sumi_progress_function progress; /* NULL: nobody is informed */
    void *user;
    const char *task;
    int64_t done, steps; /* in parts of about equal time */
    double started;      /* seconds of the monotonic clock */
};

/* Begins a measurement of `steps` parts. */
void work_begin(struct work *work, int64_t steps);

/* Records that further parts are done; SUMI_STOPPED where the caller asks to stop. */
sumi_status work_advance(struct work *work, int64_t parts);

#endif
