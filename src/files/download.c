/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads with libcurl: with limits of size, redirects and stalls; they can be stopped and
   resumed. */
#include "files/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/profile.h"

enum { REDIRECTS = 5 };
static const double PROGRESS_INTERVAL = 0.1; /* seconds between calls of the progress function */

struct transfer {
    const download_request *request;
    int64_t start, size;    /* of the partial file in bytes: at the start and now */
    double begin, reported; /* seconds: start of the transfer, and the last progress report */
    int write_error;        /* an errno, or 0 */
    bool too_large, stopped;
};

static size_t receive(char *bytes, size_t item, size_t count, void *user)
{
    struct transfer *transfer = user;
    size_t size = item * count, done = 0;
    if ((int64_t)size > transfer->request->size_limit - transfer->size) {
        transfer->too_large = true;
        return 0;
    }
    while (done < size) {
        ssize_t written = write(transfer->request->handle, bytes + done, size - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            transfer->write_error = errno;
            return 0;
        }
        done += (size_t)written;
        transfer->size += written;
    }
    return size;
}

static int report_progress(void *user, curl_off_t total, curl_off_t received,
                           curl_off_t upload_total, curl_off_t uploaded)
{
    (void)received, (void)upload_total, (void)uploaded;
    struct transfer *transfer = user;
    double time = profile_clock();
    bool complete = total > 0 && transfer->size == transfer->start + total;
    if (!complete && time - transfer->reported < PROGRESS_INTERVAL) return 0;
    transfer->reported = time;
    double seconds = time - transfer->begin;
    sumi_progress progress = {.size = sizeof progress,
                              .task = "fetch",
                              .step = transfer->size,
                              .rate_unit = "bytes/s",
                              .seconds_left = -1};
    if (seconds > 0) progress.rate = (double)(transfer->size - transfer->start) / seconds;
    if (total > 0) {
        progress.steps = transfer->start + total;
        if (progress.rate > 0) {
            progress.seconds_left = (double)(progress.steps - progress.step) / progress.rate;
        }
    }
    transfer->stopped = !transfer->request->progress(transfer->request->user, &progress);
    return transfer->stopped;
}

static bool set_options(CURL *curl, struct transfer *transfer, char *error)
{
    const download_request *request = transfer->request;
    bool good = true;
#define SET(option, value) good = good && curl_easy_setopt(curl, option, value) == CURLE_OK
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_ERRORBUFFER, error);
    SET(CURLOPT_USERAGENT, "sumi");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FAILONERROR, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, (long)REDIRECTS);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https,file");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FILE));
    SET(CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_CONNECTTIMEOUT, (long)request->connect_seconds);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)request->stall_seconds);
    SET(CURLOPT_RESUME_FROM_LARGE, (curl_off_t)transfer->start);
    SET(CURLOPT_WRITEFUNCTION, receive);
    SET(CURLOPT_WRITEDATA, transfer);
    if (request->progress) {
        SET(CURLOPT_NOPROGRESS, 0L);
        SET(CURLOPT_XFERINFOFUNCTION, report_progress);
        SET(CURLOPT_XFERINFODATA, transfer);
    }
#undef SET
    return good;
}

static sumi_status explain(sumi_context *context, const struct transfer *transfer, CURLcode code,
                           long answer, const char *error)
{
    const download_request *request = transfer->request;
    const char *reason = error[0] ? error : curl_easy_strerror(code);
    if (transfer->write_error) {
        return context_fail(
            context, SUMI_ERROR_FILE,
            "%s: cannot write: %s (the bytes received so far are kept; run it again)",
            request->path, strerror(transfer->write_error));
    }
    if (transfer->stopped) {
        return context_fail(context, SUMI_STOPPED,
                            "%s: stopped after %lld bytes; the next run continues from there",
                            request->url, (long long)transfer->size);
    }
    if (transfer->too_large) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: more than the %lld bytes expected",
                            request->url, (long long)request->size_limit);
    }
    switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
        return context_fail(context, SUMI_ERROR_FILE,
                            "%s: the server answered %ld%s; name another source with --from",
                            request->url, answer, answer == 404 ? " (there is no such file)" : "");
    case CURLE_FILE_COULDNT_READ_FILE:
        return context_fail(context, SUMI_ERROR_FILE, "%s: there is no such file", request->url);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: an http, https or file address is expected (%s)", request->url,
                            reason);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_OPERATION_TIMEDOUT:
        return context_fail(
            context, SUMI_ERROR_BACKEND,
            "%s: the connection broke after %lld bytes (%s); the next run continues from there",
            request->url, (long long)transfer->size, reason);
    default:
        return context_fail(context, SUMI_ERROR_BACKEND,
                            "%s: cannot fetch: %s; check the network, or name another source with"
                            " --from",
                            request->url, reason);
    }
}

/* One request from byte `start`. `*refused` receives whether the server cannot continue from
   there. */
static sumi_status attempt(sumi_context *context, const download_request *request, int64_t start,
                           bool *refused)
{
    struct transfer transfer = {.request = request,
                                .start = start,
                                .size = start,
                                .begin = profile_clock(),
                                .reported = -PROGRESS_INTERVAL};
    if (lseek(request->handle, start, SEEK_SET) < 0 || ftruncate(request->handle, start) != 0) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: cannot write: %s", request->path,
                            strerror(errno));
    }
    CURL *curl = curl_easy_init();
    char error[CURL_ERROR_SIZE] = "";
    if (!curl || !set_options(curl, &transfer, error)) {
        curl_easy_cleanup(curl);
        return context_fail(context, SUMI_ERROR_BACKEND, "%s: libcurl could not be initialised",
                            request->url);
    }
    CURLcode code = curl_easy_perform(curl);
    long answer = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    curl_easy_cleanup(curl);
    *refused = start > 0
               && (answer == 416 || code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME);
    if (code == CURLE_OK || *refused) return SUMI_OK;
    return explain(context, &transfer, code, answer, error);
}

/* Initialises libcurl once per process; older versions require that only one thread does it. */
static void prepare_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

sumi_status download_file(sumi_context *context, const download_request *request, bool *continued)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare_curl);
    off_t start = lseek(request->handle, 0, SEEK_END);
    if (start < 0) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: cannot read: %s", request->path,
                            strerror(errno));
    }
    bool refused = false;
    *continued = start > 0;
    TRY(attempt(context, request, start, &refused));
    if (!refused) return SUMI_OK;
    *continued = false;
    return attempt(context, request, 0, &refused);
}
