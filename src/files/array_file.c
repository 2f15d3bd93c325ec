/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays in files and in memory: the format follows from the contents when reading, from the name
   when writing. */
#include <string.h>
#include <strings.h>

#include "files/csv.h"
#include "files/image.h"
#include "files/npy.h"
#include "files/png.h"

enum { START_SIZE = 512 };

/* ---- Reading ---- */

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

/* Converts a picture to an array and releases the picture. */
static sumi_status take_image(sumi_context *context, image *picture, sumi_array *array)
{
    int64_t shape[] = {picture->height, picture->width, picture->channels};
    sumi_status status = sumi_array_create(context, 3, shape, array);
    if (status == SUMI_OK) {
        image_to_float(picture->pixels, (size_t)sumi_array_count(array), array->data);
    }
    image_release(context, picture);
    return status;
}

static bool is_image(const void *bytes, size_t size)
{
    return image_is_png(bytes, size) || image_is_jpeg(bytes, size);
}

/* Whether the bytes may be a table of numbers: a text, which has no zero byte. */
static bool may_be_table(const void *start, size_t size)
{
    return size > 0 && !memchr(start, 0, size);
}

static sumi_status fail_unknown(sumi_context *context, const char *name)
{
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: is neither .npy, nor a table of numbers, nor a PNG or JPEG picture",
                        name);
}

sumi_status sumi_array_read(sumi_context *context, const char *path, sumi_array *array)
{
    uint8_t start[START_SIZE];
    size_t size = 0;
    memset(array, 0, sizeof *array);
    TRY(read_start(context, path, start, &size));
    if (npy_is(start, size)) return npy_read(context, path, array);
    if (is_image(start, size)) {
        image picture;
        TRY(image_read(context, path, 0, &picture));
        return take_image(context, &picture, array);
    }
    if (may_be_table(start, size)) return csv_read(context, path, array);
    return fail_unknown(context, path);
}

sumi_status sumi_array_read_memory(sumi_context *context, const void *bytes, size_t size,
                                   const char *name, sumi_array *array)
{
    memset(array, 0, sizeof *array);
    if (npy_is(bytes, size)) return npy_read_memory(context, bytes, size, name, array);
    if (is_image(bytes, size)) {
        image picture;
        TRY(image_decode(context, bytes, size, name, 0, &picture));
        return take_image(context, &picture, array);
    }
    if (may_be_table(bytes, size < START_SIZE ? size : START_SIZE)) {
        return csv_parse(context, bytes, size, name, array);
    }
    return fail_unknown(context, name);
}

/* ---- Writing ---- */

static sumi_status put_image(sumi_context *context, file_writer *writer, const sumi_array *array)
{
    const int64_t *shape = array->shape;
    if (array->rank != 3 || (shape[2] != 1 && shape[2] != 3)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: a picture is an array [height, width, 1 or 3]", writer->path);
    }
    if (shape[0] < 1 || shape[1] < 1 || shape[0] > IMAGE_PIXEL_LIMIT / shape[1]) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: a picture cannot have %lld x %lld pixels", writer->path,
                            (long long)shape[1], (long long)shape[0]);
    }
    size_t count = (size_t)sumi_array_count(array), size = 0;
    image picture = {(int)shape[1], (int)shape[0], (int)shape[2], NULL};
    void *bytes = NULL;
    picture.pixels = context_allocate(context, count, 1);
    if (!picture.pixels) return SUMI_ERROR_MEMORY;
    image_from_float(array->data, count, picture.pixels);
    sumi_status status = png_encode(context, &picture, NULL, 0, &bytes, &size);
    if (status == SUMI_OK) status = file_writer_put(context, writer, bytes, size);
    context_release(context, bytes);
    image_release(context, &picture);
    return status;
}

typedef sumi_status (*put_function)(sumi_context *context, file_writer *writer,
                                    const sumi_array *array);

static const struct format {
    const char *ending;
    put_function put;
} formats[] = {{".npy", npy_put}, {".csv", csv_put}, {".png", put_image}};

enum { FORMATS = sizeof formats / sizeof *formats };

sumi_status sumi_array_write(sumi_context *context, const char *path, const sumi_array *array)
{
    put_function put = NULL;
    for (int i = 0; i < FORMATS; i++) {
        if (path_has_ending(path, formats[i].ending)) put = formats[i].put;
    }
    if (!put) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: the name should end in .npy, .csv or .png", path);
    }
    file_writer writer;
    TRY(file_writer_open(context, &writer, path));
    sumi_status status = put(context, &writer, array);
    if (status == SUMI_OK) return file_writer_commit(context, &writer);
    file_writer_abandon(&writer);
    return status;
}

sumi_status sumi_array_write_memory(sumi_context *context, const char *format,
                                    const sumi_array *array, void **bytes, size_t *size)
{
    put_function put = NULL;
    *bytes = NULL;
    *size = 0;
    for (int i = 0; i < FORMATS; i++) {
        if (strcasecmp(format, formats[i].ending + 1) == 0) put = formats[i].put;
    }
    if (!put) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%.80s: arrays are written as npy, csv or png", format);
    }
    file_writer writer;
    TRY(file_writer_open_memory(context, &writer, format));
    sumi_status status = put(context, &writer, array);
    if (status == SUMI_OK) file_writer_take(&writer, bytes, size);
    else file_writer_abandon(&writer);
    return status;
}

void sumi_bytes_release(sumi_context *context, void *bytes)
{
    context_release(context, bytes);
}
