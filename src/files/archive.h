/* SPDX-License-Identifier: Apache-2.0 */
/* Takes expected files out of a tar archive packed by gzip, and nothing else. */
#ifndef SUMI_FILES_ARCHIVE_H
#define SUMI_FILES_ARCHIVE_H

#include "base/context.h"

typedef struct archive_member {
    const char *path; /* inside the archive */
    const char *name; /* in the folder it goes to */
    int64_t size;     /* in bytes; another size is an error */
} archive_member;

/* Refuses where this build cannot unpack archives, before `name` is fetched in vain. */
sumi_status archive_check(sumi_context *context, const char *name);

/* Writes every member to folder/name; each appears whole or not at all. A member that is missing,
   or of another size, is an error. Whatever else the archive holds is passed over, except paths
   that lead out of it: those are refused. */
sumi_status archive_extract(sumi_context *context, const char *path, const archive_member *members,
                            int count, const char *folder);

#endif
