/* SPDX-License-Identifier: Apache-2.0 */
/* Extracts the expected files from a compressed tar archive or a Debian package (a name with .deb),
   and nothing else. */
#ifndef SUMI_FILES_ARCHIVE_H
#define SUMI_FILES_ARCHIVE_H

#include "base/context.h"

typedef struct archive_member {
    const char *path; /* inside the archive */
    const char *name; /* in the target folder */
    int64_t size;     /* in bytes; any other size is an error */
} archive_member;

/* Fails where this build cannot unpack archives; called before `name` is downloaded. */
sumi_status archive_check(sumi_context *context, const char *name);

/* Writes every member to folder/name; each appears whole or not at all. A member that is missing,
   or of another size, is an error. Other entries are ignored, but a path that points outside the
   archive is refused. */
sumi_status archive_extract(sumi_context *context, const char *path, const archive_member *members,
                            int count, const char *folder);

#endif
