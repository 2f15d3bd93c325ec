/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files and path names; see file.h. */
#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static sumi_status fail_with_errno(sumi_context *context, const char *path, const char *what)
{
    return context_fail(context, SUMI_ERROR_FILE, "%s: cannot %s: %s", path, what, strerror(errno));
}

static sumi_status read_stream(sumi_context *context, FILE *stream, const char *path, size_t limit,
                               char **bytes, size_t *size)
{
    struct stat info;
    if (fstat(fileno(stream), &info) != 0)
        return fail_with_errno(context, path, "read its type and size");
    if (!S_ISREG(info.st_mode)) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: is %s, not a regular file", path,
                            S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
    }
    if (info.st_size < 0 || (uintmax_t)info.st_size > limit) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: %lld bytes, more than the %zu allowed",
                            path, (long long)info.st_size, limit);
    }
    size_t expected = (size_t)info.st_size;
    *bytes = context_allocate(context, expected + 1, 1);
    if (!*bytes) return SUMI_ERROR_MEMORY;
    *size = fread(*bytes, 1, expected, stream);
    if (*size != expected) {
        context_release(context, *bytes);
        *bytes = NULL;
        if (ferror(stream)) return fail_with_errno(context, path, "read all of it");
        return context_fail(context, SUMI_ERROR_FILE, "%s: became shorter while it was read", path);
    }
    (*bytes)[*size] = 0;
    return SUMI_OK;
}

sumi_status file_read(sumi_context *context, const char *path, size_t limit, void **bytes,
                      size_t *size)
{
    *bytes = NULL;
    *size = 0;
    /* O_NONBLOCK, because opening a pipe without a writer would block forever. */
    int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *stream = handle < 0 ? NULL : fdopen(handle, "rb");
    if (!stream) {
        sumi_status failed = fail_with_errno(context, path, "open");
        if (handle >= 0) close(handle);
        return failed;
    }
    char *text = NULL;
    sumi_status status = read_stream(context, stream, path, limit, &text, size);
    fclose(stream);
    *bytes = text;
    return status;
}

sumi_status file_writer_open(sumi_context *context, file_writer *writer, const char *path)
{
    memset(writer, 0, sizeof *writer);
    int length = snprintf(writer->path, PATH_SIZE, "%s", path);
    int temporary_length =
        snprintf(writer->temporary, PATH_SIZE, "%s.%ld.part", path, (long)getpid());
    if (length >= PATH_SIZE || temporary_length >= PATH_SIZE) {
        return context_fail(context, SUMI_ERROR_FILE, "%.80s...: the name is too long", path);
    }
    writer->stream = fopen(writer->temporary, "wb");
    if (!writer->stream) return fail_with_errno(context, path, "create");
    return SUMI_OK;
}

sumi_status file_writer_open_memory(sumi_context *context, file_writer *writer, const char *name)
{
    enum { FIRST_SIZE = 4096 };
    memset(writer, 0, sizeof *writer);
    snprintf(writer->path, PATH_SIZE, "%s", name);
    writer->context = context;
    writer->capacity = FIRST_SIZE;
    writer->bytes = context_allocate(context, writer->capacity, 1);
    return writer->bytes ? SUMI_OK : SUMI_ERROR_MEMORY;
}

/* Appends to memory, whose capacity doubles when it is full. */
static sumi_status put_into_memory(file_writer *writer, const void *bytes, size_t size)
{
    size_t needed = 0, capacity = writer->capacity;
    if (__builtin_add_overflow(writer->size, size, &needed)) {
        return context_fail(writer->context, SUMI_ERROR_MEMORY, "%s: too large for memory",
                            writer->path);
    }
    while (capacity < needed && !__builtin_mul_overflow(capacity, 2, &capacity)) continue;
    if (capacity != writer->capacity) {
        uint8_t *grown = context_allocate(writer->context, capacity, 1);
        if (!grown) return SUMI_ERROR_MEMORY;
        memcpy(grown, writer->bytes, writer->size);
        context_release(writer->context, writer->bytes);
        writer->bytes = grown;
        writer->capacity = capacity;
    }
    if (size) memcpy(writer->bytes + writer->size, bytes, size);
    writer->size = needed;
    return SUMI_OK;
}

void file_writer_take(file_writer *writer, void **bytes, size_t *size)
{
    *bytes = writer->bytes;
    *size = writer->size;
    writer->bytes = NULL;
}

sumi_status file_writer_put(sumi_context *context, file_writer *writer, const void *bytes,
                            size_t size)
{
    if (writer->bytes) return put_into_memory(writer, bytes, size);
    if (size && fwrite(bytes, 1, size, writer->stream) != size) {
        return fail_with_errno(context, writer->path, "write");
    }
    return SUMI_OK;
}

