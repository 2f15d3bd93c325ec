/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing .npy; see npy.h. The header is a Python dict literal, of which exactly the
   three known keys are accepted. */
#include "files/npy.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAGIC_SIZE = 6, HEADER_LIMIT = 1 << 16, ALIGNMENT = 64 };

static const char magic[MAGIC_SIZE + 1] = "\x93NUMPY";

struct npy {
    byte_source source;
    npy_info info;
    uint64_t data_start;
};

bool npy_is(const void *bytes, size_t size)
{
    return size >= MAGIC_SIZE && memcmp(bytes, magic, MAGIC_SIZE) == 0;
}

/* ---- The dict literal ---- */

typedef struct header_text {
    const npy *file;
    const char *next; /* the rest of the text; ends with a zero byte */
} header_text;

static sumi_status fail_header(const header_text *text, const char *what)
{
    return context_fail(text->file->source.context, SUMI_ERROR_FORMAT,
                        "%s: the .npy header should have %s at \"%.40s\"", text->file->source.name,
                        what, text->next);
}

static void skip_blanks(header_text *text)
{
    while (*text->next == ' ' || *text->next == '\n' || *text->next == '\t') text->next++;
}

/* Skips `token` if it comes next. */
static bool accept(header_text *text, const char *token)
{
    skip_blanks(text);
    if (strncmp(text->next, token, strlen(token)) != 0) return false;
    text->next += strlen(token);
    return true;
}

/* Reads a quoted text without escapes into word[size]. */
static sumi_status parse_quoted(header_text *text, char *word, size_t size)
{
    skip_blanks(text);
    char quote = *text->next;
    const char *end = quote == '\'' || quote == '"' ? strchr(text->next + 1, quote) : NULL;
    if (!end || (size_t)(end - text->next) > size) {
        return fail_header(text, "a short quoted text (record types are not supported)");
    }
    size_t length = (size_t)(end - text->next - 1);
    memcpy(word, text->next + 1, length);
    word[length] = 0;
    text->next = end + 1;
    return SUMI_OK;
}

/* "<f4": byte order, kind, bytes. */
static sumi_status parse_type(header_text *text, npy_info *info)
{
    static const struct {
        const char *code;
        number_type type;
    } codes[] = {
        {"b1", NUMBER_BOOL}, {"u1", NUMBER_U8},  {"i1", NUMBER_I8},  {"u2", NUMBER_U16},
        {"i2", NUMBER_I16},  {"u4", NUMBER_U32}, {"i4", NUMBER_I32}, {"u8", NUMBER_U64},
        {"i8", NUMBER_I64},  {"f2", NUMBER_F16}, {"f4", NUMBER_F32}, {"f8", NUMBER_F64},
    };
    char word[32];
    TRY(parse_quoted(text, word, sizeof word));
    info->big_endian = word[0] == '>';
    if (word[0] && strchr("<>|=", word[0])) {
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
            if (strcmp(word + 1, codes[i].code) == 0) {
                info->type = codes[i].type;
                return SUMI_OK;
            }
        }
    }
    return context_fail(text->file->source.context, SUMI_ERROR_UNSUPPORTED,
                        "%s: numbers of type '%s' are not supported; save it as float32 ('<f4')",
                        text->file->source.name, word);
}

static sumi_status parse_dimension(header_text *text, int64_t *dimension)
{
    skip_blanks(text);
    if (!isdigit((unsigned char)*text->next)) return fail_header(text, "a number from 0");
    *dimension = 0;
    while (isdigit((unsigned char)*text->next)) {
        if (__builtin_mul_overflow(*dimension, 10, dimension)
            || __builtin_add_overflow(*dimension, *text->next - '0', dimension)) {
            return fail_header(text, "a number below 2^63");
        }
        text->next++;
    }
    (void)accept(text, "L"); /* the suffix of long integers in Python 2 */
    return SUMI_OK;
}

/* "(3, 4)", "(3,)" or "()". */
static sumi_status parse_shape(header_text *text, npy_info *info)
{
    info->rank = 0;
    if (!accept(text, "(")) return fail_header(text, "a shape in parentheses");
    while (!accept(text, ")")) {
        if (info->rank == SUMI_MAX_RANK) {
            return context_fail(text->file->source.context, SUMI_ERROR_UNSUPPORTED,
                                "%s: has more than the %d dimensions supported",
                                text->file->source.name, SUMI_MAX_RANK);
        }
        TRY(parse_dimension(text, &info->shape[info->rank++]));
        if (accept(text, ",")) continue;
        if (accept(text, ")")) break;
        return fail_header(text, "',' or ')'");
    }
    return SUMI_OK;
}

