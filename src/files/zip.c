/* SPDX-License-Identifier: Apache-2.0 */
/* Reading zip archives: the end record, the central directory, then a member's own header, whose
   sizes are not used (APPNOTE.TXT 6.3.10, sections 4.3 to 4.5). */
#include "files/zip.h"

#include <string.h>

#include "files/gunzip.h"

enum {
    END_SIZE = 22,
    COMMENT_MOST = 65535,
    ENTRY_SIZE = 46,
    LOCAL_SIZE = 30,
    END64_SIZE = 56,
    LOCATOR_SIZE = 20,
    STORED = 0,
    DEFLATED = 8,
    ENCRYPTED = 1
};

/* What the directory has of a member. */
struct member {
    uint32_t flags, method, checksum;
    uint64_t packed, size, offset;
};

struct directory {
    uint64_t offset, size, entries;
};

static uint64_t number(const uint8_t *bytes, int size)
{
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

static sumi_status broken(const byte_source *source, const char *what)
{
    return context_fail(source->context, SUMI_ERROR_FORMAT, "%s: %s", source->name, what);
}

/* ---- The end record ---- */

/* Replaces what does not fit into 32 bits by the record of zip64. */
static sumi_status read_end64(const byte_source *source, uint64_t end, struct directory *directory)
{
    uint8_t locator[LOCATOR_SIZE], record[END64_SIZE];
    if (end < LOCATOR_SIZE) return broken(source, "its zip64 record is missing");
    TRY(source_read(source, end - LOCATOR_SIZE, locator, sizeof locator));
    if (number(locator, 4) != 0x07064b50) return broken(source, "its zip64 record is missing");
    TRY(source_read(source, number(locator + 8, 8), record, sizeof record));
    if (number(record, 4) != 0x06064b50) return broken(source, "its zip64 record is missing");
    directory->entries = number(record + 32, 8);
    directory->size = number(record + 40, 8);
    directory->offset = number(record + 48, 8);
    return SUMI_OK;
}

static sumi_status parse_end(const byte_source *source, uint64_t place, const uint8_t *end,
                             struct directory *directory)
{
    if (number(end + 4, 2) != 0 && number(end + 4, 2) != 0xffff)
        return broken(source, "is one of several parts of a zip archive");
    directory->entries = number(end + 10, 2);
    directory->size = number(end + 12, 4);
    directory->offset = number(end + 16, 4);
    bool large = directory->entries == 0xffff || directory->size == 0xffffffff
                 || directory->offset == 0xffffffff;
    if (large) TRY(read_end64(source, place, directory));
    if (directory->size > source->size || directory->offset > source->size - directory->size)
        return broken(source, "the directory of the zip archive is not inside the file");
    return SUMI_OK;
}

/* Looks for the end record, before a comment of any length, from the end. */
static sumi_status find_end(const byte_source *source, struct directory *directory)
{
    uint64_t most = END_SIZE + COMMENT_MOST;
    size_t size = (size_t)(source->size < most ? source->size : most);
    uint8_t *tail = context_allocate(source->context, size, 1);
    if (!tail) return SUMI_ERROR_MEMORY;
    uint64_t start = source->size - size;
    sumi_status status = source_read(source, start, tail, size);
    bool found = false;
    for (size_t back = END_SIZE; back <= size && status == SUMI_OK && !found; back++) {
        const uint8_t *end = tail + size - back;
        found = number(end, 4) == 0x06054b50 && number(end + 20, 2) == back - END_SIZE;
        if (found) status = parse_end(source, start + size - back, end, directory);
    }
    context_release(source->context, tail);
    if (status == SUMI_OK && !found) return broken(source, "is not a zip archive, or is cut short");
    return status;
}

/* ---- The directory ---- */

/* Sizes that do not fit into 32 bits, in this order, from the extra field of zip64. */
static void parse_extra(const uint8_t *extra, size_t size, struct member *member)
{
    uint64_t *wide[] = {&member->size, &member->packed, &member->offset};
    while (size >= 4) {
        size_t length = (size_t)number(extra + 2, 2);
        if (length > size - 4) return;
        const uint8_t *next = extra + 4, *end = next + length;
        for (int i = 0; i < 3 && number(extra, 2) == 1; i++) {
            if (*wide[i] != 0xffffffff || end - next < 8) continue;
            *wide[i] = number(next, 8);
            next += 8;
        }
        extra += 4 + length;
        size -= 4 + length;
    }
}

static void parse_entry(const uint8_t *entry, const uint8_t *extra, struct member *member)
{
    *member = (struct member){.flags = (uint32_t)number(entry + 8, 2),
                              .method = (uint32_t)number(entry + 10, 2),
                              .checksum = (uint32_t)number(entry + 16, 4),
                              .packed = number(entry + 20, 4),
                              .size = number(entry + 24, 4),
                              .offset = number(entry + 42, 4)};
    parse_extra(extra, (size_t)number(entry + 30, 2), member);
}

/* The entry at *at of the directory's bytes[size], and advances behind it. */
static sumi_status next_entry(const byte_source *source, const uint8_t *bytes, size_t size,
                              size_t *at, const uint8_t **entry, size_t *name_size)
{
    *entry = bytes + *at;
    if (size - *at < ENTRY_SIZE || number(*entry, 4) != 0x02014b50)
        return broken(source, "the directory of the zip archive is damaged");
    *name_size = (size_t)number(*entry + 28, 2);
    size_t whole =
        ENTRY_SIZE + *name_size + (size_t)number(*entry + 30, 2) + (size_t)number(*entry + 32, 2);
    if (whole > size - *at) return broken(source, "the directory of the zip archive is damaged");
    *at += whole;
    return SUMI_OK;
}

/* Looks a name up in the directory's bytes. */
static sumi_status search(const byte_source *source, const uint8_t *bytes,
                          const struct directory *directory, const char *name,
                          struct member *member, bool *found)
{
    size_t at = 0, length = strlen(name), name_size = 0;
    const uint8_t *entry = NULL;
    *found = false;
    for (uint64_t i = 0; i < directory->entries && !*found; i++) {
        TRY(next_entry(source, bytes, (size_t)directory->size, &at, &entry, &name_size));
        *found = name_size == length && memcmp(entry + ENTRY_SIZE, name, length) == 0;
        if (*found) parse_entry(entry, entry + ENTRY_SIZE + name_size, member);
    }
    return SUMI_OK;
}

static sumi_status find_member(const byte_source *source, const char *name, struct member *member,
                               bool *found)
{
    struct directory directory = {0};
    TRY(find_end(source, &directory));
    uint8_t *bytes = context_allocate(source->context, (size_t)directory.size, 1);
    if (!bytes) return SUMI_ERROR_MEMORY;
    sumi_status status = source_read(source, directory.offset, bytes, (size_t)directory.size);
    if (status == SUMI_OK) status = search(source, bytes, &directory, name, member, found);
    context_release(source->context, bytes);
    return status;
}

/* ---- A member ---- */

static sumi_status check_member(const byte_source *source, const struct member *member,
                                const char *name, uint64_t most)
{
    if (member->flags & ENCRYPTED) return broken(source, "its members are encrypted");
    if (member->method != STORED && member->method != DEFLATED)
        return broken(source, "a member is compressed by a method other than deflate");
    bool possible = member->packed <= source->size
                    && (member->method == STORED ? member->size == member->packed
                                                 : member->size / GUNZIP_RATIO <= member->packed);
    if (!possible) return broken(source, "the size of a member does not fit the file");
    if (member->size <= most) return SUMI_OK;
    return context_fail(source->context, SUMI_ERROR_FORMAT,
                        "%s: \"%s\" would take %llu bytes; at most %llu are read", source->name,
                        name, (unsigned long long)member->size, (unsigned long long)most);
}

/* Inflates packed[packed_size] to bytes[size], which it must fill. */
static sumi_status inflate_all(const byte_source *source, const uint8_t *packed, size_t packed_size,
                               uint8_t *bytes, size_t size)
{
    z_stream stream = {.zalloc = zlib_allocate, .zfree = zlib_release, .opaque = source->context};
    if (packed_size > UINT32_MAX || size > UINT32_MAX)
        return broken(source, "a deflated member of 4 GiB or more is not read");
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return SUMI_ERROR_MEMORY;
    stream.next_in = (Bytef *)packed;
    stream.avail_in = (uInt)packed_size;
    stream.next_out = bytes;
    stream.avail_out = (uInt)size;
    int result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR) return SUMI_ERROR_MEMORY;
    if (result == Z_STREAM_END && stream.avail_out == 0) return SUMI_OK;
    return broken(source, "a member does not inflate to its size");
}

