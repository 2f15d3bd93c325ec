/* SPDX-License-Identifier: Apache-2.0 */
/* Inflating a gzip stream in pieces, with the context's allocator. */
#ifndef SUMI_FILES_GUNZIP_H
#define SUMI_FILES_GUNZIP_H

#include <zlib.h>

#include "files/source.h"

/* The largest compression ratio of deflate. */
#define GUNZIP_RATIO 1032

/* The allocator of a z_stream whose `opaque` is the context. */
voidpf zlib_allocate(voidpf context, uInt count, uInt size);
void zlib_release(voidpf context, voidpf memory);

typedef struct gunzip {
    const byte_source *source;
    uint64_t position; /* of the next compressed bytes */
    z_stream stream;
    bool ended; /* the stream is complete and its checksum right */
    uint8_t input[1 << 14];
} gunzip;

/* Whether a source begins as a gzip file does. */
sumi_status gunzip_is(const byte_source *source, bool *is);

/* The gunzip must not move in memory between open and close. */
sumi_status gunzip_open(gunzip *file, const byte_source *source);
/* Inflates exactly `size` bytes; a stream that ends earlier is a format error. */
sumi_status gunzip_read(gunzip *file, void *output, size_t size);
/* Checks that the stream and the file end here. */
sumi_status gunzip_finish(gunzip *file);
void gunzip_close(gunzip *file);

#endif
