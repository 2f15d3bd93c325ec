/* SPDX-License-Identifier: Apache-2.0 */
/* The source of a reader's bytes: a file on disk, read in pieces, or memory. Readers that use it
   check lengths against `size`, need no second copy of a large file, and can be tested and fuzzed
   without files. */
#ifndef SUMI_FILES_SOURCE_H
#define SUMI_FILES_SOURCE_H

#include <time.h>

#include "base/context.h"

typedef struct byte_source {
    sumi_context *context;
    char *name;            /* for messages: the path */
    const uint8_t *bytes;  /* the memory, or NULL for a file */
    const uint8_t *mapped; /* the file as memory, or NULL while it is not mapped */
    uint8_t *copy;         /* the file's bytes, or NULL while they were not copied */
    int handle;            /* the open file, or -1 */
    uint64_t size;
    struct timespec modified; /* of the file, when it was opened */
} byte_source;

/* Opens a regular file. Close it with source_close, which is also allowed after a failure. */
sumi_status source_open(sumi_context *context, const char *path, byte_source *source);

/* Uses the caller's memory, which must outlive the source. */
sumi_status source_from_memory(sumi_context *context, const void *bytes, size_t size,
                               const char *name, byte_source *source);
void source_close(byte_source *source);

/* All bytes of a file as memory to be read only, until the source is closed: the file mapped, or a
   copy where the context does not allow mapping (sumi_context_set_mapping); NULL for memory, and
   where the file can be neither mapped nor copied. Bytes of a mapped file that another program cuts
   off end the process with SIGBUS when they are read, so call source_check before. */
const uint8_t *source_bytes(byte_source *source);

/* Fails with SUMI_ERROR_FILE where a mapped file has been truncated or written to since it was
   opened, so that its bytes cannot be read or are others. A file that was replaced by renaming, as
   this library writes files, is as it was, and so are copies and memory. `context` is that of the
   calling thread. */
sumi_status source_check(sumi_context *context, const byte_source *source);

/* Reads exactly `size` bytes from `offset`; reaching past the end is a format error. */
sumi_status source_read(const byte_source *source, uint64_t offset, void *buffer, size_t size);

#endif
