/* SPDX-License-Identifier: Apache-2.0 */
/* Members of tar archives; see tar.h. An archive is blocks of 512 bytes: a header and the data of
   each member, and two blocks of zeros (POSIX.1-2001, pax, "ustar Interchange Format"). */
#include "files/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { BLOCK = 512, EXTENSION_LIMIT = 1 << 20 };

/* The fields of a header that are read. */
enum { NAME = 0, NAME_SIZE = 100, SIZE = 124, SIZE_SIZE = 12, SUM = 148, SUM_SIZE = 8, TYPE = 156 };
enum { MAGIC = 257, PREFIX = 345, PREFIX_SIZE = 155 };

static sumi_status fail_header(const byte_source *source, uint64_t place, const char *what)
{
    return context_fail(source->context, SUMI_ERROR_FORMAT,
                        "%s: damaged tar archive: the header at byte %llu %s", source->name,
                        (unsigned long long)place, what);
}

/* An octal number between blanks, or GNU's binary one, whose first bit is set. */
static bool read_number(const uint8_t *field, int size, uint64_t *number)
{
    *number = 0;
    if (field[0] & 0x80) {
        for (int i = 0; i < size - 8; i++)
            if (field[i] != (i ? 0 : 0x80)) return false;
        for (int i = size - 8; i < size; i++) *number = *number << 8 | field[i];
        return true;
    }
    int i = 0;
    while (i < size && field[i] == ' ') i++;
    if (i == size || field[i] < '0' || field[i] > '7') return false;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        *number = *number << 3 | (uint64_t)(field[i] - '0');
    return i == size || field[i] == ' ' || field[i] == 0;
}

static bool is_zero(const uint8_t *block)
{
    for (int i = 0; i < BLOCK; i++)
        if (block[i]) return false;
    return true;
}

/* The sum of all bytes, with blanks in the place of the sum itself. */
static bool has_right_sum(const uint8_t *block)
{
    uint64_t sum = 0, own = 0;
    for (int i = 0; i < BLOCK; i++) sum += i >= SUM && i < SUM + SUM_SIZE ? ' ' : block[i];
    return read_number(block + SUM, SUM_SIZE, &own) && own == sum;
}

/* What extension headers say about the member after them. */
struct extension {
    char name[TAR_NAME]; /* "" for none */
    bool sized;
    uint64_t size;
};

/* One record of a pax header, "LENGTH KEY=VALUE\n", at `text`; returns its length, 0 if it is
   damaged. */
static size_t read_record(char *text, size_t left, struct extension *extension)
{
    char *rest = NULL;
    size_t length = text[0] >= '1' && text[0] <= '9' ? strtoul(text, &rest, 10) : 0;
    if (!rest || *rest != ' ' || length > left || length < (size_t)(rest - text) + 4
        || text[length - 1] != '\n')
        return 0;
    text[length - 1] = 0;
    char *value = strchr(++rest, '=');
    if (!value) return 0;
    *value++ = 0;
    if (strcmp(rest, "path") == 0) {
        if (strlen(value) >= TAR_NAME) return 0;
        strcpy(extension->name, value);
    } else if (strcmp(rest, "size") == 0) {
        extension->sized = text_to_seed(value, &extension->size);
        if (!extension->sized) return 0;
    }
    return length;
}

/* Reads the data of an extension header: pax records, or GNU's long name. */
static sumi_status read_extension(const byte_source *source, uint64_t place, uint64_t size,
                                  bool pax, struct extension *extension)
{
    if (size > EXTENSION_LIMIT) return fail_header(source, place, "has an extension too large");
    char *text = context_allocate(source->context, (size_t)size + 1, 1);
    if (!text) return SUMI_ERROR_MEMORY;
    sumi_status status = source_read(source, place + BLOCK, text, (size_t)size);
    text[size] = 0;
    for (size_t i = 0, length; pax && status == SUMI_OK && i < size; i += length) {
        length = read_record(text + i, (size_t)size - i, extension);
        if (!length) status = fail_header(source, place, "has a damaged extension");
    }
    if (!pax && status == SUMI_OK) {
        if (strlen(text) < TAR_NAME) strcpy(extension->name, text);
        else status = fail_header(source, place, "has too long a name");
    }
    context_release(source->context, text);
    return status;
}

static void read_name(const uint8_t *block, const struct extension *extension, char name[TAR_NAME])
{
    bool prefixed = memcmp(block + MAGIC, "ustar\0", 6) == 0 && block[PREFIX];
    if (extension->name[0]) snprintf(name, TAR_NAME, "%s", extension->name);
    else
        snprintf(name, TAR_NAME, "%.*s%s%.*s", prefixed ? PREFIX_SIZE : 0, block + PREFIX,
                 prefixed ? "/" : "", NAME_SIZE, block + NAME);
    text_tame(name);
}

/* Reads a header; *size receives that of the data behind it. */
static sumi_status read_header(const byte_source *source, uint64_t place, uint8_t block[BLOCK],
                               uint64_t *size)
{
    if (!has_right_sum(block)) {
        return fail_header(source, place,
                           place ? "has a wrong checksum"
                                 : "has a wrong checksum: is it an uncompressed tar archive?");
    }
    if (!read_number(block + SIZE, SIZE_SIZE, size)) {
        return fail_header(source, place, "has a damaged size");
    }
    return SUMI_OK;
}

static sumi_status advance(const byte_source *source, uint64_t start, uint64_t size,
                           uint64_t *place)
{
    if (size > source->size - start - BLOCK) {
        return fail_header(source, start, "announces data beyond the end: cut short?");
    }
    uint64_t whole = (size + BLOCK - 1) / BLOCK * BLOCK, left = source->size - start - BLOCK;
    *place = start + BLOCK + (whole < left ? whole : left);
    return SUMI_OK;
}

sumi_status tar_next(const byte_source *source, uint64_t *place, struct tar_member *member,
                     bool *found)
{
    struct extension extension = {.name = ""};
    *found = false;
    while (*place < source->size) {
        uint8_t block[BLOCK];
        uint64_t start = *place, size = 0;
        TRY(source_read(source, start, block, BLOCK));
        if (is_zero(block)) return SUMI_OK;
        TRY(read_header(source, start, block, &size));
        char type = (char)block[TYPE];
        bool file = type == '0' || type == 0 || type == '7';
        if (file && extension.sized) size = extension.size;
        TRY(advance(source, start, size, place));
        if (type == 'x' || type == 'L') {
            TRY(read_extension(source, start, size, type == 'x', &extension));
            continue;
        }
        if (file) {
            read_name(block, &extension, member->name);
            member->offset = start + BLOCK;
            member->size = size;
            *found = true;
            return SUMI_OK;
        }
        if (type != 'g' && type != 'K') extension = (struct extension){.name = ""};
    }
    return SUMI_OK;
}
