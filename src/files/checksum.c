/* SPDX-License-Identifier: Apache-2.0 */
/* MD5 sums of files with nettle; of unpacked contents, with zlib. */
#include "files/checksum.h"

#include <errno.h>
#include <nettle/md5.h>
#include <nettle/version.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { CHUNK_SIZE = 1 << 16 };

/* A gzip file may expand to a thousand times its size; no data set is this large. */
static const int64_t UNPACKED_LIMIT = (int64_t)1 << 30;

static void write_digest(struct md5_ctx *sum, char text[CHECKSUM_TEXT_SIZE])
{
    uint8_t digest[MD5_DIGEST_SIZE];
#if NETTLE_VERSION_MAJOR >= 4
    md5_digest(sum, digest);
#else
    md5_digest(sum, sizeof digest, digest);
#endif
    for (int i = 0; i < MD5_DIGEST_SIZE; i++) {
        snprintf(text + 2 * i, CHECKSUM_TEXT_SIZE - (size_t)(2 * i), "%02x", digest[i]);
    }
}

static sumi_status sum_packed(sumi_context *context, const char *path, uint8_t *chunk,
                              struct md5_ctx *sum)
{
    FILE *stream = fopen(path, "rb");
    size_t size = 0;
    while (stream && (size = fread(chunk, 1, CHUNK_SIZE, stream)) > 0) md5_update(sum, size, chunk);
    bool failed = !stream || ferror(stream);
    int error = errno;
    if (stream) fclose(stream);
    if (!failed) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FILE, "%s: cannot read: %s", path, strerror(error));
}

static sumi_status sum_unpacked(sumi_context *context, const char *path, uint8_t *chunk,
                                struct md5_ctx *sum)
{
    gzFile stream = gzopen(path, "rb");
    if (!stream) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: cannot read: %s", path, strerror(errno));
    }
    int64_t total = 0;
    int size = 0;
    while (total <= UNPACKED_LIMIT && (size = gzread(stream, chunk, CHUNK_SIZE)) > 0) {
        md5_update(sum, (size_t)size, chunk);
        total += size;
    }
    int error = Z_OK;
    const char *reason = gzerror(stream, &error);
    sumi_status status = SUMI_OK;
    if (total > UNPACKED_LIMIT) {
        status = context_fail(context, SUMI_ERROR_FORMAT,
                              "%s: contains more than the %lld bytes allowed", path,
                              (long long)UNPACKED_LIMIT);
    } else if (size < 0 || error != Z_OK || gzdirect(stream)) {
        status =
            context_fail(context, SUMI_ERROR_FORMAT, "%s: incomplete or damaged gzip file: %s",
                         path, error != Z_OK ? reason : "it does not begin as a gzip file does");
    }
    gzclose(stream);
    return status;
}

sumi_status checksum_file(sumi_context *context, const char *path, bool unpacked,
                          char text[CHECKSUM_TEXT_SIZE])
{
    struct md5_ctx sum;
    md5_init(&sum);
    uint8_t *chunk = context_allocate(context, CHUNK_SIZE, 1);
    if (!chunk) return SUMI_ERROR_MEMORY;
    sumi_status status = unpacked ? sum_unpacked(context, path, chunk, &sum)
                                  : sum_packed(context, path, chunk, &sum);
    context_release(context, chunk);
    if (status == SUMI_OK) write_digest(&sum, text);
    return status;
}
