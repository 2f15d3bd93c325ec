/* SPDX-License-Identifier: Apache-2.0 */
/* Reading IDX files; see idx.h. The format: two zero bytes, a type code, the rank, then one
   big-endian 32-bit size per dimension, then the data. */
#include "files/idx.h"

#include <inttypes.h>
#include <string.h>

#include "files/gunzip.h"

enum {
    MAGIC_SIZE = 4,
    DIMENSION_SIZE = 4,
    HEADER_SIZE = MAGIC_SIZE + SUMI_MAX_RANK * DIMENSION_SIZE
};

struct idx {
    byte_source source;
    idx_info info;
    uint64_t data_start;
    uint8_t *inflated; /* the data of a gzipped file, else NULL */
    byte_source data;  /* the bytes of `inflated`, else unused */
};

/* ---- The header ---- */

static sumi_status fail_at(const idx *file, sumi_status status, const char *what)
{
    return context_fail(file->source.context, status, "%s: %s", file->source.name, what);
}

static sumi_status parse_magic(idx *file, const uint8_t magic[MAGIC_SIZE])
{
    static const struct {
        uint8_t code;
        number_type type;
    } codes[] = {{0x08, NUMBER_U8},  {0x09, NUMBER_I8},  {0x0B, NUMBER_I16},
                 {0x0C, NUMBER_I32}, {0x0D, NUMBER_F32}, {0x0E, NUMBER_F64}};
    size_t i = 0, known = sizeof codes / sizeof codes[0];
    while (i < known && codes[i].code != magic[2]) i++;
    if (magic[0] != 0 || magic[1] != 0 || i == known) {
        return context_fail(file->source.context, SUMI_ERROR_FORMAT,
                            "%s: begins with %02x %02x %02x %02x, which is not the magic number "
                            "of an IDX file",
                            file->source.name, magic[0], magic[1], magic[2], magic[3]);
    }
    if (magic[3] < 1 || magic[3] > SUMI_MAX_RANK) {
        return context_fail(file->source.context, SUMI_ERROR_FORMAT,
                            "%s: has %d dimensions; 1 to %d are supported", file->source.name,
                            magic[3], SUMI_MAX_RANK);
    }
    file->info.type = codes[i].type;
    file->info.rank = magic[3];
    file->data_start = MAGIC_SIZE + (uint64_t)magic[3] * DIMENSION_SIZE;
    return SUMI_OK;
}

/* Fills the shape and computes the number of data bytes. */
static sumi_status parse_dimensions(idx *file, const uint8_t *bytes, uint64_t *data_size)
{
    idx_info *info = &file->info;
    int64_t size = 0;
    for (int i = 0; i < info->rank; i++, bytes += DIMENSION_SIZE) {
        uint32_t dimension = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16
                             | (uint32_t)bytes[2] << 8 | bytes[3];
        if (dimension > INT32_MAX) {
            return fail_at(file, SUMI_ERROR_FORMAT, "a dimension is negative (32-bit, signed)");
        }
        info->shape[i] = dimension;
    }
    if (!shape_elements(info->rank, info->shape, &info->count)
        || __builtin_mul_overflow(info->count, (int64_t)number_size(info->type), &size)) {
        return fail_at(file, SUMI_ERROR_FORMAT, "the product of the dimensions is too large");
    }
    info->rows = info->shape[0];
    (void)shape_elements(info->rank - 1, info->shape + 1, &info->row_size);
    *data_size = (uint64_t)size;
    return SUMI_OK;
}

/* ---- Plain files ---- */

static sumi_status open_plain(idx *file)
{
    uint8_t header[HEADER_SIZE];
    uint64_t data_size = 0;
    TRY(source_read(&file->source, 0, header, MAGIC_SIZE));
    TRY(parse_magic(file, header));
    TRY(source_read(&file->source, 0, header, (size_t)file->data_start));
    TRY(parse_dimensions(file, header + MAGIC_SIZE, &data_size));
    uint64_t present = file->source.size - file->data_start;
    if (present == data_size) return SUMI_OK;
    return context_fail(
        file->source.context, SUMI_ERROR_FORMAT,
        "%s: %s: the dimensions ask for %" PRIu64 " bytes of data, and %" PRIu64 " are there",
        file->source.name, present < data_size ? "cut short" : "too long", data_size, present);
}

/* ---- Gzipped files ---- */

