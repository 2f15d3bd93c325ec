/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator that counts its blocks, checks how it is used, and fails on command; and a driver
   that lets every single allocation of a scenario fail in turn. */
#ifndef TESTS_FAILING_ALLOCATOR_H
#define TESTS_FAILING_ALLOCATOR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "sumi.h"

typedef struct failing_allocator {
    atomic_long calls, live; /* requests so far; blocks not yet released */
    atomic_bool failed;      /* whether a request was refused */
    long fail_at;            /* number of the request to refuse, from 1; 0 for none */
    bool fail_after;         /* refuse all later ones too */
    sumi_allocator allocator;
} failing_allocator;

/* The allocator is `failing->allocator` and lives in `*failing`. */
void failing_allocator_init(failing_allocator *failing, long fail_at, bool fail_after);

/* In a scenario with a `status`: the next call, unless one before it failed. */
#define STEP(expression)                                                                           \
    do {                                                                                           \
        if (status == SUMI_OK) status = (expression);                                              \
    } while (0)

/* Uses the context and releases everything it made, also on failure. */
typedef sumi_status (*memory_scenario)(sumi_context *context, void *user);

/* Runs the scenario with a context whose n-th allocation fails, for n = 1, 2, 3 ... until none
   does; then again with all allocations from the n-th on failing. Each failure must be
   SUMI_ERROR_MEMORY with a message, and no block may leak. */
void for_each_failure(memory_scenario scenario, void *user);

#endif
