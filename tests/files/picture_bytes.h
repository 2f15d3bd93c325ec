/* SPDX-License-Identifier: Apache-2.0 */
/* Picture files in memory: PNG put together chunk by chunk with zlib, JPEG by TurboJPEG's encoder,
   and Exif data with the orientation of a picture. */
#ifndef TESTS_FILES_PICTURE_BYTES_H
#define TESTS_FILES_PICTURE_BYTES_H

#include "check.h"

#include <string.h>
#include <turbojpeg.h>
#include <zlib.h>

enum { FILE_SIZE = 8192 };

typedef struct test_file {
    uint8_t bytes[FILE_SIZE];
    size_t size;
} test_file;

static inline void put_word(uint8_t *bytes, uint32_t word)
{
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(word >> (24 - 8 * i));
}

static inline void put_chunk(test_file *file, const char *type, const void *data, size_t size)
{
    uint8_t *chunk = file->bytes + file->size;
    assert_true(file->size + size + 12 <= FILE_SIZE);
    put_word(chunk, (uint32_t)size);
    memcpy(chunk + 4, type, 4);
    if (size) memcpy(chunk + 8, data, size);
    put_word(chunk + 8 + size, (uint32_t)crc32(0, chunk + 4, (uInt)size + 4));
    file->size += size + 12;
}

/* Signature and IHDR. */
static inline test_file begin_png(uint32_t width, uint32_t height, int depth, int colour_type)
{
    test_file file = {{0}, 8};
    uint8_t header[13] = {0};
    memcpy(file.bytes, "\x89PNG\r\n\x1a\n", 8);
    put_word(header, width);
    put_word(header + 4, height);
    header[8] = (uint8_t)depth;
    header[9] = (uint8_t)colour_type;
    put_chunk(&file, "IHDR", header, sizeof header);
    return file;
}

/* IDAT of rows that already have their filter bytes, and IEND. */
static inline void end_png(test_file *file, const void *rows, size_t size)
{
    uint8_t packed[1024];
    uLongf packed_size = sizeof packed;
    assert_int_equal(compress(packed, &packed_size, rows, size), Z_OK);
    put_chunk(file, "IDAT", packed, packed_size);
    put_chunk(file, "IEND", NULL, 0);
}

static inline test_file make_jpeg(int width, int height, const uint8_t *pixels, bool grey)
{
    test_file file = {{0}, 0};
    unsigned char *packed = NULL;
    unsigned long size = 0;
    tjhandle encoder = tjInitCompress();
    assert_non_null(encoder);
    assert_int_equal(tjCompress2(encoder, pixels, width, 0, height, grey ? TJPF_GRAY : TJPF_RGB,
                                 &packed, &size, grey ? TJSAMP_GRAY : TJSAMP_444, 100, 0),
                     0);
    assert_true(size <= FILE_SIZE);
    memcpy(file.bytes, packed, size);
    file.size = size;
    tjFree(packed);
    tjDestroy(encoder);
    return file;
}

/* Exif data of one entry, the orientation, into bytes[EXIF_SIZE]. */
enum { EXIF_SIZE = 26 };
static inline void make_exif(int orientation, bool little, uint8_t *bytes)
{
    static const char BIG[] = "MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0?\0\0\0\0\0";
    static const char LITTLE[] = "II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0?\0\0\0\0\0\0";
    memcpy(bytes, little ? LITTLE : BIG, EXIF_SIZE);
    bytes[little ? 18 : 19] = (uint8_t)orientation;
}

/* Inserts a chunk after IHDR of a whole PNG. */
static inline void insert_chunk(test_file *file, const char *type, const void *data, size_t size)
{
    enum { BEGINNING = 33 };
    const test_file whole = *file;
    file->size = BEGINNING;
    put_chunk(file, type, data, size);
    assert_true(file->size + whole.size - BEGINNING <= FILE_SIZE);
    memcpy(file->bytes + file->size, whole.bytes + BEGINNING, whole.size - BEGINNING);
    file->size += whole.size - BEGINNING;
}

/* Inserts a segment after the start of a whole JPEG: data after the marker FF, `marker`. */
static inline void insert_segment(test_file *file, int marker, const void *data, size_t size)
{
    const uint8_t head[] = {0xff, (uint8_t)marker, (uint8_t)((size + 2) >> 8), (uint8_t)(size + 2)};
    assert_true(file->size + size + sizeof head <= FILE_SIZE);
    memmove(file->bytes + 2 + sizeof head + size, file->bytes + 2, file->size - 2);
    memcpy(file->bytes + 2, head, sizeof head);
    memcpy(file->bytes + 2 + sizeof head, data, size);
    file->size += sizeof head + size;
}

#endif
