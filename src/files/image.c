/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures: format detection, reading, writing, conversion between grey and colour and between
   bytes and floats; see image.h. Fitting to a size is in image_fit.c, rotation in image_turn.c. */
#include "files/image.h"

#include <string.h>

#include "base/file.h"
#include "files/exif.h"
#include "files/jpeg.h"
#include "files/png.h"

enum { FILE_LIMIT = 1 << 29 };

bool image_is_png(const void *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

bool image_is_jpeg(const void *bytes, size_t size)
{
    return size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0;
}

void image_release(sumi_context *context, image *picture)
{
    context_release(context, picture->pixels);
    picture->pixels = NULL;
}

/* The luminance of red, green and blue (ITU-R BT.601). */
static uint8_t luminance(const uint8_t *colour)
{
    return (uint8_t)((299 * colour[0] + 587 * colour[1] + 114 * colour[2] + 500) / 1000);
}

static sumi_status convert_channels(sumi_context *context, int channels, image *picture)
{
    if (channels == 0 || channels == picture->channels) return SUMI_OK;
    size_t count = (size_t)picture->width * (size_t)picture->height;
    uint8_t *pixels = context_allocate(context, count, (size_t)channels);
    if (!pixels) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (channels == 1) pixels[i] = luminance(picture->pixels + 3 * i);
        else memset(pixels + 3 * i, picture->pixels[i], 3);
    }
    context_release(context, picture->pixels);
    picture->pixels = pixels;
    picture->channels = channels;
    return SUMI_OK;
}

static sumi_status fail_unknown(sumi_context *context, const char *name)
{
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: is neither a PNG nor a JPEG file", name);
}

sumi_status image_decode(sumi_context *context, const void *bytes, size_t size, const char *name,
                         int channels, image *result)
{
    memset(result, 0, sizeof *result);
    if (channels != 0 && channels != 1 && channels != 3) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: pictures have 1 or 3 channels, not %d", name, channels);
    }
    int orientation = EXIF_UPRIGHT;
    if (image_is_png(bytes, size)) {
        TRY(png_decode(context, bytes, size, name, result));
        orientation = exif_of_png(bytes, size);
    } else if (image_is_jpeg(bytes, size)) {
        TRY(jpeg_decode(context, bytes, size, name, result));
        orientation = exif_of_jpeg(bytes, size);
    } else {
        return fail_unknown(context, name);
    }
    sumi_status status = convert_channels(context, channels, result);
    if (status == SUMI_OK) status = image_turn(context, orientation, result);
    if (status != SUMI_OK) image_release(context, result);
    return status;
}

sumi_status image_read(sumi_context *context, const char *path, int channels, image *result)
{
    void *bytes = NULL;
    size_t size = 0;
    memset(result, 0, sizeof *result);
    TRY(file_read(context, path, FILE_LIMIT, &bytes, &size));
    sumi_status status = image_decode(context, bytes, size, path, channels, result);
    context_release(context, bytes);
    return status;
}

sumi_status image_measure_bytes(sumi_context *context, const void *bytes, size_t size,
                                const char *name, image *result)
{
    int orientation = EXIF_UPRIGHT;
    memset(result, 0, sizeof *result);
    if (image_is_png(bytes, size)) {
        TRY(png_measure(context, bytes, size, name, result));
        orientation = exif_of_png(bytes, size);
    } else if (image_is_jpeg(bytes, size)) {
        TRY(jpeg_measure(context, bytes, size, name, result));
        orientation = exif_of_jpeg(bytes, size);
    } else {
        return fail_unknown(context, name);
    }
    if (!image_turn_swaps(orientation)) return SUMI_OK;
    int width = result->width;
    result->width = result->height;
    result->height = width;
    return SUMI_OK;
}

sumi_status image_measure(sumi_context *context, const char *path, image *result)
{
    void *bytes = NULL;
    size_t size = 0;
    memset(result, 0, sizeof *result);
    TRY(file_read(context, path, FILE_LIMIT, &bytes, &size));
    sumi_status status = image_measure_bytes(context, bytes, size, path, result);
    context_release(context, bytes);
    return status;
}

void image_to_float(const uint8_t *pixels, size_t count, float *values)
{
    for (size_t i = 0; i < count; i++) values[i] = (float)pixels[i] / 127.5f - 1.0f;
}

void image_from_float(const float *values, size_t count, uint8_t *pixels)
{
    for (size_t i = 0; i < count; i++) {
        float scaled = (values[i] + 1.0f) * 127.5f + 0.5f;
        pixels[i] = !(scaled > 0.0f) ? 0 : scaled >= 255.0f ? 255 : (uint8_t)scaled;
    }
}
