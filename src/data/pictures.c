/* SPDX-License-Identifier: Apache-2.0 */
/* A growing list of picture files; see pictures.h. */
#include "data/pictures.h"

#include <string.h>

bool is_picture_name(const char *name)
{
    return path_has_ending(name, ".png") || path_has_ending(name, ".jpg")
           || path_has_ending(name, ".jpeg");
}

static sumi_status grow(sumi_context *context, struct pictures *pictures)
{
    if (pictures->count < pictures->capacity) return SUMI_OK;
    int64_t capacity = pictures->capacity ? 2 * pictures->capacity : 256;
    struct picture *larger = context_allocate(context, (size_t)capacity, sizeof *larger);
    if (!larger) return SUMI_ERROR_MEMORY;
    if (pictures->count) memcpy(larger, pictures->items, (size_t)pictures->count * sizeof *larger);
    context_release(context, pictures->items);
    pictures->items = larger;
    pictures->capacity = capacity;
    return SUMI_OK;
}

sumi_status pictures_add(sumi_context *context, struct pictures *pictures, const char *path,
                         int32_t label)
{
    TRY(grow(context, pictures));
    char *copy = context_copy_text(context, path);
    if (!copy) return SUMI_ERROR_MEMORY;
    pictures->items[pictures->count++] = (struct picture){copy, label};
    return SUMI_OK;
}

void pictures_release(sumi_context *context, struct pictures *pictures)
{
    for (int64_t i = 0; i < pictures->count; i++) context_release(context, pictures->items[i].path);
    context_release(context, pictures->items);
    *pictures = (struct pictures){0};
}
