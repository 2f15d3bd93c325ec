/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing .npz. */
#include "files/npz.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "files/npy.h"
#include "files/zip.h"

enum { HEADER_MOST = 1 << 16 }; /* bytes of the header of an .npy file */
enum { NAME_SIZE = 64, LOCAL_SIZE = 30, ENTRY_SIZE = 46, END_SIZE = 22, VERSION = 20 };

/* ---- Reading ---- */

static sumi_status check_shape(sumi_context *context, const char *name, const npy_info *info,
                               struct npz_array *array)
{
    if (info->count > array->most) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: the array \"%s\" has %lld numbers; at most %lld are read", name,
                            array->name, (long long)info->count, (long long)array->most);
    }
    if (info->rank == array->rank) {
        memcpy(array->shape, info->shape, sizeof array->shape);
        return SUMI_OK;
    }
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: the array \"%s\" has %d dimensions, expected %d", name, array->name,
                        info->rank, array->rank);
}

/* Reads the array of an .npy file in memory. */
static sumi_status read_npy(sumi_context *context, const char *name, const void *bytes, size_t size,
                            struct npz_array *array)
{
    npy *file = NULL;
    TRY(npy_parse(context, bytes, size, name, &file));
    const npy_info *info = npy_describe(file);
    sumi_status status = check_shape(context, name, info, array);
    if (status == SUMI_OK) {
        array->values = context_allocate(context, (size_t)info->count, sizeof(double));
        status = array->values ? npy_read_doubles(file, array->values) : SUMI_ERROR_MEMORY;
    }
    npy_free(file);
    return status;
}

static sumi_status read_array(const byte_source *source, struct npz_array *array)
{
    char member[NAME_SIZE];
    void *bytes = NULL;
    size_t size = 0;
    snprintf(member, sizeof member, "%s.npy", array->name);
    uint64_t most = (uint64_t)array->most * sizeof(double) + HEADER_MOST;
    TRY(zip_read(source, member, most, &bytes, &size));
    if (!bytes)
        return context_fail(source->context, SUMI_ERROR_FORMAT, "%s: has no array \"%s\"",
                            source->name, array->name);
    sumi_status status = read_npy(source->context, source->name, bytes, size, array);
    context_release(source->context, bytes);
    return status;
}

/* Reads all from an open source and closes it. */
static sumi_status read_all(sumi_context *context, byte_source *source, int count,
                            struct npz_array *arrays)
{
    sumi_status status = SUMI_OK;
    for (int i = 0; i < count && status == SUMI_OK; i++) status = read_array(source, &arrays[i]);
    if (status != SUMI_OK) npz_release(context, count, arrays);
    source_close(source);
    return status;
}

static void begin(int count, struct npz_array *arrays)
{
    for (int i = 0; i < count; i++) arrays[i].values = NULL;
}

sumi_status npz_read(sumi_context *context, const char *path, int count, struct npz_array *arrays)
{
    byte_source source;
    begin(count, arrays);
    TRY(source_open(context, path, &source));
    return read_all(context, &source, count, arrays);
}

sumi_status npz_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                      int count, struct npz_array *arrays)
{
    byte_source source;
    begin(count, arrays);
    TRY(source_from_memory(context, bytes, size, name, &source));
    return read_all(context, &source, count, arrays);
}

void npz_release(sumi_context *context, int count, struct npz_array *arrays)
{
    for (int i = 0; i < count; i++) {
        context_release(context, arrays[i].values);
        arrays[i].values = NULL;
    }
}

/* ---- Writing ---- */

/* A member that is written: its .npy header, and what the directory says of it. */
struct written {
    char name[NAME_SIZE];
    char header[NPY_HEADER_SIZE];
    size_t header_size, values_size, offset;
    uint32_t checksum;
};

static void put_number(uint8_t *bytes, int size, uint64_t value)
{
    for (int i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> 8 * i);
}