static sumi_status parse_entry(header_text *text, npy_info *info, unsigned *seen)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    enum { DESCR, FORTRAN_ORDER, SHAPE, KEYS };
    char word[32];
    TRY(parse_quoted(text, word, sizeof word));
    unsigned key = 0;
    while (key < KEYS && strcmp(word, keys[key]) != 0) key++;
    if (key == KEYS || *seen & 1u << key || !accept(text, ":")) {
        return fail_header(text, "the keys 'descr', 'fortran_order' and 'shape', each once");
    }
    *seen |= 1u << key;
    if (key == DESCR) return parse_type(text, info);
    if (key == SHAPE) return parse_shape(text, info);
    info->fortran_order = accept(text, "True");
    if (!info->fortran_order && !accept(text, "False")) return fail_header(text, "True or False");
    return SUMI_OK;
}

static sumi_status parse_dict(header_text *text, npy_info *info)
{
    unsigned seen = 0;
    if (!accept(text, "{")) return fail_header(text, "'{'");
    while (!accept(text, "}")) {
        TRY(parse_entry(text, info, &seen));
        if (!accept(text, ",") && *text->next != '}') return fail_header(text, "',' or '}'");
    }
    skip_blanks(text);
    if (*text->next) return fail_header(text, "nothing more");
    if (seen != 7) return fail_header(text, "'descr', 'fortran_order' and 'shape'");
    return SUMI_OK;
}

/* ---- Opening ---- */

static sumi_status check_size(npy *file)
{
    npy_info *info = &file->info;
    const byte_source *source = &file->source;
    int64_t bytes = 0;
    if (!shape_elements(info->rank, info->shape, &info->count)
        || __builtin_mul_overflow(info->count, (int64_t)number_size(info->type), &bytes)) {
        return context_fail(source->context, SUMI_ERROR_FORMAT,
                            "%s: the product of the shape is too large", source->name);
    }
    uint64_t present = source->size - file->data_start;
    if (present != (uint64_t)bytes) {
        return context_fail(
            source->context, SUMI_ERROR_FORMAT,
            "%s: %s: the shape asks for %" PRId64 " bytes of data, and %" PRIu64 " are there",
            source->name, present < (uint64_t)bytes ? "cut short" : "too long", bytes, present);
    }
    info->rows = info->rank ? info->shape[0] : 1;
    (void)shape_elements(info->rank ? info->rank - 1 : 0, info->shape + 1, &info->row_size);
    return SUMI_OK;
}

/* Reads the length of the dict and where it begins: after 2 bytes in version 1, after 4 later. */
static sumi_status read_prefix(const byte_source *source, uint64_t *start, size_t *length)
{
    uint8_t prefix[MAGIC_SIZE + 6] = {0};
    TRY(source_read(source, 0, prefix, MAGIC_SIZE + 4));
    if (!npy_is(prefix, sizeof prefix)) {
        return context_fail(source->context, SUMI_ERROR_FORMAT,
                            "%s: does not begin as an .npy file does", source->name);
    }
    int version = prefix[MAGIC_SIZE];
    if (version < 1 || version > 3) {
        return context_fail(source->context, SUMI_ERROR_UNSUPPORTED,
                            "%s: .npy version %d is not 1, 2 or 3", source->name, version);
    }
    *start = MAGIC_SIZE + (version == 1 ? 4 : 6);
    TRY(source_read(source, 0, prefix, *start));
    *length = (size_t)prefix[8] | (size_t)prefix[9] << 8;
    if (version > 1) *length |= (size_t)prefix[10] << 16 | (size_t)prefix[11] << 24;
    if (*length > HEADER_LIMIT) {
        return context_fail(source->context, SUMI_ERROR_FORMAT,
                            "%s: announces a header of %zu bytes, more than the %d allowed",
                            source->name, *length, HEADER_LIMIT);
    }
    return SUMI_OK;
}

