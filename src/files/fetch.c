/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching a file into the cache: download to a partial file NAME.part, locked against a second
   fetch; check its sum; then rename it, or unpack the files in it. */
#include "files/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/checksum.h"
#include "files/download.h"

enum { CONNECT_SECONDS = 20 };

/* The state of fetching one file. */
struct job {
    const fetch_set *set;
    const fetch_file *file;
    const char *folder, *url;
    char part[PATH_SIZE];
    int handle; /* the partial file, open and locked */
    sumi_progress_function progress;
    void *user;
};

/* ---- Where files come from ---- */

/* The name of a file without the folders of the set's own address. */
static const char *local_name(const fetch_file *file)
{
    const char *slash = strrchr(file->name, '/');
    return slash ? slash + 1 : file->name;
}

/* Writes the file:// address of a local folder to new memory. */
static sumi_status folder_to_url(sumi_context *context, const char *folder, char **url)
{
    char absolute[PATH_SIZE];
    if (folder[0] == '/') absolute[0] = 0;
    else if (!getcwd(absolute, sizeof absolute)) {
        return context_fail(context, SUMI_ERROR_FILE,
                            "%s: cannot find the path of the current folder", folder);
    }
    char path[PATH_SIZE];
    TRY(path_join(context, absolute, folder[0] == '/' ? folder + 1 : folder, path));
    CURLU *parts = curl_url();
    char *text = NULL;
    bool good = parts && curl_url_set(parts, CURLUPART_SCHEME, "file", 0) == CURLUE_OK
                && curl_url_set(parts, CURLUPART_PATH, path, CURLU_URLENCODE) == CURLUE_OK
                && curl_url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK;
    *url = good ? context_copy_text(context, text) : NULL;
    curl_free(text);
    curl_url_cleanup(parts);
    if (*url) return SUMI_OK;
    return good ? SUMI_ERROR_MEMORY
                : context_fail(context, SUMI_ERROR_BACKEND,
                               "%s: libcurl cannot convert it to an address", folder);
}

/* Writes the address of the set's files to new memory. */
static sumi_status find_base(sumi_context *context, const fetch_set *set, const char *from,
                             char **base)
{
    if (from && !strstr(from, "://")) {
        if (path_is_folder(from)) return folder_to_url(context, from, base);
        return context_fail(context, SUMI_ERROR_FILE,
                            "%s: neither a folder nor an address such as https://...", from);
    }
    *base = context_copy_text(context, from ? from : set->url);
    if (!*base) return SUMI_ERROR_MEMORY;
    for (size_t end = strlen(*base); end && (*base)[end - 1] == '/'; end--) (*base)[end - 1] = 0;
    return SUMI_OK;
}

/* ---- Files that exist already ---- */

static bool has_all_members(sumi_context *context, const fetch_file *file, const char *folder)
{
    for (int i = 0; i < file->member_count; i++) {
        char path[PATH_SIZE];
        struct stat info;
        if (path_join(context, folder, file->members[i].name, path) != SUMI_OK
            || stat(path, &info) != 0 || info.st_size != file->members[i].size)
            return false;
    }
    return true;
}

/* Whether a file has the right sum; false where it cannot be read or unpacked. */
static sumi_status has_sum(sumi_context *context, const fetch_file *file, const char *path,
                           char sum[CHECKSUM_TEXT_SIZE], bool *matches)
{
    memcpy(sum, "unreadable", sizeof "unreadable");
    sumi_status status = checksum_file(context, path, file->md5_unpacked, sum);
    *matches = status == SUMI_OK && strcmp(sum, file->md5) == 0;
    return status == SUMI_ERROR_MEMORY ? status : SUMI_OK;
}

static sumi_status is_ready(sumi_context *context, const fetch_file *file, const char *folder,
                            bool *ready)
{
    *ready = file->members && has_all_members(context, file, folder);
    if (file->members) return SUMI_OK;
    char path[PATH_SIZE], sum[CHECKSUM_TEXT_SIZE];
    TRY(path_join(context, folder, local_name(file), path));
    return path_exists(path) ? has_sum(context, file, path, sum, ready) : SUMI_OK;
}

/* ---- The partial file ---- */

static sumi_status open_part(sumi_context *context, struct job *job)
{
    char name[PATH_SIZE];
    snprintf(name, sizeof name, "%s.part", local_name(job->file));
    TRY(path_join(context, job->folder, name, job->part));
    job->handle = open(job->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (job->handle < 0) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: cannot create: %s", job->part,
                            strerror(errno));
    }
    /* Another fetch may have renamed the file between open and lock. */
    struct stat held, named;
    if (flock(job->handle, LOCK_EX | LOCK_NB) == 0 && fstat(job->handle, &held) == 0
        && stat(job->part, &named) == 0 && held.st_ino == named.st_ino)
        return SUMI_OK;
    close(job->handle);
    return context_fail(context, SUMI_ERROR_FILE,
                        "%s: another fetch is writing it; wait until it has ended", job->part);
}