/* The fields that a member's header and its entry in the directory share, from "version needed". */
static void put_common(uint8_t *bytes, const struct written *member)
{
    uint64_t size = member->header_size + member->values_size;
    memset(bytes, 0, 26);
    put_number(bytes, 2, VERSION);
    put_number(bytes + 8, 2, 0x21); /* the first of January 1980, as NumPy writes */
    put_number(bytes + 10, 4, member->checksum);
    put_number(bytes + 14, 4, size);
    put_number(bytes + 18, 4, size);
    put_number(bytes + 22, 2, strlen(member->name));
}

static sumi_status put_member(sumi_context *context, file_writer *writer, const double *values,
                              const struct written *member)
{
    uint8_t local[LOCAL_SIZE];
    put_number(local, 4, 0x04034b50);
    put_common(local + 4, member);
    TRY(file_writer_put(context, writer, local, sizeof local));
    TRY(file_writer_put(context, writer, member->name, strlen(member->name)));
    TRY(file_writer_put(context, writer, member->header, member->header_size));
    return file_writer_put(context, writer, values, member->values_size);
}

static sumi_status put_entry(sumi_context *context, file_writer *writer,
                             const struct written *member)
{
    uint8_t entry[ENTRY_SIZE] = {0};
    put_number(entry, 4, 0x02014b50);
    put_number(entry + 4, 2, VERSION);
    put_common(entry + 6, member);
    put_number(entry + 42, 4, member->offset);
    TRY(file_writer_put(context, writer, entry, sizeof entry));
    return file_writer_put(context, writer, member->name, strlen(member->name));
}

static sumi_status put_end(sumi_context *context, file_writer *writer, int count, size_t offset,
                           size_t size)
{
    uint8_t end[END_SIZE] = {0};
    put_number(end, 4, 0x06054b50);
    put_number(end + 8, 2, (uint64_t)count);
    put_number(end + 10, 2, (uint64_t)count);
    put_number(end + 12, 4, size);
    put_number(end + 16, 4, offset);
    return file_writer_put(context, writer, end, sizeof end);
}

/* Describes a member that begins at `offset`; returns where the next one does. */
static size_t describe(const struct npz_array *array, size_t offset, struct written *member)
{
    size_t count = 1;
    for (int i = 0; i < array->rank; i++) count *= (size_t)array->shape[i];
    snprintf(member->name, sizeof member->name, "%s.npy", array->name);
    member->header_size = npy_header("<f8", array->rank, array->shape, member->header);
    member->values_size = count * sizeof(double);
    member->offset = offset;
    member->checksum = (uint32_t)crc32_z(0, (const Bytef *)member->header, member->header_size);
    member->checksum =
        (uint32_t)crc32_z(member->checksum, (const Bytef *)array->values, member->values_size);
    return offset + LOCAL_SIZE + strlen(member->name) + member->header_size + member->values_size;
}

enum { MOST_ARRAYS = 8 };

static sumi_status put_all(sumi_context *context, file_writer *writer, int count,
                           const struct npz_array *arrays)
{
    struct written members[MOST_ARRAYS];
    size_t offset = 0, size = 0;
    for (int i = 0; i < count; i++) {
        offset = describe(&arrays[i], offset, &members[i]);
        if (offset > UINT32_MAX)
            return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                                "%s: arrays of more than 4 GiB are not written as .npz",
                                writer->path);
        TRY(put_member(context, writer, arrays[i].values, &members[i]));
    }
    for (int i = 0; i < count; i++) {
        TRY(put_entry(context, writer, &members[i]));
        size += ENTRY_SIZE + strlen(members[i].name);
    }
    return put_end(context, writer, count, offset, size);
}

sumi_status npz_write(sumi_context *context, const char *path, int count,
                      const struct npz_array *arrays)
{
    file_writer writer;
    TRY(file_writer_open(context, &writer, path));
    sumi_status status = put_all(context, &writer, count, arrays);
    if (status == SUMI_OK) status = file_writer_commit(context, &writer);
    file_writer_abandon(&writer);
    return status;
}
