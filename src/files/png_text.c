/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of PNG files; see png_text.h. A PNG is a signature and chunks: a length of 4 bytes, a type
   of 4 letters, the data, and a checksum of type and data. */
#include "files/png_text.h"

#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "base/members.h"
#include "base/structure.h"
#include "base/text.h"
#include "files/image.h"

enum {
    SIGNATURE = 8,
    AROUND = 12,                          /* length, type and checksum of a chunk */
    HEADER_END = SIGNATURE + AROUND + 13, /* the end of IHDR, which is the first chunk */
    KEYWORD_LIMIT = 79,
    TEXT_LIMIT = 1 << 24, /* of one text when it is decompressed */
    TEXTS_LIMIT = 4096,
    PNG_LIMIT = 1 << 29
};

/* ---- Chunks ---- */

struct chunk {
    const uint8_t *start, *data; /* the length before it; its contents */
    size_t size;                 /* of the contents */
};

static uint32_t read_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void write_word(uint8_t *bytes, uint32_t word)
{
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(word >> (24 - 8 * i));
}

static bool has_type(const struct chunk *chunk, const char *type)
{
    return memcmp(chunk->start + 4, type, 4) == 0;
}

static bool is_text(const struct chunk *chunk)
{
    return has_type(chunk, "iTXt") || has_type(chunk, "tEXt") || has_type(chunk, "zTXt");
}

/* The chunk at *place, and advances behind it; the checksum of a text must be right. */
static sumi_status next_chunk(sumi_context *context, const uint8_t *bytes, size_t size,
                              const char *name, size_t *place, struct chunk *chunk)
{
    size_t left = size - *place, length = left < AROUND ? 0 : read_word(bytes + *place);
    if (left < AROUND || length > left - AROUND) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: damaged PNG: cut short in the chunk at byte %zu", name, *place);
    }
    *chunk = (struct chunk){bytes + *place, bytes + *place + 8, length};
    *place += AROUND + length;
    uint32_t sum = (uint32_t)crc32(0, chunk->start + 4, (uInt)length + 4);
    if (!is_text(chunk) || sum == read_word(chunk->data + length)) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: damaged PNG: the checksum of the text at byte %zu is wrong", name,
                        (size_t)(chunk->start - bytes));
}