static sumi_status read_header(npy *file)
{
    uint64_t start = 0;
    size_t length = 0;
    TRY(read_prefix(&file->source, &start, &length));
    char *text = context_allocate_zeroed(file->source.context, length + 1, 1);
    if (!text) return SUMI_ERROR_MEMORY;
    sumi_status status = source_read(&file->source, start, text, length);
    header_text header = {file, text};
    if (status == SUMI_OK) status = parse_dict(&header, &file->info);
    context_release(file->source.context, text);
    TRY(status);
    file->data_start = start + length;
    return check_size(file);
}

static sumi_status finish_open(sumi_context *context, npy *opened, sumi_status status, npy **file)
{
    if (status == SUMI_OK) status = read_header(opened);
    if (status != SUMI_OK) {
        source_close(&opened->source);
        context_release(context, opened);
        return status;
    }
    *file = opened;
    return SUMI_OK;
}

sumi_status npy_open(sumi_context *context, const char *path, npy **file)
{
    *file = NULL;
    npy *opened = context_allocate_zeroed(context, 1, sizeof *opened);
    if (!opened) return SUMI_ERROR_MEMORY;
    return finish_open(context, opened, source_open(context, path, &opened->source), file);
}

sumi_status npy_parse(sumi_context *context, const void *bytes, size_t size, const char *name,
                      npy **file)
{
    *file = NULL;
    npy *opened = context_allocate_zeroed(context, 1, sizeof *opened);
    if (!opened) return SUMI_ERROR_MEMORY;
    return finish_open(context, opened,
                       source_from_memory(context, bytes, size, name, &opened->source), file);
}

void npy_free(npy *file)
{
    if (!file) return;
    sumi_context *context = file->source.context;
    source_close(&file->source);
    context_release(context, file);
}

const npy_info *npy_describe(const npy *file)
{
    return &file->info;
}

/* ---- Reading ---- */

/* The index in a row-major row of column `column` of a Fortran-ordered file, whose dimensions after
   the first are counted with the second fastest. */
static int64_t column_place(const npy_info *info, int64_t column)
{
    int64_t place = 0, stride = info->row_size;
    for (int i = 1; i < info->rank; i++) {
        stride /= info->shape[i];
        place += column % info->shape[i] * stride;
        column /= info->shape[i];
    }
    return place;
}

/* Reads `count` numbers of one column, from row `first` on, into the rows of `output`. */
static sumi_status read_column(const npy *file, int64_t column, int64_t first, int64_t count,
                               float *output)
{
    enum { BLOCK = 4096 };
    float block[BLOCK];
    const npy_info *info = &file->info;
    size_t size = number_size(info->type);
    float *place = output + column_place(info, column);
    for (int64_t done = 0; done < count;) {
        int64_t part = count - done < BLOCK ? count - done : BLOCK;
        uint64_t index = (uint64_t)(column * info->rows + first + done);
        TRY(source_read_numbers(&file->source, file->data_start + index * size, info->type,
                                info->big_endian, (size_t)part, block));
        for (int64_t i = 0; i < part; i++) place[(done + i) * info->row_size] = block[i];
        done += part;
    }
    return SUMI_OK;
}

sumi_status npy_read_rows(const npy *file, int64_t first, int64_t count, float *output)
{
    const npy_info *info = &file->info;
    if (first < 0 || count < 0 || first > info->rows || count > info->rows - first) {
        return context_fail(file->source.context, SUMI_ERROR_ARGUMENT,
                            "%s: has %" PRId64 " rows; %" PRId64 " from row %" PRId64
                            " are not among them",
                            file->source.name, info->rows, count, first);
    }
    if (info->row_size == 0) return SUMI_OK;
    if (!info->fortran_order) {
        uint64_t start = (uint64_t)(first * info->row_size) * number_size(info->type);
        return source_read_numbers(&file->source, file->data_start + start, info->type,
                                   info->big_endian, (size_t)(count * info->row_size), output);
    }
    for (int64_t column = 0; column < info->row_size; column++) {
        TRY(read_column(file, column, first, count, output));
    }
    return SUMI_OK;
}