static sumi_status inflate_header(idx *file, gunzip *stream, uint64_t *data_size)
{
    uint8_t header[HEADER_SIZE];
    TRY(gunzip_read(stream, header, MAGIC_SIZE));
    TRY(parse_magic(file, header));
    TRY(gunzip_read(stream, header, (size_t)file->data_start - MAGIC_SIZE));
    TRY(parse_dimensions(file, header, data_size));
    if (*data_size / GUNZIP_RATIO <= file->source.size) return SUMI_OK;
    return context_fail(file->source.context, SUMI_ERROR_FORMAT,
                        "%s: cut short: announces %" PRIu64 " bytes of data, more than its %" PRIu64
                        " bytes can inflate to",
                        file->source.name, *data_size, file->source.size);
}

static sumi_status inflate_all(idx *file, gunzip *stream)
{
    uint64_t data_size = 0;
    TRY(inflate_header(file, stream, &data_size));
    file->inflated = context_allocate(file->source.context, data_size, 1);
    if (!file->inflated) return SUMI_ERROR_MEMORY;
    TRY(gunzip_read(stream, file->inflated, data_size));
    TRY(gunzip_finish(stream));
    file->data_start = 0;
    return source_from_memory(file->source.context, file->inflated, data_size, file->source.name,
                              &file->data);
}

static sumi_status open_gzipped(idx *file)
{
    gunzip *stream = context_allocate(file->source.context, 1, sizeof *stream);
    if (!stream) return SUMI_ERROR_MEMORY;
    sumi_status status = gunzip_open(stream, &file->source);
    if (status == SUMI_OK) {
        status = inflate_all(file, stream);
        gunzip_close(stream);
    }
    context_release(file->source.context, stream);
    return status;
}

/* ---- Opening and reading ---- */

static void release(sumi_context *context, idx *file)
{
    source_close(&file->data);
    context_release(context, file->inflated);
    source_close(&file->source);
    context_release(context, file);
}

void idx_free(idx *file)
{
    if (file) release(file->source.context, file);
}

static sumi_status open_source(idx *file)
{
    bool gzipped = false;
    TRY(gunzip_is(&file->source, &gzipped));
    return gzipped ? open_gzipped(file) : open_plain(file);
}

static sumi_status finish_open(sumi_context *context, idx *opened, sumi_status status, idx **file)
{
    if (status == SUMI_OK) status = open_source(opened);
    if (status != SUMI_OK) {
        release(context, opened);
        return status;
    }
    *file = opened;
    return SUMI_OK;
}

sumi_status idx_open(sumi_context *context, const char *path, idx **file)
{
    *file = NULL;
    idx *opened = context_allocate_zeroed(context, 1, sizeof *opened);
    if (!opened) return SUMI_ERROR_MEMORY;
    return finish_open(context, opened, source_open(context, path, &opened->source), file);
}

sumi_status idx_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                      idx **file)
{
    *file = NULL;
    idx *opened = context_allocate_zeroed(context, 1, sizeof *opened);
    if (!opened) return SUMI_ERROR_MEMORY;
    return finish_open(context, opened,
                       source_from_memory(context, bytes, size, name, &opened->source), file);
}

const idx_info *idx_describe(const idx *file)
{
    return &file->info;
}

static sumi_status check_rows(const idx *file, int64_t first, int64_t count)
{
    int64_t rows = file->info.rows;
    if (first >= 0 && count >= 0 && first <= rows && count <= rows - first) return SUMI_OK;
    return context_fail(file->source.context, SUMI_ERROR_ARGUMENT,
                        "%s: has %" PRId64 " items; %" PRId64 " from item %" PRId64
                        " are not among them",
                        file->source.name, rows, count, first);
}

sumi_status idx_read_rows(const idx *file, int64_t first, int64_t count, float *output)
{
    const idx_info *info = &file->info;
    TRY(check_rows(file, first, count));
    uint64_t start = (uint64_t)(first * info->row_size) * number_size(info->type);
    return source_read_numbers(file->inflated ? &file->data : &file->source,
                               file->data_start + start, info->type, true,
                               (size_t)(count * info->row_size), output);
}

sumi_status idx_read_bytes(const idx *file, int64_t first, int64_t count, uint8_t *output)
{
    const idx_info *info = &file->info;
    if (info->type != NUMBER_U8) {
        return context_fail(file->source.context, SUMI_ERROR_FORMAT,
                            "%s: should contain bytes, not numbers of type %s", file->source.name,
                            number_name(info->type));
    }
    TRY(check_rows(file, first, count));
    return source_read(file->inflated ? &file->data : &file->source,
                       file->data_start + (uint64_t)(first * info->row_size), output,
                       (size_t)(count * info->row_size));
}
