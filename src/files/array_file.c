/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays in files: the kind told by the contents when reading, by the name when writing. */
#include <string.h>

#include "base/file.h"
#include "files/csv.h"
#include "files/image.h"
#include "files/npy.h"

enum { START_SIZE = 512 };

/* The first bytes of a file: start[*size], at most START_SIZE. */
static sumi_status read_start(sumi_context *context, const char *path, uint8_t start[START_SIZE],
                              size_t *size)
{
    byte_source source;
    TRY(source_open(context, path, &source));
    *size = source.size < START_SIZE ? (size_t)source.size : START_SIZE;
    sumi_status status = source_read(&source, 0, start, *size);
    source_close(&source);
    return status;
}

static sumi_status read_image(sumi_context *context, const char *path, sumi_array *array)
{
    image picture;
    TRY(image_read(context, path, 0, &picture));
    int64_t shape[] = {picture.height, picture.width, picture.channels};
    sumi_status status = sumi_array_create(context, 3, shape, array);
    if (status == SUMI_OK) {
        image_to_float(picture.pixels, (size_t)sumi_array_count(array), array->data);
    }
    image_release(context, &picture);
    return status;
}

sumi_status sumi_array_read(sumi_context *context, const char *path, sumi_array *array)
{
    uint8_t start[START_SIZE];
    size_t size = 0;
    memset(array, 0, sizeof *array);
    TRY(read_start(context, path, start, &size));
    if (npy_is(start, size)) return npy_read(context, path, array);
    if (image_is_png(start, size) || image_is_jpeg(start, size)) {
        return read_image(context, path, array);
    }
    if (size > 0 && !memchr(start, 0, size)) return csv_read(context, path, array);
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: is neither .npy, nor a table of numbers, nor a PNG or JPEG picture",
                        path);
}

static sumi_status write_image(sumi_context *context, const char *path, const sumi_array *array)
{
    const int64_t *shape = array->shape;
    if (array->rank != 3 || (shape[2] != 1 && shape[2] != 3)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: a picture is an array [height, width, 1 or 3]", path);
    }
    if (shape[0] < 1 || shape[1] < 1 || shape[0] > IMAGE_PIXEL_LIMIT / shape[1]) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: a picture of %lld x %lld pixels cannot be", path,
                            (long long)shape[1], (long long)shape[0]);
    }
    size_t count = (size_t)sumi_array_count(array);
    image picture = {(int)shape[1], (int)shape[0], (int)shape[2], NULL};
    picture.pixels = context_allocate(context, count, 1);
    if (!picture.pixels) return SUMI_ERROR_MEMORY;
    image_from_float(array->data, count, picture.pixels);
    sumi_status status = image_write_png(context, path, &picture);
    image_release(context, &picture);
    return status;
}

sumi_status sumi_array_write(sumi_context *context, const char *path, const sumi_array *array)
{
    if (path_has_ending(path, ".npy")) return npy_write(context, path, array);
    if (path_has_ending(path, ".csv")) return csv_write(context, path, array);
    if (path_has_ending(path, ".png")) return write_image(context, path, array);
    return context_fail(context, SUMI_ERROR_ARGUMENT,
                        "%s: the name should end in .npy, .csv or .png", path);
}
