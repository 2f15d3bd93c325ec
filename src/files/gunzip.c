/* SPDX-License-Identifier: Apache-2.0 */
/* gzip with zlib; see gunzip.h. */
#include "files/gunzip.h"

#include <string.h>

enum { GZIP_WINDOW = 15 + 16 }; /* the largest window, with a gzip header */

voidpf zlib_allocate(voidpf context, uInt count, uInt size)
{
    return context_allocate(context, count, size);
}

void zlib_release(voidpf context, voidpf memory)
{
    context_release(context, memory);
}

sumi_status gunzip_is(const byte_source *source, bool *is)
{
    uint8_t start[2] = {0};
    if (source->size >= sizeof start) TRY(source_read(source, 0, start, sizeof start));
    *is = start[0] == 0x1F && start[1] == 0x8B;
    return SUMI_OK;
}

sumi_status gunzip_open(gunzip *file, const byte_source *source)
{
    memset(file, 0, sizeof *file);
    file->source = source;
    file->stream.zalloc = zlib_allocate;
    file->stream.zfree = zlib_release;
    file->stream.opaque = source->context;
    if (inflateInit2(&file->stream, GZIP_WINDOW) == Z_OK) return SUMI_OK;
    return context_fail(source->context, SUMI_ERROR_MEMORY, "%s: out of memory to inflate it",
                        source->name);
}

static sumi_status refill(gunzip *file)
{
    uint64_t left = file->source->size - file->position;
    size_t part = left < sizeof file->input ? (size_t)left : sizeof file->input;
    if (part == 0) {
        return context_fail(file->source->context, SUMI_ERROR_FORMAT,
                            "%s: cut short: the gzip stream does not end", file->source->name);
    }
    TRY(source_read(file->source, file->position, file->input, part));
    file->position += part;
    file->stream.next_in = file->input;
    file->stream.avail_in = (uInt)part;
    return SUMI_OK;
}

/* Inflates up to `size` bytes until the output is full or the stream ends. */
static sumi_status inflate_some(gunzip *file, uint8_t *output, size_t size, size_t *produced)
{
    *produced = 0;
    while (*produced < size && !file->ended) {
        if (file->stream.avail_in == 0) TRY(refill(file));
        size_t left = size - *produced;
        uInt space = left < (1u << 30) ? (uInt)left : 1u << 30;
        file->stream.next_out = output + *produced;
        file->stream.avail_out = space;
        int result = inflate(&file->stream, Z_NO_FLUSH);
        *produced += space - file->stream.avail_out;
        if (result == Z_STREAM_END) {
            file->ended = true;
        } else if (result == Z_MEM_ERROR) {
            return SUMI_ERROR_MEMORY;
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return context_fail(file->source->context, SUMI_ERROR_FORMAT,
                                "%s: damaged gzip stream: %s", file->source->name,
                                file->stream.msg ? file->stream.msg : "unknown error");
        }
    }
    return SUMI_OK;
}

sumi_status gunzip_read(gunzip *file, void *output, size_t size)
{
    size_t produced = 0;
    TRY(inflate_some(file, output, size, &produced));
    if (produced == size) return SUMI_OK;
    return context_fail(file->source->context, SUMI_ERROR_FORMAT,
                        "%s: cut short: it inflates to fewer bytes than its header announces",
                        file->source->name);
}

sumi_status gunzip_finish(gunzip *file)
{
    uint8_t extra;
    size_t produced = 0;
    TRY(inflate_some(file, &extra, 1, &produced));
    if (produced == 0 && file->stream.avail_in == 0 && file->position == file->source->size) {
        return SUMI_OK;
    }
    return context_fail(file->source->context, SUMI_ERROR_FORMAT,
                        "%s: too long: more data follow than its header announces",
                        file->source->name);
}

void gunzip_close(gunzip *file)
{
    inflateEnd(&file->stream);
}
