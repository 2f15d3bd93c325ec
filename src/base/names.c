/* SPDX-License-Identifier: Apache-2.0 */
/* A list of names by number; see names.h. */
#include "base/names.h"

#include <string.h>

#include "base/text.h"

static sumi_status make_room(sumi_context *context, struct names *names, int64_t count)
{
    if (count <= names->capacity) return SUMI_OK;
    int64_t capacity = count > 2 * names->capacity ? count : 2 * names->capacity;
    char **larger = context_allocate_zeroed(context, (size_t)capacity, sizeof *larger);
    if (!larger) return SUMI_ERROR_MEMORY;
    if (names->count) memcpy(larger, names->items, (size_t)names->count * sizeof *larger);
    context_release(context, names->items);
    names->items = larger;
    names->capacity = capacity;
    return SUMI_OK;
}

sumi_status names_set(sumi_context *context, struct names *names, int64_t number, const char *text)
{
    TRY(make_room(context, names, number + 1));
    char *copy = context_copy_text(context, text);
    if (!copy) return SUMI_ERROR_MEMORY;
    text_tame(copy);
    context_release(context, names->items[number]);
    names->items[number] = copy;
    if (number >= names->count) names->count = number + 1;
    return SUMI_OK;
}

const char *names_get(const struct names *names, int64_t number)
{
    return number >= 0 && number < names->count ? names->items[number] : NULL;
}

void names_release(sumi_context *context, struct names *names)
{
    for (int64_t i = 0; i < names->count; i++) context_release(context, names->items[i]);
    context_release(context, names->items);
    *names = (struct names){0};
}
