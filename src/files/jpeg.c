/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG with TurboJPEG; see jpeg.h. */
#include "files/jpeg.h"

#include <limits.h>
#include <string.h>
#include <turbojpeg.h>

/* The most pixels per byte: a block of 8 x 8 takes at least one bit. */
enum { PIXELS_PER_BYTE = 4096 };

static sumi_status fail_turbo(sumi_context *context, const char *name, tjhandle decoder)
{
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: damaged JPEG: %s", name,
                        tjGetErrorStr2(decoder));
}

static sumi_status read_header(sumi_context *context, tjhandle decoder, const void *bytes,
                               size_t size, const char *name, image *result)
{
    int subsampling = 0, colours = 0;
    memset(result, 0, sizeof *result);
    if (tjDecompressHeader3(decoder, bytes, (unsigned long)size, &result->width, &result->height,
                            &subsampling, &colours)
        != 0) {
        return fail_turbo(context, name, decoder);
    }
    int64_t pixels = (int64_t)result->width * result->height;
    if (pixels < 1) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: damaged JPEG: it has no size", name);
    }
    if (pixels > IMAGE_PIXEL_LIMIT) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: %d x %d pixels are more than the %lld allowed", name,
                            result->width, result->height, (long long)IMAGE_PIXEL_LIMIT);
    }
    if ((uint64_t)pixels / PIXELS_PER_BYTE > size) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: cut short: %zu bytes cannot hold %d x %d pixels", name, size,
                            result->width, result->height);
    }
    if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
        return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                            "%s: a JPEG for printing (CMYK); convert it to RGB", name);
    }
    result->channels = colours == TJCS_GRAY ? 1 : 3;
    return SUMI_OK;
}

static sumi_status decode_pixels(sumi_context *context, tjhandle decoder, const void *bytes,
                                 size_t size, const char *name, image *result)
{
    size_t count = (size_t)result->width * (size_t)result->height;
    result->pixels = context_allocate(context, count, (size_t)result->channels);
    if (!result->pixels) return SUMI_ERROR_MEMORY;
    int format = result->channels == 1 ? TJPF_GRAY : TJPF_RGB;
    if (tjDecompress2(decoder, bytes, (unsigned long)size, result->pixels, result->width, 0,
                      result->height, format, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS)
        == 0) {
        return SUMI_OK;
    }
    image_release(context, result);
    return fail_turbo(context, name, decoder);
}

/* Reads the header, and the pixels if they are wanted. */
static sumi_status read_jpeg(sumi_context *context, const void *bytes, size_t size,
                             const char *name, bool pixels, image *result)
{
    memset(result, 0, sizeof *result);
    if (size > INT_MAX) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: too large for a JPEG", name);
    }
    tjhandle decoder = tjInitDecompress();
    if (!decoder) return context_fail(context, SUMI_ERROR_MEMORY, "%s: out of memory", name);
    sumi_status status = read_header(context, decoder, bytes, size, name, result);
    if (status == SUMI_OK && pixels)
        status = decode_pixels(context, decoder, bytes, size, name, result);
    tjDestroy(decoder);
    return status;
}

sumi_status jpeg_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                        image *result)
{
    return read_jpeg(context, bytes, size, name, true, result);
}

sumi_status jpeg_measure(sumi_context *context, const void *bytes, size_t size, const char *name,
                         image *result)
{
    return read_jpeg(context, bytes, size, name, false, result);
}
