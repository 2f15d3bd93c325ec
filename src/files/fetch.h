/* SPDX-License-Identifier: Apache-2.0 */
/* Brings files of known sums into a folder: downloads, checks, unpacks. Behind sumi_fetch. */
#ifndef SUMI_FILES_FETCH_H
#define SUMI_FILES_FETCH_H

#include "base/context.h"
#include "base/file.h"
#include "files/archive.h"

typedef struct fetch_file {
    const char *name; /* at the source and, unless it has members, in the folder */
    const char *md5;  /* of the file, or of what the gzip file holds */
    bool md5_unpacked;
    int64_t size_limit;            /* bytes */
    const archive_member *members; /* of an archive, which is not kept; else NULL */
    int member_count;
} fetch_file;

typedef struct fetch_set {
    const char *name, *url; /* url: where the files lie, without a slash at the end */
    const fetch_file *files;
    int file_count;
    int stall_seconds; /* how long not a byte may come */
} fetch_set;

/* The set of that name, or NULL. */
const fetch_set *fetch_find_set(const char *name);

/* Makes sure that all files of the set lie in `folder` with the right sums, fetching only what is
   missing. `from` (a URL or a folder) stands in for set->url unless NULL. */
sumi_status fetch_files(sumi_context *context, const fetch_set *set, const char *from,
                        const char *folder, sumi_progress_function progress, void *user);

#endif
