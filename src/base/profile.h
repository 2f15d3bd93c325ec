/* SPDX-License-Identifier: Apache-2.0 */
/* Timing what a context computes: rows of name, shapes, calls, seconds, operations and bytes, kept
   by the context (sumi_profile_start in sumi.h). Off, it costs its callers one comparison. */
#ifndef SUMI_BASE_PROFILE_H
#define SUMI_BASE_PROFILE_H

#include "base/context.h"

/* The least that a computation takes: floating-point operations, and bytes read and written. */
struct cost {
    double operations, bytes;
};

enum { PROFILE_NAME = 48, PROFILE_SHAPES = 256 };

struct profile_entry {
    char name[PROFILE_NAME], shapes[PROFILE_SHAPES];
    int64_t calls;
    double seconds;
    struct cost cost; /* of all calls */
};

struct profile {
    bool running;
    uint64_t number; /* of the start; who keeps row numbers looks them up again for another */
    int32_t count, capacity;
    struct profile_entry *entries;
};

static inline bool profile_is_on(const sumi_context *context)
{
    return context->profile && context->profile->running;
}

/* Seconds of a clock that never goes back. */
double profile_clock(void);

/* The row of that name and those shapes, a new one where there is none yet. */
sumi_status profile_row(sumi_context *context, const char *name, const char *shapes, int32_t *row);
/* Adds one call to a row. */
void profile_add(sumi_context *context, int32_t row, double seconds, const struct cost *cost);

/* Around something that is no op of a graph, such as the optimizer: begin gives the time, end adds
   a call. Both do nothing while nothing is timed. */
double profile_begin(const sumi_context *context);
sumi_status profile_end(sumi_context *context, double begin, const char *name,
                        const struct cost *cost);

/* Gives the rows back, with the context. */
void profile_release(sumi_context *context);

#endif
