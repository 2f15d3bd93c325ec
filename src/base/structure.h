/* SPDX-License-Identifier: Apache-2.0 */
/* Structures of the public interface, which begin with their size in the program that is linked to
   the library: it may be an older one, to which later members are unknown (sumi.h). */
#ifndef SUMI_BASE_STRUCTURE_H
#define SUMI_BASE_STRUCTURE_H

#include "base/context.h"

/* Copies ours[size] to the caller's structure as far as that goes; its size stays. False where it
   has none. */
bool structure_fill(void *theirs, const void *ours, size_t size);

/* Copies the caller's structure to ours[size], with zeros for members that it does not have. False
   where it has no size. */
bool structure_copy(const void *theirs, void *ours, size_t size);

/* The same with a sentence where it has no size; `name` is its type. */
sumi_status structure_read(sumi_context *context, const char *name, const void *theirs, void *ours,
                           size_t size);

/* The sentence alone, before work whose result is filled in. */
sumi_status structure_check(sumi_context *context, const char *name, const void *theirs);

#endif