/* Element `i`, row-major, of an array in the file's order. */
static int64_t file_place(const npy_info *info, int64_t i)
{
    if (!info->fortran_order) return i;
    int64_t place = 0, step = info->count;
    for (int axis = info->rank - 1; axis >= 0; axis--) {
        step /= info->shape[axis];
        place += i % info->shape[axis] * step;
        i /= info->shape[axis];
    }
    return place;
}

/* Numbers of 64 bits as they are, in the file's order of bytes. */
static sumi_status read_wide(const npy *file, double *output)
{
    const npy_info *info = &file->info;
    sumi_context *context = file->source.context;
    uint8_t *bytes = context_allocate(context, (size_t)info->count, sizeof *output);
    if (!bytes) return SUMI_ERROR_MEMORY;
    sumi_status status =
        source_read(&file->source, file->data_start, bytes, (size_t)info->count * sizeof *output);
    for (int64_t i = 0; i < info->count && status == SUMI_OK; i++) {
        const uint8_t *number = bytes + 8 * file_place(info, i);
        uint64_t bits = 0;
        for (int k = 0; k < 8; k++) bits |= (uint64_t)number[info->big_endian ? 7 - k : k] << 8 * k;
        memcpy(&output[i], &bits, sizeof bits);
    }
    context_release(context, bytes);
    return status;
}

sumi_status npy_read_doubles(const npy *file, double *output)
{
    const npy_info *info = &file->info;
    sumi_context *context = file->source.context;
    if (info->count == 0) return SUMI_OK;
    if (info->type == NUMBER_F64) return read_wide(file, output);
    float *values = context_allocate(context, (size_t)info->count, sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    sumi_status status = npy_read_rows(file, 0, info->rows, values);
    for (int64_t i = 0; i < info->count && status == SUMI_OK; i++) output[i] = values[i];
    context_release(context, values);
    return status;
}

/* Reads all of an open file and frees it. */
static sumi_status read_whole(sumi_context *context, npy *file, sumi_array *array)
{
    const npy_info *info = npy_describe(file);
    sumi_status status = sumi_array_create(context, info->rank, info->shape, array);
    if (status == SUMI_OK) status = npy_read_rows(file, 0, info->rows, array->data);
    if (status != SUMI_OK) sumi_array_release(context, array);
    npy_free(file);
    return status;
}

sumi_status npy_read(sumi_context *context, const char *path, sumi_array *array)
{
    npy *file = NULL;
    memset(array, 0, sizeof *array);
    TRY(npy_open(context, path, &file));
    return read_whole(context, file, array);
}

sumi_status npy_read_memory(sumi_context *context, const void *bytes, size_t size, const char *name,
                            sumi_array *array)
{
    npy *file = NULL;
    memset(array, 0, sizeof *array);
    TRY(npy_parse(context, bytes, size, name, &file));
    return read_whole(context, file, array);
}

/* ---- Writing ---- */

/* Writes the magic, version 1, the dict, blanks up to a multiple of 64 bytes, and a newline. */
size_t npy_header(const char *type, int rank, const int64_t *shape, char header[NPY_HEADER_SIZE])
{
    size_t capacity = NPY_HEADER_SIZE, start = MAGIC_SIZE + 4, length = start;
    memset(header, ' ', capacity);
    length += (size_t)snprintf(header + length, capacity - length,
                               "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int i = 0; i < rank; i++) {
        length += (size_t)snprintf(header + length, capacity - length, "%" PRId64 "%s", shape[i],
                                   i + 1 < rank ? ", "
                                   : rank == 1  ? ","
                                                : "");
    }
    length += (size_t)snprintf(header + length, capacity - length, "), }");
    size_t total = (length + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    memset(header + length, ' ', total - length);
    header[total - 1] = '\n';
    memcpy(header, magic, MAGIC_SIZE);
    header[MAGIC_SIZE] = 1;
    header[MAGIC_SIZE + 1] = 0;
    header[MAGIC_SIZE + 2] = (char)((total - start) & 255);
    header[MAGIC_SIZE + 3] = (char)((total - start) >> 8);
    return total;
}

sumi_status npy_put(sumi_context *context, file_writer *writer, const sumi_array *array)
{
    char header[NPY_HEADER_SIZE];
    TRY(file_writer_put(context, writer, header,
                        npy_header("<f4", array->rank, array->shape, header)));
    return file_writer_put(context, writer, array->data,
                           (size_t)sumi_array_count(array) * sizeof(float));
}