static sumi_status unpack(const byte_source *source, const struct member *member, uint8_t *packed,
                          uint8_t *bytes)
{
    uint8_t local[LOCAL_SIZE];
    TRY(source_read(source, member->offset, local, sizeof local));
    if (number(local, 4) != 0x04034b50) return broken(source, "a member has no header");
    uint64_t start = member->offset + LOCAL_SIZE + number(local + 26, 2) + number(local + 28, 2);
    bool stored = member->method == STORED;
    TRY(source_read(source, start, stored ? bytes : packed, (size_t)member->packed));
    if (!stored)
        TRY(inflate_all(source, packed, (size_t)member->packed, bytes, (size_t)member->size));
    if (crc32_z(0, bytes, (size_t)member->size) != member->checksum)
        return broken(source, "the checksum of a member is wrong");
    return SUMI_OK;
}

sumi_status zip_read(const byte_source *source, const char *name, uint64_t most, void **bytes,
                     size_t *size)
{
    struct member member = {0};
    bool found = false;
    *bytes = NULL;
    TRY(find_member(source, name, &member, &found));
    if (!found) return SUMI_OK;
    TRY(check_member(source, &member, name, most));
    sumi_context *context = source->context;
    size_t scratch = member.method == STORED ? 0 : (size_t)member.packed;
    uint8_t *packed = context_allocate(context, scratch, 1);
    uint8_t *unpacked = context_allocate(context, (size_t)member.size, 1);
    sumi_status status = packed && unpacked ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = unpack(source, &member, packed, unpacked);
    context_release(context, packed);
    if (status != SUMI_OK) {
        context_release(context, unpacked);
        return status;
    }
    *bytes = unpacked;
    *size = (size_t)member.size;
    return SUMI_OK;
}

