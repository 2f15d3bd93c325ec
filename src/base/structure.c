/* SPDX-License-Identifier: Apache-2.0 */
/* Copies between structures of different versions; see structure.h. */
#include "base/structure.h"

#include <string.h>

static size_t size_of(const void *structure)
{
    size_t size;
    memcpy(&size, structure, sizeof size);
    return size;
}

bool structure_fill(void *theirs, const void *ours, size_t size)
{
    const size_t first = sizeof(size_t), known = size_of(theirs);
    if (known < first) return false;
    memcpy((char *)theirs + first, (const char *)ours + first,
           (known < size ? known : size) - first);
    return true;
}

bool structure_copy(const void *theirs, void *ours, size_t size)
{
    const size_t known = size_of(theirs);
    memset(ours, 0, size);
    memcpy(ours, theirs, known < size ? known : size);
    return known >= sizeof(size_t);
}

sumi_status structure_check(sumi_context *context, const char *name, const void *theirs)
{
    if (size_of(theirs) >= sizeof(size_t)) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "a %s begins with its size: set .size = sizeof(%s) before it is used", name,
                        name);
}

sumi_status structure_read(sumi_context *context, const char *name, const void *theirs, void *ours,
                           size_t size)
{
    TRY(structure_check(context, name, theirs));
    structure_copy(theirs, ours, size);
    return SUMI_OK;
}
