/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: the inputs of a network beside the state and the time, as a set of named arrays. The
   first dimension of each is the number of items; in a larger batch the items repeat cyclically. */
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
    int64_t capacity; /* allocated size, in numbers */
};

struct sumi_condition {
    sumi_context *context;
    int count;
    struct condition_entry entries[CONDITION_ENTRIES];
};

/* The entry of that name, or NULL. `condition` may be NULL. */
const struct condition_entry *condition_find(const sumi_condition *condition, const char *name);

/* Copies `source` to `condition`; reuses memory that is large enough. */
sumi_status condition_assign(sumi_condition *condition, const sumi_condition *source);

/* Creates a copy of `source`; NULL for NULL. */
sumi_status condition_copy(sumi_context *context, const sumi_condition *source,
                           sumi_condition **copy);

/* Fills `condition` with `count` items: item i is item items[i] of `source`, modulo its number of
   items. */
sumi_status condition_gather(sumi_condition *condition, const sumi_condition *source, int64_t count,
                             const int64_t *items);

/* Makes `condition` one of the first `count` items of `source`, followed by the items
   null_items[null_count] of `null`. The two must have the same arrays with items of the same shape;
   if they have fewer items, these repeat from the first. */
sumi_status condition_join(sumi_condition *condition, const sumi_condition *source, int64_t count,
                           const sumi_condition *null, int64_t null_count,
                           const int64_t *null_items);

#endif
