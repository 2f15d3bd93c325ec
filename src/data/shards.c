/* SPDX-License-Identifier: Apache-2.0 */
/* Names of archives; see shards.h. */
#include "data/shards.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { SHARD_LIMIT = 100000 };

static sumi_status add(sumi_context *context, struct names *shards, const char *path)
{
    return names_set(context, shards, shards->count, path);
}

/* ---- Folders ---- */

static int is_archive(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && path_has_ending(entry->d_name, ".tar");
}

static int by_name(const struct dirent **entry, const struct dirent **other)
{
    return strcmp((*entry)->d_name, (*other)->d_name);
}

static sumi_status list_folder(sumi_context *context, const char *folder, struct names *shards)
{
    struct dirent **entries = NULL;
    char path[PATH_SIZE];
    int count = scandir(folder, &entries, is_archive, by_name);
    if (count < 0) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: cannot read the folder: %s", folder,
                            strerror(errno));
    }
    sumi_status status = SUMI_OK;
    for (int i = 0; i < count; i++) {
        if (status == SUMI_OK) status = path_join(context, folder, entries[i]->d_name, path);
        if (status == SUMI_OK) status = add(context, shards, path);
        free(entries[i]);
    }
    free(entries);
    if (status != SUMI_OK || count > 0) return status;
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: no archives in this folder (.tar)",
                        folder);
}

/* ---- Patterns ---- */

/* {FIRST..LAST} in a path; numbers have as many digits as the first. */
struct range {
    size_t before;     /* length of what precedes it */
    const char *after; /* what follows it */
    int64_t first, last;
    int digits;
};

static bool read_range(const char *path, struct range *range)
{
    char first[20], last[20];
    const char *brace = strchr(path, '{'), *dots = brace ? strstr(brace, "..") : NULL;
    const char *end = dots ? strchr(dots, '}') : NULL;
    if (!end || dots - brace > 18 || end - dots > 18) return false;
    snprintf(first, sizeof first, "%.*s", (int)(dots - brace - 1), brace + 1);
    snprintf(last, sizeof last, "%.*s", (int)(end - dots - 2), dots + 2);
    range->before = (size_t)(brace - path);
    range->after = end + 1;
    range->digits = (int)strlen(first);
    return strspn(first, "0123456789") == strlen(first)
           && strspn(last, "0123456789") == strlen(last) && text_to_whole(first, &range->first)
           && text_to_whole(last, &range->last) && range->first <= range->last;
}

static sumi_status list_range(sumi_context *context, const char *path, const struct range *range,
                              struct names *shards)
{
    if (range->last - range->first >= SHARD_LIMIT) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "%s: stands for more than %d archives",
                            path, SHARD_LIMIT);
    }
    for (int64_t i = range->first; i <= range->last; i++) {
        char one[PATH_SIZE];
        int length = snprintf(one, sizeof one, "%.*s%0*lld%s", (int)range->before, path,
                              range->digits, (long long)i, range->after);
        if (length >= PATH_SIZE)
            return context_fail(context, SUMI_ERROR_ARGUMENT, "%.80s...: too long a name", path);
        TRY(add(context, shards, one));
    }
    return SUMI_OK;
}

sumi_status shards_list(sumi_context *context, const char *path, struct names *shards)
{
    struct range range = {.before = 0};
    if (path_is_folder(path)) return list_folder(context, path, shards);
    if (!path_exists(path) && read_range(path, &range))
        return list_range(context, path, &range, shards);
    return add(context, shards, path);
}