/* Flushes the folder's entry, so that a rename survives a power failure. Its own failure is
   harmless. */
static void flush_folder_of(const char *path)
{
    char folder[PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    int handle = open(slash ? (folder[0] ? folder : "/") : ".", O_RDONLY | O_DIRECTORY);
    if (handle < 0) return;
    (void)fsync(handle);
    close(handle);
}

sumi_status file_writer_commit(sumi_context *context, file_writer *writer)
{
    bool written = fflush(writer->stream) == 0 && fsync(fileno(writer->stream)) == 0;
    int error = errno;
    bool closed = fclose(writer->stream) == 0;
    writer->stream = NULL;
    if (!written || !closed) {
        if (!written) errno = error;
        sumi_status status = fail_with_errno(context, writer->path, "write");
        unlink(writer->temporary);
        return status;
    }
    if (rename(writer->temporary, writer->path) != 0) {
        sumi_status status = fail_with_errno(context, writer->path, "replace");
        unlink(writer->temporary);
        return status;
    }
    flush_folder_of(writer->path);
    return SUMI_OK;
}

void file_writer_abandon(file_writer *writer)
{
    if (writer->bytes) context_release(writer->context, writer->bytes);
    writer->bytes = NULL;
    if (!writer->stream) return;
    fclose(writer->stream);
    writer->stream = NULL;
    unlink(writer->temporary);
}

sumi_status file_write(sumi_context *context, const char *path, const void *bytes, size_t size)
{
    file_writer writer;
    TRY(file_writer_open(context, &writer, path));
    sumi_status status = file_writer_put(context, &writer, bytes, size);
    if (status == SUMI_OK) return file_writer_commit(context, &writer);
    file_writer_abandon(&writer);
    return status;
}

sumi_status path_join(sumi_context *context, const char *folder, const char *name,
                      char path[PATH_SIZE])
{
    if (snprintf(path, PATH_SIZE, "%s/%s", folder, name) >= PATH_SIZE) {
        return context_fail(context, SUMI_ERROR_FILE, "%.80s...: the path is too long", folder);
    }
    return SUMI_OK;
}

bool path_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool path_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool path_has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path), ending_length = strlen(ending);
    return length >= ending_length && strcasecmp(path + length - ending_length, ending) == 0;
}

sumi_status folder_make(sumi_context *context, const char *path)
{
    char partial[PATH_SIZE];
    if (snprintf(partial, sizeof partial, "%s", path) >= PATH_SIZE) {
        return context_fail(context, SUMI_ERROR_FILE, "%.80s...: the path is too long", path);
    }
    for (char *end = partial + 1; partial[0]; end++) {
        if (*end != '/' && *end != 0) continue;
        char saved = *end;
        *end = 0;
        int error = mkdir(partial, 0777) == 0 ? 0 : errno;
        if (error && !path_is_folder(partial)) {
            errno = error; /* restore the first error */
            return fail_with_errno(context, partial, "make the folder");
        }
        *end = saved;
        if (!saved) break;
    }
    return path_is_folder(path) ? SUMI_OK : fail_with_errno(context, path, "make the folder");
}

/* The process that writes NAME.PROCESS.part; 0 for any other name. */
static long writer_of(const char *name)
{
    static const char ending[] = ".part";
    size_t length = strlen(name), most = sizeof ending - 1;
    if (length <= most || strcmp(name + length - most, ending) != 0) return 0;
    const char *digit = name + length - most;
    while (digit > name && isdigit((unsigned char)digit[-1])) digit--;
    return digit > name + 1 && digit[-1] == '.' ? strtol(digit, NULL, 10) : 0;
}

void folder_clear_unfinished(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        long process = writer_of(entry->d_name);
        if (process > 0 && kill((pid_t)process, 0) != 0 && errno == ESRCH)
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
}

sumi_status path_cache_folder(sumi_context *context, const char *name, char folder[PATH_SIZE])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    bool given = cache && cache[0] == '/'; /* the XDG rule: a relative path is ignored */
    if (!given && !(home && home[0])) {
        return context_fail(context, SUMI_ERROR_FILE,
                            "there is no cache folder: set XDG_CACHE_HOME or HOME");
    }
    int length = snprintf(folder, PATH_SIZE, "%s%s/sumi/%s", given ? cache : home,
                          given ? "" : "/.cache", name);
    if (length < PATH_SIZE) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FILE, "the name of the cache folder is too long");
}
