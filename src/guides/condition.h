/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: what a network is told beside the state and the time, as a set of named arrays. The
   first dimension of each counts items; a batch of more items begins again with the first. */
#ifndef SUMI_GUIDES_CONDITION_H
#define SUMI_GUIDES_CONDITION_H

#include "base/context.h"

enum { CONDITION_ENTRIES = 16 };

struct condition_entry {
    char *name;
    bool integers;
    int rank;
    int64_t shape[SUMI_MAX_RANK];
    int64_t size;     /* numbers of one item */
    void *values;     /* float or int32_t [shape], owned */
    int64_t capacity; /* numbers that there is memory for */
};

struct sumi_condition {
    sumi_context *context;
    int count;
    struct condition_entry entries[CONDITION_ENTRIES];
};

/* The entry of that name, or NULL. `condition` may be NULL. */
const struct condition_entry *condition_find(const sumi_condition *condition, const char *name);

/* Makes `condition` like `source`; memory that is large enough already is used again. */
sumi_status condition_assign(sumi_condition *condition, const sumi_condition *source);

/* A new condition like `source`, NULL for NULL. */
sumi_status condition_copy(sumi_context *context, const sumi_condition *source,
                           sumi_condition **copy);

/* Makes `condition` one of `count` items: item i is item items[i] of `source`, counted on from its
   first where there are fewer. */
sumi_status condition_gather(sumi_condition *condition, const sumi_condition *source, int64_t count,
                             const int64_t *items);

#endif
