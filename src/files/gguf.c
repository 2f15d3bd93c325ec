/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF, the format of ggml's models (docs/gguf.md of ggml, versions 2 and 3): a header with keys
   and values, the names, shapes and types of tensors, then their data. */
#include <string.h>

#include "files/safetensors_inside.h"

enum { NAME_LIMIT = 512, KEY_LIMIT = 1 << 16 };

/* The types of values. */
enum { VALUE_TEXT = 8, VALUE_ARRAY = 9, VALUE_TYPES = 13 };

struct parser {
    safetensors *file;
    uint64_t place;
    uint64_t alignment; /* of the data */
};

static sumi_status fail(const struct parser *parser, const char *what)
{
    return context_fail(parser->file->context, SUMI_ERROR_FORMAT,
                        "%s: damaged GGUF: %s at byte %llu", parser->file->source.name, what,
                        (unsigned long long)parser->place);
}

/* ---- Numbers and texts ---- */

static uint64_t left(const struct parser *parser)
{
    return parser->file->source.size - parser->place;
}

static sumi_status take(struct parser *parser, void *bytes, size_t size)
{
    if (size > left(parser)) return fail(parser, "cut short");
    TRY(source_read(&parser->file->source, parser->place, bytes, size));
    parser->place += size;
    return SUMI_OK;
}

static sumi_status take_number(struct parser *parser, int size, uint64_t *number)
{
    uint8_t bytes[8];
    TRY(take(parser, bytes, (size_t)size));
    *number = 0;
    for (int i = size - 1; i >= 0; i--) *number = *number << 8 | bytes[i];
    return SUMI_OK;
}

static sumi_status skip(struct parser *parser, uint64_t size)
{
    if (size > left(parser)) return fail(parser, "cut short");
    parser->place += size;
    return SUMI_OK;
}

/* A text of less than `size` bytes. */
static sumi_status take_text(struct parser *parser, char *text, size_t size)
{
    uint64_t length = 0;
    TRY(take_number(parser, 8, &length));
    if (length >= size) return fail(parser, "a name is too long");
    TRY(take(parser, text, (size_t)length));
    text[length] = 0;
    return SUMI_OK;
}

/* ---- Keys and values ---- */

/* The bytes of a value of fixed size, by type. */
static int value_size(uint64_t type)
{
    static const int sizes[VALUE_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < VALUE_TYPES ? sizes[type] : 0;
}

static sumi_status skip_text(struct parser *parser)
{
    uint64_t length = 0;
    TRY(take_number(parser, 8, &length));
    return skip(parser, length);
}

static sumi_status skip_array(struct parser *parser)
{
    uint64_t type = 0, count = 0, bytes = 0;
    TRY(take_number(parser, 4, &type));
    TRY(take_number(parser, 8, &count));
    if (count > left(parser)) return fail(parser, "a list is too long");
    if (type == VALUE_TEXT) {
        for (uint64_t i = 0; i < count; i++) TRY(skip_text(parser));
        return SUMI_OK;
    }
    if (!value_size(type)) return fail(parser, "a list of an unknown type");
    if (__builtin_mul_overflow(count, (uint64_t)value_size(type), &bytes))
        return fail(parser, "a list is too long");
    return skip(parser, bytes);
}

static sumi_status read_value(struct parser *parser)
{
    char key[256];
    uint64_t length = 0, type = 0;
    TRY(take_number(parser, 8, &length));
    if (length > KEY_LIMIT) return fail(parser, "a key is too long");
    size_t kept = length < sizeof key ? (size_t)length : 0; /* no key of ours is longer */
    TRY(take(parser, key, kept));
    key[kept] = 0;
    TRY(skip(parser, length - kept));
    TRY(take_number(parser, 4, &type));
    if (strcmp(key, "general.alignment") == 0 && type == 4) {
        TRY(take_number(parser, 4, &parser->alignment));
        bool fits = parser->alignment >= 1 && parser->alignment <= 1 << 20;
        return fits ? SUMI_OK : fail(parser, "an alignment out of range");
    }
    if (type == VALUE_TEXT) return skip_text(parser);
    if (type == VALUE_ARRAY) return skip_array(parser);
    if (!value_size(type)) return fail(parser, "a value of an unknown type");
    return skip(parser, (uint64_t)value_size(type));
}

/* ---- Tensors ---- */

/* ggml's numbers of types. */
static sumi_status set_type(const struct parser *parser, const char *name, uint64_t type,
                            safetensors_tensor *tensor)
{
    static const struct {
        uint64_t number;
        number_type type;
        enum tensor_packing packing;
    } types[] = {{0, NUMBER_F32, PACKING_NONE},  {1, NUMBER_F16, PACKING_NONE},
                 {2, NUMBER_F32, PACKING_Q4_0},  {8, NUMBER_F32, PACKING_Q8_0},
                 {24, NUMBER_I8, PACKING_NONE},  {25, NUMBER_I16, PACKING_NONE},
                 {26, NUMBER_I32, PACKING_NONE}, {27, NUMBER_I64, PACKING_NONE},
                 {28, NUMBER_F64, PACKING_NONE}, {30, NUMBER_BF16, PACKING_NONE}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].number != type) continue;
        tensor->type = types[i].type;
        tensor->packing = types[i].packing;
        return SUMI_OK;
    }
    return context_fail(parser->file->context, SUMI_ERROR_UNSUPPORTED,
                        "%s: tensor \"%.200s\" has ggml's type %llu; F32, F16, BF16, Q8_0 and Q4_0 "
                        "are read",
                        parser->file->source.name, name, (unsigned long long)type);
}

