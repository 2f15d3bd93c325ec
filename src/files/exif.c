/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the orientation in Exif metadata; see exif.h. The bytes are not trusted: every offset is
   checked against the size before it is used, and an error ends the search but not the reading of
   the picture. */
#include "files/exif.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

static const char PREFIX[] = "Exif\0"; /* followed by the array's own zero byte */
enum { PREFIX_SIZE = sizeof PREFIX };

static uint32_t big_endian(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    for (int i = 0; i < count; i++) value = value << 8 | bytes[i];
    return value;
}

/* ---- TIFF ---- */

/* A structure in memory and its byte order. */
struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool little; /* "II" rather than "MM" */
};

/* A number of `count` bytes, 1 to 4, at an offset that has been checked. */
static uint32_t tiff_number(const struct tiff *tiff, size_t place, int count)
{
    uint32_t value = 0;
    if (!tiff->little) return big_endian(tiff->bytes + place, count);
    for (int i = count - 1; i >= 0; i--) value = value << 8 | tiff->bytes[place + (size_t)i];
    return value;
}

/* The value of an entry of the directory: one BYTE, SHORT or LONG, because readers should accept
   any of these for a whole number (TIFF 6.0, section 2). 0 for other types. */
static uint32_t entry_value(const struct tiff *tiff, size_t entry)
{
    enum { BYTE = 1, SHORT = 3, LONG = 4 };
    uint32_t type = tiff_number(tiff, entry + 2, 2), count = tiff_number(tiff, entry + 4, 4);
    if (count != 1) return 0;
    switch (type) {
    case BYTE: return tiff_number(tiff, entry + 8, 1);
    case SHORT: return tiff_number(tiff, entry + 8, 2);
    case LONG: return tiff_number(tiff, entry + 8, 4);
    default: return 0;
    }
}

/* Searches the first directory; the others describe thumbnails. */
static int find_orientation(const struct tiff *tiff)
{
    enum { ORIENTATION = 0x0112, HEADER_SIZE = 8, ENTRY_SIZE = 12 };
    size_t place = tiff_number(tiff, 4, 4);
    if (place < HEADER_SIZE || place > tiff->size || tiff->size - place < 2) return EXIF_UPRIGHT;
    uint32_t entries = tiff_number(tiff, place, 2);
    place += 2;
    for (; entries > 0 && tiff->size - place >= ENTRY_SIZE; entries--, place += ENTRY_SIZE) {
        if (tiff_number(tiff, place, 2) != ORIENTATION) continue;
        uint32_t value = entry_value(tiff, place);
        return value >= EXIF_UPRIGHT && value <= EXIF_LAST ? (int)value : EXIF_UPRIGHT;
    }
    return EXIF_UPRIGHT;
}

int exif_orientation(const void *bytes, size_t size)
{
    struct tiff tiff = {.bytes = bytes, .size = size};
    if (size >= PREFIX_SIZE && memcmp(bytes, PREFIX, PREFIX_SIZE) == 0) {
        tiff.bytes += PREFIX_SIZE;
        tiff.size -= PREFIX_SIZE;
    }
    if (tiff.size < 8) return EXIF_UPRIGHT;
    tiff.little = memcmp(tiff.bytes, "II*\0", 4) == 0;
    if (!tiff.little && memcmp(tiff.bytes, "MM\0*", 4) != 0) return EXIF_UPRIGHT;
    return find_orientation(&tiff);
}

/* ---- JPEG ---- */

/* Visits the segments before the pixels: FF, the marker, a size that includes itself. */
int exif_of_jpeg(const void *bytes, size_t size)
{
    enum { APP1 = 0xe1, START_OF_SCAN = 0xda, END_OF_IMAGE = 0xd9 };
    const uint8_t *file = bytes;
    size_t place = 2;
    while (place < size && size - place >= 4 && file[place] == 0xff) {
        int marker = file[place + 1];
        if (marker == 0xff) { /* padding before a marker */
            place++;
            continue;
        }
        if (marker == START_OF_SCAN || marker == END_OF_IMAGE) break;
        size_t length = big_endian(file + place + 2, 2);
        if (length < 2 || length > size - place - 2) break;
        const uint8_t *data = file + place + 4;
        if (marker == APP1 && length - 2 >= PREFIX_SIZE && memcmp(data, PREFIX, PREFIX_SIZE) == 0)
            return exif_orientation(data, length - 2);
        place += 2 + length;
    }
    return EXIF_UPRIGHT;
}

