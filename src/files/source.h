/* SPDX-License-Identifier: Apache-2.0 */
/* The source of a reader's bytes: a file on disk, read in pieces, or memory. Readers that use it
   check lengths against `size`, need no second copy of a large file, and can be tested and fuzzed
   without files. */
#ifndef SUMI_FILES_SOURCE_H
#define SUMI_FILES_SOURCE_H

#include "base/context.h"

typedef struct byte_source {
    sumi_context *context;
    char *name;            /* for messages: the path */
    const uint8_t *bytes;  /* the memory, or NULL for a file */
    const uint8_t *mapped; /* the file as memory, or NULL while it is not mapped */
    int handle;            /* the open file, or -1 */
    uint64_t size;
} byte_source;

/* Opens a regular file. Close it with source_close, which is also allowed after a failure. */
sumi_status source_open(sumi_context *context, const char *path, byte_source *source);

/* Uses the caller's memory, which must outlive the source. */
sumi_status source_from_memory(sumi_context *context, const void *bytes, size_t size,
                               const char *name, byte_source *source);
void source_close(byte_source *source);

/* All bytes of the source as memory to be read only, until it is closed: those of the memory, or
   the file mapped; NULL where the system cannot map it. A file that another program shortens while
   it is mapped ends the process with SIGBUS when the missing bytes are read, and nothing can be
   done about that here; one that is replaced by renaming, as this library writes files, stays as it
   was. */
const uint8_t *source_map(byte_source *source);

/* Reads exactly `size` bytes from `offset`; reaching past the end is a format error. */
sumi_status source_read(const byte_source *source, uint64_t offset, void *buffer, size_t size);

#endif
