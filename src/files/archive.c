/* SPDX-License-Identifier: Apache-2.0 */
/* Reads tar archives with libarchive. Names in the archive are only compared with the expected ones
   and never used as paths. */
#include "files/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

enum { BLOCK_SIZE = 1 << 16, MAX_MEMBERS = 32, MAX_ENTRIES = 1 << 16 };

static bool leads_outside(const char *path)
{
    if (path[0] == '/') return true;
    for (const char *part = path; part; part = strchr(part, '/')) {
        if (*part == '/') part++;
        if (part[0] == '.' && part[1] == '.' && (part[2] == '/' || part[2] == 0)) return true;
    }
    return false;
}

static sumi_status fail_by_archive(sumi_context *context, const char *path, struct archive *archive)
{
    const char *reason = archive_error_string(archive);
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: incomplete or damaged archive: %s", path,
                        reason ? reason : "no reason given");
}

static sumi_status copy_data(sumi_context *context, const char *path, struct archive *archive,
                             const archive_member *member, uint8_t *block, file_writer *writer)
{
    int64_t total = 0;
    for (;;) {
        la_ssize_t size = archive_read_data(archive, block, BLOCK_SIZE);
        if (size < 0) return fail_by_archive(context, path, archive);
        if (size == 0) break;
        total += size;
        if (total > member->size) break;
        TRY(file_writer_put(context, writer, block, (size_t)size));
    }
    if (total == member->size) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: %s does not have the expected %lld bytes",
                        path, member->path, (long long)member->size);
}

static sumi_status extract_member(sumi_context *context, const char *path, struct archive *archive,
                                  const archive_member *member, uint8_t *block, const char *folder)
{
    char target[PATH_SIZE];
    TRY(path_join(context, folder, member->name, target));
    file_writer writer;
    TRY(file_writer_open(context, &writer, target));
    sumi_status status = copy_data(context, path, archive, member, block, &writer);
    if (status == SUMI_OK) return file_writer_commit(context, &writer);
    file_writer_abandon(&writer);
    return status;
}

/* The index of the member that matches an entry, or -1; only regular files match. */
static int find_member(struct archive_entry *entry, const archive_member *members, int count)
{
    const char *path = archive_entry_pathname(entry);
    if (!path || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry)) {
        return -1;
    }
    if (strncmp(path, "./", 2) == 0) path += 2;
    for (int i = 0; i < count; i++) {
        if (strcmp(path, members[i].path) == 0) return i;
    }
    return -1;
}

static sumi_status extract_all(sumi_context *context, const char *path, struct archive *archive,
                               const archive_member *members, int count, uint8_t *block,
                               const char *folder)
{
    bool found[MAX_MEMBERS] = {false};
    for (int entries = 0;; entries++) {
        struct archive_entry *entry = NULL;
        int result = archive_read_next_header(archive, &entry);
        if (result == ARCHIVE_EOF) break;
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            return fail_by_archive(context, path, archive);
        }
        const char *entry_path = archive_entry_pathname(entry);
        if (entries == MAX_ENTRIES || !entry_path || leads_outside(entry_path)) {
            return context_fail(context, SUMI_ERROR_FORMAT, "%s: refused, because it has %s", path,
                                entries == MAX_ENTRIES ? "too many entries"
                                                       : "a name that points outside its folder");
        }
        int number = find_member(entry, members, count);
        if (number < 0) continue;
        TRY(extract_member(context, path, archive, &members[number], block, folder));
        found[number] = true;
    }
    for (int i = 0; i < count; i++) {
        if (!found[i]) {
            return context_fail(context, SUMI_ERROR_FORMAT, "%s: %s is not in the archive", path,
                                members[i].path);
        }
    }
    return SUMI_OK;
}

/* ---- Opening ---- */

/* A Debian package is an ar archive in which data.tar lies, which is compressed. */
struct package {
    struct archive *outer;
    uint8_t block[BLOCK_SIZE];
};

/* The next bytes of the member of the outer archive, for the inner one. */
static la_ssize_t read_inner(struct archive *inner, void *user, const void **bytes)
{
    struct package *package = user;
    (void)inner;
    *bytes = package->block;
    return archive_read_data(package->outer, package->block, sizeof package->block);
}

static sumi_status open_package(sumi_context *context, const char *path, struct package *package,
                                struct archive *inner)
{
    struct archive_entry *entry = NULL;
    struct archive *outer = package->outer;
    bool found = false;
    if (!outer || archive_read_support_format_ar(outer) != ARCHIVE_OK
        || archive_read_open_filename(outer, path, BLOCK_SIZE) != ARCHIVE_OK)
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: is no Debian package", path);
    while (!found && archive_read_next_header(outer, &entry) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        found = name && strncmp(name, "data.tar", 8) == 0;
    }
    if (!found)
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: has no data.tar, as packages have",
                            path);
    if (archive_read_open(inner, package, NULL, read_inner, NULL) == ARCHIVE_OK) return SUMI_OK;
    return fail_by_archive(context, path, inner);
}

/* Opens a file, or what is packed in a package, and extracts. */
static sumi_status open_and_extract(sumi_context *context, const char *path,
                                    struct archive *archive, const archive_member *members,
                                    int count, uint8_t *block, const char *folder)
{
    struct package *package = NULL;
    sumi_status status = SUMI_OK;
    if (strstr(path, ".deb")) {
        package = context_allocate_zeroed(context, 1, sizeof *package);
        if (!package) return SUMI_ERROR_MEMORY;
        package->outer = archive_read_new();
        status = open_package(context, path, package, archive);
    } else if (archive_read_open_filename(archive, path, BLOCK_SIZE) != ARCHIVE_OK) {
        status = fail_by_archive(context, path, archive);
    }
    if (status == SUMI_OK)
        status = extract_all(context, path, archive, members, count, block, folder);
    archive_read_close(archive); /* before what it reads from is gone */
    if (package) archive_read_free(package->outer);
    context_release(context, package);
    return status;
}

sumi_status archive_check(sumi_context *context, const char *name)
{
    (void)context, (void)name;
    return SUMI_OK;
}

sumi_status archive_extract(sumi_context *context, const char *path, const archive_member *members,
                            int count, const char *folder)
{
    if (count > MAX_MEMBERS) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "%s: more than %d files are requested",
                            path, MAX_MEMBERS);
    }
    uint8_t *block = context_allocate(context, BLOCK_SIZE, 1);
    if (!block) return SUMI_ERROR_MEMORY;
    struct archive *archive = archive_read_new();
    sumi_status status = SUMI_OK;
    if (!archive || archive_read_support_filter_all(archive) != ARCHIVE_OK
        || archive_read_support_format_tar(archive) != ARCHIVE_OK) {
        status = context_fail(context, SUMI_ERROR_BACKEND,
                              "%s: libarchive cannot read gzip and tar", path);
    } else {
        status = open_and_extract(context, path, archive, members, count, block, folder);
    }
    archive_read_free(archive);
    context_release(context, block);
    return status;
}