static sumi_status check_png(sumi_context *context, const void *bytes, size_t size,
                             const char *name)
{
    if (!image_is_png(bytes, size) || size < HEADER_END)
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: is not a PNG file", name);
    if (memcmp((const uint8_t *)bytes + SIGNATURE, "\0\0\0\rIHDR", 8) == 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: damaged PNG: its first chunk is not an IHDR of 13 bytes", name);
}

/* ---- Reading ---- */

/* The text of one chunk while it is read. */
struct entry {
    sumi_context *context;
    const char *name; /* of the file */
    char keyword[KEYWORD_LIMIT + 1];
    const uint8_t *data; /* what follows the keyword */
    size_t size;
    bool packed, latin; /* compressed; Latin-1 rather than UTF-8 */
};

static sumi_status fail_entry(const struct entry *entry, const char *what)
{
    return context_fail(entry->context, SUMI_ERROR_FORMAT, "%s: the PNG's text \"%s\" %s",
                        entry->name, entry->keyword, what);
}

/* Advances behind a field that ends with a zero byte; false where it has no end. */
static bool skip_field(struct entry *entry)
{
    const uint8_t *end = memchr(entry->data, 0, entry->size);
    if (!end) return false;
    entry->size -= (size_t)(end + 1 - entry->data);
    entry->data = end + 1;
    return true;
}

static sumi_status read_keyword(struct entry *entry)
{
    const uint8_t *end = memchr(entry->data, 0, entry->size);
    size_t length = end ? (size_t)(end - entry->data) : 0;
    if (length < 1 || length > KEYWORD_LIMIT) {
        return context_fail(entry->context, SUMI_ERROR_FORMAT,
                            "%s: a text of the PNG has no keyword of 1 to 79 characters",
                            entry->name);
    }
    memcpy(entry->keyword, entry->data, length);
    text_tame(entry->keyword);
    skip_field(entry);
    return SUMI_OK;
}

/* What stands between keyword and text (sections 11.3.4.3 to 11.3.4.5). */
static sumi_status read_head(struct entry *entry, const struct chunk *chunk)
{
    entry->latin = !has_type(chunk, "iTXt");
    if (has_type(chunk, "tEXt")) return SUMI_OK;
    size_t head = entry->latin ? 1 : 2; /* the flag, only of iTXt, and the method */
    if (entry->size < head) return fail_entry(entry, "is cut short");
    entry->packed = entry->latin || entry->data[0] == 1;
    if ((!entry->latin && entry->data[0] > 1) || (entry->packed && entry->data[head - 1] != 0))
        return fail_entry(entry, "is compressed in an unknown way");
    entry->data += head;
    entry->size -= head;
    if (entry->latin) return SUMI_OK;
    for (int k = 0; k < 2; k++) /* the language, and the keyword in it */
        if (!skip_field(entry)) return fail_entry(entry, "is cut short");
    return SUMI_OK;
}

static sumi_status inflate_all(const struct entry *entry, z_stream *stream, uint8_t **text,
                               size_t *size)
{
    size_t capacity = 4 * entry->size + 256;
    int result = Z_OK;
    while (result == Z_OK) {
        if (capacity > TEXT_LIMIT) capacity = TEXT_LIMIT;
        uint8_t *larger = context_allocate(entry->context, capacity, 1);
        if (!larger) return SUMI_ERROR_MEMORY;
        if (*text) memcpy(larger, *text, *size);
        context_release(entry->context, *text);
        *text = larger;
        stream->next_out = *text + *size;
        stream->avail_out = (uInt)(capacity - *size);
        result = inflate(stream, Z_NO_FLUSH);
        *size = (size_t)(stream->next_out - *text);
        if (result == Z_OK && stream->avail_out) return fail_entry(entry, "is cut short");
        if (result == Z_OK && capacity == TEXT_LIMIT) return fail_entry(entry, "is too large");
        capacity *= 2;
    }
    return result == Z_STREAM_END ? SUMI_OK : fail_entry(entry, "is not compressed data");
}

static sumi_status unpack(const struct entry *entry, uint8_t **text, size_t *size)
{
    z_stream stream = {.next_in = (Bytef *)entry->data, .avail_in = (uInt)entry->size};
    if (inflateInit(&stream) != Z_OK) return SUMI_ERROR_MEMORY;
    sumi_status status = inflate_all(entry, &stream, text, size);
    inflateEnd(&stream);
    return status;
}

/* Adds bytes that are Latin-1, as UTF-8, or UTF-8. */
static sumi_status add_text(const struct entry *entry, const uint8_t *bytes, size_t size,
                            json_object *texts)
{
    if (size > TEXT_LIMIT) return fail_entry(entry, "is too large");
    char *text = context_allocate(entry->context, 2 * size + 1, 1);
    if (!text) return SUMI_ERROR_MEMORY;
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        if (entry->latin && bytes[i] >= 0x80) {
            text[length++] = (char)(0xc0 | bytes[i] >> 6);
            text[length++] = (char)(0x80 | (bytes[i] & 0x3f));
        } else {
            text[length++] = (char)bytes[i];
        }
    }
    text[length] = 0;
    sumi_status status = SUMI_OK;
    if (!text_is_utf8(text, length)) status = fail_entry(entry, "is not UTF-8");
    else
        status =
            members_check(entry->context, member_text(texts, entry->keyword, text), entry->name);
    context_release(entry->context, text);
    return status;
}

