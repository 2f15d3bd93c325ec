/* SPDX-License-Identifier: Apache-2.0 */
/* A list of names by number, such as those of classes; a number may have none. */
#ifndef SUMI_BASE_NAMES_H
#define SUMI_BASE_NAMES_H

#include "base/context.h"

/* All zeros is the empty list. */
struct names {
    char **items; /* [count]; NULL where a number has no name */
    int64_t count, capacity;
};

/* Sets the name of `number`, from 0, to a copy of `text`, in which '?' replaces bytes that are not
   UTF-8 and control characters. The list grows to that number. */
sumi_status names_set(sumi_context *context, struct names *names, int64_t number, const char *text);

/* The name of a number, owned by the list, or NULL. */
const char *names_get(const struct names *names, int64_t number);

/* Releases the names and leaves an empty list. */
void names_release(sumi_context *context, struct names *names);

#endif