/* The dimensions, which the file has from the innermost to the outermost. */
static sumi_status read_shape(struct parser *parser, safetensors_tensor *tensor)
{
    uint64_t rank = 0;
    TRY(take_number(parser, 4, &rank));
    if (rank > SUMI_MAX_RANK) return fail(parser, "a tensor has too many dimensions");
    tensor->rank = (int)rank;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        uint64_t size = 0;
        TRY(take_number(parser, 8, &size));
        if (size > INT64_MAX) return fail(parser, "a dimension is too large");
        tensor->shape[i] = (int64_t)size;
    }
    return SUMI_OK;
}

/* Reads one tensor's entry; its offset counts from the data, whose start is known later. */
static sumi_status read_tensor(struct parser *parser, safetensors_tensor *tensor,
                               char name[NAME_LIMIT])
{
    uint64_t type = 0;
    *tensor = (safetensors_tensor){.rank = 0};
    TRY(take_text(parser, name, NAME_LIMIT));
    TRY(read_shape(parser, tensor));
    TRY(take_number(parser, 4, &type));
    TRY(set_type(parser, name, type, tensor));
    TRY(take_number(parser, 8, &tensor->offset));
    int64_t inner = tensor->rank ? tensor->shape[tensor->rank - 1] : 1;
    if (tensor->packing == PACKING_NONE || inner % 32 == 0) return SUMI_OK;
    return fail(parser, "a packed tensor whose rows are no multiple of 32");
}

/* Reads all entries: first only to find where the data begin, then to add them. */
static sumi_status read_tensors(struct parser *parser, uint64_t count)
{
    char name[NAME_LIMIT];
    safetensors_tensor tensor;
    uint64_t entries = parser->place, start = 0;
    for (uint64_t i = 0; i < count; i++) TRY(read_tensor(parser, &tensor, name));
    start = (parser->place + parser->alignment - 1) / parser->alignment * parser->alignment;
    parser->place = entries;
    for (uint64_t i = 0; i < count; i++) {
        TRY(read_tensor(parser, &tensor, name));
        if (__builtin_add_overflow(tensor.offset, start, &tensor.offset))
            return fail(parser, "an offset is too large");
        TRY(tensors_add(parser->file, name, &tensor));
    }
    return SUMI_OK;
}

sumi_status gguf_read(safetensors *file)
{
    enum { LEAST_ENTRY = 24 }; /* bytes of a tensor's entry */
    struct parser parser = {.file = file, .place = 4, .alignment = 32};
    uint64_t version = 0, tensors = 0, values = 0;
    TRY(take_number(&parser, 4, &version));
    if (version != 2 && version != 3) return fail(&parser, "a version other than 2 and 3");
    TRY(take_number(&parser, 8, &tensors));
    TRY(take_number(&parser, 8, &values));
    if (tensors > left(&parser) / LEAST_ENTRY) return fail(&parser, "more tensors than fit");
    for (uint64_t i = 0; i < values; i++) TRY(read_value(&parser));
    file->tensors = context_allocate_zeroed(file->context, (size_t)tensors, sizeof *file->tensors);
    if (!file->tensors) return SUMI_ERROR_MEMORY;
    return read_tensors(&parser, tensors);
}
