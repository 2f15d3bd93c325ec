/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from a file or from memory; see source.h. Files are read rather than mapped, except by
   source_bytes, so that a file that another program truncates causes an error and not a signal. */
#include "files/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static sumi_status check_regular(sumi_context *context, const char *path, byte_source *source)
{
    struct stat info;
    if (fstat(source->handle, &info) != 0) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: cannot read its type and size: %s", path,
                            strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: is %s, not a regular file", path,
                            S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
    }
    source->size = (uint64_t)info.st_size;
    source->modified = info.st_mtim;
    return SUMI_OK;
}

sumi_status source_open(sumi_context *context, const char *path, byte_source *source)
{
    memset(source, 0, sizeof *source);
    source->context = context;
    /* O_NONBLOCK, because opening a pipe without a writer would block forever. */
    source->handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->handle < 0) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: cannot open: %s", path, strerror(errno));
    }
    sumi_status status = check_regular(context, path, source);
    if (status == SUMI_OK) {
        source->name = context_copy_text(context, path);
        if (!source->name) status = SUMI_ERROR_MEMORY;
    }
    if (status != SUMI_OK) source_close(source);
    return status;
}

sumi_status source_from_memory(sumi_context *context, const void *bytes, size_t size,
                               const char *name, byte_source *source)
{
    memset(source, 0, sizeof *source);
    source->context = context;
    source->handle = -1;
    source->bytes = size ? bytes : (const uint8_t *)"";
    source->size = size;
    source->name = context_copy_text(context, name);
    return source->name ? SUMI_OK : SUMI_ERROR_MEMORY;
}

void source_close(byte_source *source)
{
    if (!source->context) return;
    if (source->mapped) munmap((void *)source->mapped, (size_t)source->size);
    if (!source->bytes && source->handle >= 0) close(source->handle);
    context_release(source->context, source->copy);
    context_release(source->context, source->name);
    memset(source, 0, sizeof *source);
}

/* ---- All bytes of a file ---- */

static const uint8_t *copy_file(byte_source *source)
{
    sumi_context *context = source->context;
    uint8_t *copy = context_allocate(context, (size_t)source->size, 1);
    if (copy && source_read(source, 0, copy, (size_t)source->size) != SUMI_OK) {
        context_release(context, copy);
        copy = NULL;
    }
    source->copy = copy;
    return copy;
}

const uint8_t *source_bytes(byte_source *source)
{
    if (source->mapped || source->copy) return source->mapped ? source->mapped : source->copy;
    if (source->bytes || source->size == 0 || source->size > SIZE_MAX) return NULL;
    if (source->context->copies_files) return copy_file(source);
    void *memory = mmap(NULL, (size_t)source->size, PROT_READ, MAP_SHARED, source->handle, 0);
    source->mapped = memory == MAP_FAILED ? NULL : memory;
    return source->mapped;
}

sumi_status source_check(sumi_context *context, const byte_source *source)
{
    struct stat info;
    if (!source->mapped) return SUMI_OK;
    if (fstat(source->handle, &info) != 0) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: cannot read its size: %s", source->name,
                            strerror(errno));
    }
    if ((uint64_t)info.st_size < source->size) {
        return context_fail(context, SUMI_ERROR_FILE,
                            "%s: was truncated from %llu to %llu bytes by another program while "
                            "its weights were in use; open the model again",
                            source->name, (unsigned long long)source->size,
                            (unsigned long long)info.st_size);
    }
    if (info.st_mtim.tv_sec == source->modified.tv_sec
        && info.st_mtim.tv_nsec == source->modified.tv_nsec)
        return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FILE,
                        "%s: was written to by another program while its weights were in use; open "
                        "the model again",
                        source->name);
}

/* ---- Reading ---- */

sumi_status source_read(const byte_source *source, uint64_t offset, void *buffer, size_t size)
{
    if (offset > source->size || size > source->size - offset) {
        return context_fail(source->context, SUMI_ERROR_FORMAT,
                            "%s: cut short: %zu bytes were expected at byte %llu of %llu",
                            source->name, size, (unsigned long long)offset,
                            (unsigned long long)source->size);
    }
    if (source->bytes) {
        if (size) memcpy(buffer, source->bytes + offset, size);
        return SUMI_OK;
    }
    size_t done = 0;
    while (done < size) {
        ssize_t part =
            pread(source->handle, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) {
            return context_fail(source->context, SUMI_ERROR_FILE, "%s: cannot read byte %llu: %s",
                                source->name, (unsigned long long)(offset + done),
                                part < 0 ? strerror(errno) : "the file was truncated meanwhile");
        }
        done += (size_t)part;
    }
    return SUMI_OK;
}