static sumi_status download_part(sumi_context *context, struct job *job, bool *continued)
{
    download_request request = {.url = job->url,
                                .path = job->part,
                                .handle = job->handle,
                                .size_limit = job->file->size_limit,
                                .connect_seconds = CONNECT_SECONDS,
                                .stall_seconds = job->set->stall_seconds,
                                .progress = job->progress,
                                .user = job->user};
    return download_file(context, &request, continued);
}

/* Completes the partial file. A continued file with a wrong sum may consist of two versions, so it
   is downloaded once more from the start. */
static sumi_status fill_part(sumi_context *context, struct job *job)
{
    char sum[CHECKSUM_TEXT_SIZE];
    bool matches = false, continued = true;
    TRY(has_sum(context, job->file, job->part, sum, &matches));
    if (matches) return SUMI_OK;
    for (int tries = 0; tries < 2 && continued; tries++) {
        TRY(download_part(context, job, &continued));
        TRY(has_sum(context, job->file, job->part, sum, &matches));
        if (matches) return SUMI_OK;
        if (ftruncate(job->handle, 0) != 0) break;
    }
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: its MD5 sum%s is %s, expected %s; the file was discarded: run it"
                        " again, or name another source with --from",
                        job->url, job->file->md5_unpacked ? " (unpacked)" : "", sum,
                        job->file->md5);
}

static sumi_status finish_part(sumi_context *context, struct job *job)
{
    if (job->file->members) {
        TRY(archive_extract(context, job->part, job->file->members, job->file->member_count,
                            job->folder));
        unlink(job->part);
        return SUMI_OK;
    }
    char path[PATH_SIZE];
    TRY(path_join(context, job->folder, local_name(job->file), path));
    if (fsync(job->handle) == 0 && rename(job->part, path) == 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FILE, "%s: cannot write: %s", path, strerror(errno));
}

static sumi_status fetch_one(sumi_context *context, struct job *job)
{
    TRY(open_part(context, job));
    sumi_status status = fill_part(context, job);
    if (status == SUMI_OK) status = finish_part(context, job);
    /* Removes a partial file that is wrong or empty. */
    struct stat info;
    bool empty = fstat(job->handle, &info) == 0 && info.st_size == 0;
    if (status == SUMI_ERROR_FORMAT || (status != SUMI_OK && empty)) unlink(job->part);
    close(job->handle);
    return status;
}

/* ---- Whole sets ---- */

/* `own`: whether the base is the set's own address. */
static sumi_status fetch_missing(sumi_context *context, const fetch_set *set, const char *base,
                                 bool own, const char *folder, sumi_progress_function progress,
                                 void *user)
{
    for (int i = 0; i < set->file_count; i++) {
        const fetch_file *file = &set->files[i];
        bool ready = false;
        TRY(is_ready(context, file, folder, &ready));
        if (ready) continue;
        if (file->members) TRY(archive_check(context, file->name));
        char url[PATH_SIZE];
        TRY(path_join(context, base, own ? file->name : local_name(file), url));
        struct job job = {.set = set,
                          .file = file,
                          .folder = folder,
                          .url = url,
                          .progress = progress,
                          .user = user};
        TRY(fetch_one(context, &job));
    }
    return SUMI_OK;
}

sumi_status fetch_files(sumi_context *context, const fetch_set *set, const char *from,
                        const char *folder, sumi_progress_function progress, void *user)
{
    char *base = NULL;
    TRY(folder_make(context, folder));
    TRY(find_base(context, set, from, &base));
    sumi_status status = fetch_missing(context, set, base, !from, folder, progress, user);
    if (status == SUMI_OK && set->finish) status = set->finish(context, folder);
    context_release(context, base);
    return status;
}

sumi_status sumi_fetch(sumi_context *context, const char *name, const char *from,
                       sumi_progress_function progress, void *user, char *folder,
                       size_t folder_size)
{
    const fetch_set *set = fetch_find_set(name);
    char path[PATH_SIZE], names[256];
    if (!set) {
        fetch_set_names(names, sizeof names);
        return context_fail(context, SUMI_ERROR_ARGUMENT, "%s: no such data set; choose %s", name,
                            names);
    }
    TRY(path_cache_folder(context, name, path));
    if (strlen(path) >= folder_size) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: the folder's name needs a buffer of %zu bytes, not %zu", path,
                            strlen(path) + 1, folder_size);
    }
    TRY(fetch_files(context, set, from, path, progress, user));
    memcpy(folder, path, strlen(path) + 1);
    return SUMI_OK;
}