/* ---- All members ---- */

/* Where the bytes of a member begin, behind its own header. */
static sumi_status find_place(const byte_source *source, const struct member *member,
                              uint64_t *place)
{
    uint8_t local[LOCAL_SIZE];
    TRY(source_read(source, member->offset, local, sizeof local));
    if (number(local, 4) != 0x04034b50) return broken(source, "a member has no header");
    *place = member->offset + LOCAL_SIZE + number(local + 26, 2) + number(local + 28, 2);
    return SUMI_OK;
}

static sumi_status add_member(const byte_source *source, const uint8_t *entry, size_t name_size,
                              struct zip_list *list)
{
    struct zip_member *item = &list->items[list->count];
    struct member member;
    const uint8_t *name = entry + ENTRY_SIZE;
    parse_entry(entry, name + name_size, &member);
    if (memchr(name, 0, name_size)) return SUMI_OK;
    TRY(find_place(source, &member, &item->place));
    item->size = member.packed;
    item->stored = member.method == STORED && !(member.flags & ENCRYPTED);
    if (item->place > source->size || item->size > source->size - item->place)
        return broken(source, "a member is not inside the file");
    item->name = context_allocate_zeroed(source->context, name_size + 1, 1);
    if (!item->name) return SUMI_ERROR_MEMORY;
    memcpy(item->name, name, name_size);
    list->count++;
    return SUMI_OK;
}

static sumi_status add_members(const byte_source *source, const uint8_t *bytes,
                               const struct directory *directory, struct zip_list *list)
{
    const uint8_t *entry = NULL;
    size_t at = 0, name_size = 0;
    uint64_t most = directory->size / ENTRY_SIZE;
    list->items = context_allocate_zeroed(source->context, (size_t)most, sizeof *list->items);
    if (!list->items) return SUMI_ERROR_MEMORY;
    for (uint64_t i = 0; i < directory->entries; i++) {
        TRY(next_entry(source, bytes, (size_t)directory->size, &at, &entry, &name_size));
        TRY(add_member(source, entry, name_size, list));
    }
    return SUMI_OK;
}

sumi_status zip_list(const byte_source *source, struct zip_list *list)
{
    struct directory directory = {0};
    *list = (struct zip_list){0};
    TRY(find_end(source, &directory));
    uint8_t *bytes = context_allocate(source->context, (size_t)directory.size, 1);
    if (!bytes) return SUMI_ERROR_MEMORY;
    sumi_status status = source_read(source, directory.offset, bytes, (size_t)directory.size);
    if (status == SUMI_OK) status = add_members(source, bytes, &directory, list);
    context_release(source->context, bytes);
    return status;
}

void zip_list_release(sumi_context *context, struct zip_list *list)
{
    for (int64_t i = 0; i < list->count; i++) context_release(context, list->items[i].name);
    context_release(context, list->items);
    *list = (struct zip_list){0};
}

const struct zip_member *zip_find(const struct zip_list *list, const char *name)
{
    for (int64_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0) return &list->items[i];
    return NULL;
}
