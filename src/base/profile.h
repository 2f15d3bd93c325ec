/* SPDX-License-Identifier: Apache-2.0 */
/* Timing the computations of a context: rows of name, shapes, calls, seconds, operations and bytes,
   which the context owns (sumi_profile_start in sumi.h). While it is off, it costs its callers one
   comparison. */
#ifndef SUMI_BASE_PROFILE_H
#define SUMI_BASE_PROFILE_H

#include "base/context.h"

/* The least cost of a computation: floating-point operations, and bytes read and written. */
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
    uint64_t number; /* number of the start; row numbers are valid only for the same one */
    int32_t count, capacity;
    struct profile_entry *entries;
};

static inline bool profile_is_on(const sumi_context *context)
{
    return context->profile && context->profile->running;
}

/* The seconds of a monotonic clock. */
double profile_clock(void);

/* Finds the row of that name and those shapes, or adds one. */
sumi_status profile_row(sumi_context *context, const char *name, const char *shapes, int32_t *row);
/* Adds one call to a row. */
void profile_add(sumi_context *context, int32_t row, double seconds, const struct cost *cost);

/* Time work that is not an op of a graph, such as the optimizer: begin returns the time, end adds a
   call. Both do nothing while profiling is off. */
double profile_begin(const sumi_context *context);
sumi_status profile_end(sumi_context *context, double begin, const char *name,
                        const struct cost *cost);

/* Releases the rows, when the context is freed. */
void profile_release(sumi_context *context);

#endif
