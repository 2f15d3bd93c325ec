/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a zip archive, found by its central directory: stored or deflated, with the sizes of
   zip64 too. Encrypted archives and those in several parts are refused. */
#ifndef SUMI_FILES_ZIP_H
#define SUMI_FILES_ZIP_H

#include "files/source.h"

/* Reads the member `name` into new memory, *bytes [*size]; *bytes is NULL where the archive has
   none of that name. Its checksum must be right. One of more than `most` bytes is refused before
   memory is taken for it: a small archive can declare, and inflate to, a thousand times its size.
 */
sumi_status zip_read(const byte_source *source, const char *name, uint64_t most, void **bytes,
                     size_t *size);

/* A member of an archive. */
struct zip_member {
    char *name;
    uint64_t place, size; /* of its bytes in the archive, as they are there */
    bool stored;          /* whether they are neither compressed nor encrypted */
};
struct zip_list {
    struct zip_member *items;
    int64_t count;
};

/* Lists all members; those with a zero byte in their name are left out. Release it with
   zip_list_release, also after a failure. */
sumi_status zip_list(const byte_source *source, struct zip_list *list);
void zip_list_release(sumi_context *context, struct zip_list *list);
/* The member of that name, or NULL. */
const struct zip_member *zip_find(const struct zip_list *list, const char *name);

#endif
