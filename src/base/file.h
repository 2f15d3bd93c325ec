/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in and out: checked reads with a size limit, writes that appear whole or not at all,
   folders and path names. */
#ifndef SUMI_BASE_FILE_H
#define SUMI_BASE_FILE_H

#include <stdio.h>

#include "base/context.h"

#define PATH_SIZE 4096

/* Reads a file of at most `limit` bytes into new memory (for context_release), with a zero byte
   after the `*size` bytes read. */
sumi_status file_read(sumi_context *context, const char *path, size_t limit, void **bytes,
                      size_t *size);

/* Writes bytes to a temporary file, flushes it to disk and renames it to `path`. */
sumi_status file_write(sumi_context *context, const char *path, const void *bytes, size_t size);

/* The same in pieces: open, put, then commit or abandon. A writer may also write to memory, which
   file_writer_take returns instead of a commit. */
typedef struct file_writer {
    FILE *stream; /* NULL for memory */
    char path[PATH_SIZE], temporary[PATH_SIZE];
    sumi_context *context; /* allocator of the memory */
    uint8_t *bytes;        /* [capacity], of which `size` are written */
    size_t size, capacity;
} file_writer;
sumi_status file_writer_open(sumi_context *context, file_writer *writer, const char *path);
/* `name` is for messages. */
sumi_status file_writer_open_memory(sumi_context *context, file_writer *writer, const char *name);
sumi_status file_writer_put(sumi_context *context, file_writer *writer, const void *bytes,
                            size_t size);
sumi_status file_writer_commit(sumi_context *context, file_writer *writer);
/* Ends a writer to memory; the caller releases *bytes with context_release. */
void file_writer_take(file_writer *writer, void **bytes, size_t *size);
void file_writer_abandon(file_writer *writer); /* allowed after commit, or if never opened */

/* folder/name into path[PATH_SIZE]. */
sumi_status path_join(sumi_context *context, const char *folder, const char *name,
                      char path[PATH_SIZE]);
bool path_exists(const char *path);
bool path_is_folder(const char *path);
/* Whether the name ends in `ending` (".png"), ignoring case. */
bool path_has_ending(const char *path, const char *ending);
/* The cache folder $XDG_CACHE_HOME/sumi/name, or ~/.cache/sumi/name. It need not exist. */
sumi_status path_cache_folder(sumi_context *context, const char *name, char folder[PATH_SIZE]);
/* Creates a folder and its parents; it may exist already. */
sumi_status folder_make(sumi_context *context, const char *path);
/* Removes files of file_writer that processes which are gone have left unfinished in a folder. */
void folder_clear_unfinished(const char *path);

#endif