static sumi_status read_text(sumi_context *context, const char *name, const struct chunk *chunk,
                             json_object *texts)
{
    struct entry entry = {
        .context = context, .name = name, .data = chunk->data, .size = chunk->size};
    uint8_t *unpacked = NULL;
    size_t size = 0;
    TRY(read_keyword(&entry));
    TRY(read_head(&entry, chunk));
    if (json_object_object_get_ex(texts, entry.keyword, NULL)) return SUMI_OK;
    if (!entry.packed) return add_text(&entry, entry.data, entry.size, texts);
    sumi_status status = unpack(&entry, &unpacked, &size);
    if (status == SUMI_OK) status = add_text(&entry, unpacked, size, texts);
    context_release(context, unpacked);
    return status;
}

sumi_status png_texts_read(sumi_context *context, const void *bytes, size_t size, const char *name,
                           json_object *texts)
{
    TRY(check_png(context, bytes, size, name));
    struct chunk chunk;
    int count = 0;
    for (size_t place = SIGNATURE; place < size;) {
        TRY(next_chunk(context, bytes, size, name, &place, &chunk));
        if (has_type(&chunk, "IEND")) break;
        if (!is_text(&chunk)) continue;
        if (count++ == TEXTS_LIMIT) {
            return context_fail(context, SUMI_ERROR_FORMAT, "%s: the PNG has more than %d texts",
                                name, TEXTS_LIMIT);
        }
        TRY(read_text(context, name, &chunk, texts));
    }
    return SUMI_OK;
}

/* ---- Writing ---- */

static sumi_status check_text(sumi_context *context, const sumi_png_text *text)
{
    size_t length = strlen(text->keyword);
    bool printable = length >= 1 && length <= KEYWORD_LIMIT;
    for (size_t i = 0; i < length; i++) {
        printable = printable && text->keyword[i] >= ' ' && text->keyword[i] <= '~';
    }
    if (!printable || text->keyword[0] == ' ' || text->keyword[length - 1] == ' ') {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the keyword of a PNG's text has 1 to 79 letters of ASCII without "
                            "blanks at its ends, not \"%.80s\"",
                            text->keyword);
    }
    if (strlen(text->text) > TEXT_LIMIT || !text_is_utf8(text->text, strlen(text->text))) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the PNG's text \"%s\" should be UTF-8 of at most %d bytes",
                            text->keyword, TEXT_LIMIT);
    }
    return SUMI_OK;
}

/* A caller's structure in full, with a checked text. */
static sumi_status take_text(sumi_context *context, const sumi_png_text *given, sumi_png_text *text)
{
    TRY(structure_read(context, "sumi_png_text", given, text, sizeof *text));
    if (!text->keyword || !text->text) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "a text of a PNG has a keyword and a text, not NULL");
    }
    return check_text(context, text);
}

/* Whether the chunk has the keyword of one of the texts. */
static bool is_replaced(const struct chunk *chunk, const sumi_png_text *texts, int count)
{
    if (!is_text(chunk)) return false;
    for (int i = 0; i < count; i++) {
        size_t length = strlen(texts[i].keyword) + 1; /* with the zero after it */
        if (chunk->size >= length && memcmp(chunk->data, texts[i].keyword, length) == 0)
            return true;
    }
    return false;
}

/* An iTXt chunk that is not compressed: keyword, 0, flag, method, language, 0, keyword in that
   language, 0, text. */
static sumi_status put_text(sumi_context *context, const sumi_png_text *text, file_writer *writer)
{
    enum { BETWEEN = 5 };
    static const uint8_t type[4] = {'i', 'T', 'X', 't'};
    size_t keyword = strlen(text->keyword), length = strlen(text->text);
    size_t size = keyword + BETWEEN + length;
    uint8_t *chunk = context_allocate_zeroed(context, AROUND + size, 1);
    if (!chunk) return SUMI_ERROR_MEMORY;
    write_word(chunk, (uint32_t)size);
    memcpy(chunk + 4, type, sizeof type);
    memcpy(chunk + 8, text->keyword, keyword);
    memcpy(chunk + 8 + keyword + BETWEEN, text->text, length);
    write_word(chunk + 8 + size, (uint32_t)crc32(0, chunk + 4, (uInt)size + 4));
    sumi_status status = file_writer_put(context, writer, chunk, AROUND + size);
    context_release(context, chunk);
    return status;
}