/* ---- PNG ---- */

struct chunk {
    const char *type;
    const uint8_t *data;
    size_t size;
};

/* Reads the chunk at *place and advances *place. False at the end, or where a chunk is
   truncated. */
static bool next_chunk(const uint8_t *file, size_t size, size_t *place, struct chunk *chunk)
{
    enum { AROUND = 12, MOST = 0x7fffffff }; /* length, type, checksum; the format's limit */
    if (*place > size || size - *place < AROUND) return false;
    const uint8_t *start = file + *place;
    chunk->size = big_endian(start, 4);
    if (chunk->size > MOST || chunk->size > size - *place - AROUND) return false;
    *place += AROUND + chunk->size;
    chunk->type = (const char *)start + 4;
    chunk->data = start + 8;
    return true;
}

/* Whether the checksum of a chunk is right. */
static bool is_sound(const struct chunk *chunk)
{
    uLong sum = crc32(0, (const Bytef *)chunk->type, (uInt)(4 + chunk->size));
    return sum == big_endian(chunk->data + chunk->size, 4);
}

static int hex_digit(uint8_t letter)
{
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}

/* A profile as ImageMagick writes it: an empty line, its name, the number of its bytes, then the
   bytes in hexadecimal with line ends among them. The directory is at the beginning of these. */
static int profile_orientation(const uint8_t *text, size_t size)
{
    enum { LINES_BEFORE = 3, MOST_BYTES = 4096 };
    uint8_t bytes[MOST_BYTES];
    size_t place = 0, count = 0;
    for (int lines = 0; place < size && lines < LINES_BEFORE; place++) lines += text[place] == '\n';
    int high = -1;
    for (; place < size && count < MOST_BYTES; place++) {
        int digit = hex_digit(text[place]);
        if (digit < 0 && text[place] != '\n') break;
        if (digit < 0) continue;
        if (high >= 0) bytes[count++] = (uint8_t)(high << 4 | digit);
        high = high >= 0 ? -1 : digit;
    }
    return exif_orientation(bytes, count);
}

/* The orientation in the beginning of a text that zlib compressed. */
static int packed_orientation(const uint8_t *packed, size_t size)
{
    enum { MOST_LETTERS = 9216 }; /* enough for the bytes that are read */
    uint8_t text[MOST_LETTERS];
    z_stream stream = {.next_in = (Bytef *)packed, .avail_in = (uInt)size};
    stream.next_out = text;
    stream.avail_out = sizeof text;
    if (inflateInit(&stream) != Z_OK) return EXIF_UPRIGHT;
    int result = inflate(&stream, Z_SYNC_FLUSH);
    size_t count = sizeof text - stream.avail_out;
    inflateEnd(&stream);
    return result == Z_OK || result == Z_STREAM_END ? profile_orientation(text, count)
                                                    : EXIF_UPRIGHT;
}

/* The orientation in a chunk tEXt or zTXt; 0 where its text is something else. */
static int text_orientation(const struct chunk *chunk)
{
    static const char KEYWORD[] = "Raw profile type exif";
    const size_t size = sizeof KEYWORD; /* including the zero byte, as in the file */
    bool packed = memcmp(chunk->type, "zTXt", 4) == 0;
    if (!packed && memcmp(chunk->type, "tEXt", 4) != 0) return 0;
    if (chunk->size <= size || memcmp(chunk->data, KEYWORD, size) != 0 || !is_sound(chunk))
        return 0;
    if (!packed) return profile_orientation(chunk->data + size, chunk->size - size);
    return chunk->data[size] == 0 /* deflate */
               ? packed_orientation(chunk->data + size + 1, chunk->size - size - 1)
               : 0;
}

int exif_of_png(const void *bytes, size_t size)
{
    int of_text = 0;
    struct chunk chunk;
    for (size_t place = 8; next_chunk(bytes, size, &place, &chunk);) {
        if (memcmp(chunk.type, "eXIf", 4) == 0 && is_sound(&chunk))
            return exif_orientation(chunk.data, chunk.size);
        if (!of_text) of_text = text_orientation(&chunk);
    }
    return of_text ? of_text : EXIF_UPRIGHT;
}
