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

#endif