/* Writes the file anew, with the texts after IHDR. */
static sumi_status put_all(sumi_context *context, const uint8_t *bytes, size_t size,
                           const char *name, const sumi_png_text *texts, int count,
                           file_writer *writer)
{
    struct chunk chunk;
    TRY(file_writer_put(context, writer, bytes, HEADER_END));
    for (int i = 0; i < count; i++) TRY(put_text(context, &texts[i], writer));
    for (size_t place = HEADER_END; place < size;) {
        TRY(next_chunk(context, bytes, size, name, &place, &chunk));
        if (is_replaced(&chunk, texts, count)) continue;
        TRY(file_writer_put(context, writer, chunk.start, AROUND + chunk.size));
        if (has_type(&chunk, "IEND")) return SUMI_OK;
    }
    return context_fail(context, SUMI_ERROR_FORMAT, "%s: damaged PNG: it has no end", name);
}

sumi_status png_texts_put(sumi_context *context, const void *bytes, size_t size, const char *name,
                          const sumi_png_text *texts, int count, void **result, size_t *result_size)
{
    enum { COUNT_LIMIT = 16 };
    sumi_png_text all[COUNT_LIMIT];
    file_writer writer;
    TRY(check_png(context, bytes, size, name));
    if (count < 0 || count > COUNT_LIMIT) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: at most %d texts are written at a time, not %d", name, COUNT_LIMIT,
                            count);
    }
    for (int i = 0; i < count; i++) {
        TRY(take_text(context, (const sumi_png_text *)((const char *)texts + i * texts->size),
                      &all[i]));
    }
    TRY(file_writer_open_memory(context, &writer, name));
    sumi_status status = put_all(context, bytes, size, name, all, count, &writer);
    if (status == SUMI_OK) file_writer_take(&writer, result, result_size);
    else file_writer_abandon(&writer);
    return status;
}

/* ---- Files ---- */

sumi_status sumi_png_set_texts(sumi_context *context, const char *path, const sumi_png_text *texts,
                               int count)
{
    void *bytes = NULL, *result = NULL;
    size_t size = 0, result_size = 0;
    TRY(file_read(context, path, PNG_LIMIT, &bytes, &size));
    sumi_status status =
        png_texts_put(context, bytes, size, path, texts, count, &result, &result_size);
    if (status == SUMI_OK) status = file_write(context, path, result, result_size);
    context_release(context, result);
    context_release(context, bytes);
    return status;
}

/* Copies the text of a keyword, if there is one. */
static sumi_status copy_text(sumi_context *context, json_object *texts, const char *keyword,
                             char **text)
{
    json_object *value = NULL;
    if (!json_object_object_get_ex(texts, keyword, &value)) return SUMI_OK;
    *text = context_copy_text(context, json_object_get_string(value));
    return *text ? SUMI_OK : SUMI_ERROR_MEMORY;
}

sumi_status sumi_png_get_text(sumi_context *context, const char *path, const char *keyword,
                              char **text)
{
    void *bytes = NULL;
    size_t size = 0;
    *text = NULL;
    TRY(file_read(context, path, PNG_LIMIT, &bytes, &size));
    json_object *texts = json_object_new_object();
    sumi_status status = members_check(context, texts != NULL, path);
    if (status == SUMI_OK) status = png_texts_read(context, bytes, size, path, texts);
    if (status == SUMI_OK) status = copy_text(context, texts, keyword, text);
    json_object_put(texts);
    context_release(context, bytes);
    return status;
}
