/* SPDX-License-Identifier: Apache-2.0 */
/* The members of an uncompressed tar archive and where their data are, so that they can be read in
   any order: ustar, the pax headers of POSIX and GNU's long names. */
#ifndef SUMI_FILES_TAR_H
#define SUMI_FILES_TAR_H

#include "files/source.h"

enum { TAR_NAME = 1024 };

struct tar_member {
    char name[TAR_NAME];
    uint64_t offset, size; /* of its data in the archive */
};

/* Reads the next regular file at *place, 0 at first, and advances behind it; *found is false at the
   end. Folders, links and devices are skipped. Refuses headers whose checksum is wrong, data that
   reach beyond the end, and an archive without its end mark that is cut short. */
sumi_status tar_next(const byte_source *source, uint64_t *place, struct tar_member *member,
                     bool *found);

#endif
