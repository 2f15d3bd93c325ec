/* SPDX-License-Identifier: Apache-2.0 */
/* Reading safetensors; see safetensors.h. The header is checked against the size of the file and
   the tensors against each other: their data must cover the bytes after the header exactly once. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "files/safetensors_inside.h"

enum { PREFIX = 8, HEADER_LIMIT = 100000000 }; /* the limit is the reference implementation's */

#define METADATA_KEY "__metadata__"

safetensors *safetensors_new(sumi_context *context)
{
    safetensors *file = context_allocate_zeroed(context, 1, sizeof *file);
    if (file) file->context = context;
    return file;
}

void safetensors_free(safetensors *file)
{
    if (!file) return;
    sumi_context *context = file->context;
    for (size_t i = 0; i < file->shard_count; i++) safetensors_free(file->shards[i]);
    context_release(context, file->shards);
    context_release(context, file->tensors);
    context_release(context, file->by_name);
    json_object_put(file->header);
    names_release(context, &file->names);
    source_close(&file->source);
    context_release(context, file);
}

/* ---- The header ---- */

static sumi_status read_header(safetensors *file, uint64_t *data_start)
{
    const byte_source *source = &file->source;
    uint8_t prefix[PREFIX];
    if (source->size < PREFIX) {
        return context_fail(file->context, SUMI_ERROR_FORMAT,
                            "%s: %llu bytes are too few for a safetensors file", source->name,
                            (unsigned long long)source->size);
    }
    TRY(source_read(source, 0, prefix, PREFIX));
    uint64_t length = 0;
    for (int i = 0; i < PREFIX; i++) length |= (uint64_t)prefix[i] << (8 * i);
    if (length > source->size - PREFIX || length > HEADER_LIMIT) {
        return context_fail(file->context, SUMI_ERROR_FORMAT,
                            "%s: announces a header of %llu bytes, but the file has %llu: "
                            "cut short, or not safetensors",
                            source->name, (unsigned long long)length,
                            (unsigned long long)source->size);
    }
    char *text = context_allocate(file->context, length, 1);
    if (!text) return SUMI_ERROR_MEMORY;
    sumi_status status = source_read(source, PREFIX, text, length);
    if (status == SUMI_OK) {
        status = json_parse(file->context, text, length, source->name, &file->header);
    }
    context_release(file->context, text);
    TRY(status);
    if (!json_object_is_type(file->header, json_type_object)) {
        return context_fail(file->context, SUMI_ERROR_FORMAT,
                            "%s: the header should be a JSON object", source->name);
    }
    *data_start = PREFIX + length;
    return SUMI_OK;
}

static sumi_status check_metadata(const safetensors *file, json_object *metadata)
{
    bool valid = json_object_is_type(metadata, json_type_object);
    if (valid) {
        json_object_object_foreach(metadata, key, value)
        {
            (void)key;
            valid = valid && json_object_is_type(value, json_type_string);
        }
    }
    if (valid) return SUMI_OK;
    return context_fail(file->context, SUMI_ERROR_FORMAT,
                        "%s: \"" METADATA_KEY "\" should be an object of texts", file->source.name);
}

/* ---- One tensor of the header ---- */

static sumi_status fail_tensor(const safetensors *file, const char *name, const char *what)
{
    return context_fail(file->context, SUMI_ERROR_FORMAT, "%s: tensor \"%.200s\": %s",
                        file->source.name, name, what);
}

static sumi_status parse_type(const safetensors *file, json_object *member,
                              safetensors_tensor *tensor)
{
    json_object *value = NULL;
    json_object_object_get_ex(member, "dtype", &value);
    if (!json_object_is_type(value, json_type_string)) {
        return fail_tensor(file, tensor->name, "\"dtype\" should be a text such as \"F32\"");
    }
    const char *text = json_object_get_string(value);
    for (int type = 0; type < NUMBER_TYPES; type++) {
        if (strcmp(text, number_name(type)) == 0) {
            tensor->type = type;
            return SUMI_OK;
        }
    }
    return context_fail(file->context, SUMI_ERROR_UNSUPPORTED,
                        "%s: tensor \"%.200s\": numbers of type \"%.40s\" are not supported; "
                        "save it as F32, F16 or BF16",
                        file->source.name, tensor->name, text);
}

static sumi_status parse_shape(const safetensors *file, json_object *member,
                               safetensors_tensor *tensor)
{
    json_object *shape = NULL;
    json_object_object_get_ex(member, "shape", &shape);
    if (!json_object_is_type(shape, json_type_array)) {
        return fail_tensor(file, tensor->name, "\"shape\" should be a list of whole numbers");
    }
    size_t rank = json_object_array_length(shape);
    if (rank > SUMI_MAX_RANK) {
        return context_fail(file->context, SUMI_ERROR_UNSUPPORTED,
                            "%s: tensor \"%.200s\": %zu dimensions are more than the %d supported",
                            file->source.name, tensor->name, rank, SUMI_MAX_RANK);
    }
    for (size_t i = 0; i < rank; i++) {
        json_object *dimension = json_object_array_get_idx(shape, i);
        if (!json_object_is_type(dimension, json_type_int)
            || json_object_get_int64(dimension) < 0) {
            return fail_tensor(file, tensor->name, "\"shape\" should have whole numbers from 0");
        }
        tensor->shape[i] = json_object_get_int64(dimension);
    }
    tensor->rank = (int)rank;
    if (!shape_elements(tensor->rank, tensor->shape, &tensor->count)) {
        return fail_tensor(file, tensor->name, "the product of \"shape\" is too large");
    }
    return SUMI_OK;
}

static sumi_status parse_offsets(const safetensors *file, json_object *member, uint64_t data_start,
                                 safetensors_tensor *tensor)
{
    json_object *offsets = NULL;
    json_object_object_get_ex(member, "data_offsets", &offsets);
    if (!json_object_is_type(offsets, json_type_array) || json_object_array_length(offsets) != 2
        || !json_object_is_type(json_object_array_get_idx(offsets, 0), json_type_int)
        || !json_object_is_type(json_object_array_get_idx(offsets, 1), json_type_int)) {
        return fail_tensor(file, tensor->name, "\"data_offsets\" should be two whole numbers");
    }
    int64_t begin = json_object_get_int64(json_object_array_get_idx(offsets, 0));
    int64_t end = json_object_get_int64(json_object_array_get_idx(offsets, 1));
    uint64_t available = file->source.size - data_start;
    if (begin < 0 || end < begin || (uint64_t)end > available) {
        return context_fail(file->context, SUMI_ERROR_FORMAT,
                            "%s: tensor \"%.200s\": data_offsets %lld to %lld are outside the %llu "
                            "bytes of data: cut short?",
                            file->source.name, tensor->name, (long long)begin, (long long)end,
                            (unsigned long long)available);
    }
    int64_t size = 0;
    if (__builtin_mul_overflow(tensor->count, (int64_t)number_size(tensor->type), &size)
        || end - begin != size) {
        return context_fail(file->context, SUMI_ERROR_FORMAT,
                            "%s: tensor \"%.200s\": %lld bytes of data do not fit its shape and "
                            "type %s",
                            file->source.name, tensor->name, (long long)(end - begin),
                            number_name(tensor->type));
    }
    tensor->offset = data_start + (uint64_t)begin;
    return SUMI_OK;
}

static sumi_status parse_tensor(const safetensors *file, const char *name, json_object *member,
                                uint64_t data_start, safetensors_tensor *tensor)
{
    tensor->name = name;
    if (!json_object_is_type(member, json_type_object)) {
        return fail_tensor(file, name, "should be an object with dtype, shape and data_offsets");
    }
    TRY(parse_type(file, member, tensor));
    TRY(parse_shape(file, member, tensor));
    return parse_offsets(file, member, data_start, tensor);
}

/* ---- All tensors ---- */

static uint64_t data_end(const safetensors_tensor *tensor)
{
    return tensor->offset + (uint64_t)tensor->count * number_size(tensor->type);
}

static int compare_places(const void *left, const void *right)
{
    const safetensors_tensor *a = left, *b = right;
    if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
    if (data_end(a) != data_end(b)) return data_end(a) < data_end(b) ? -1 : 1;
    return strcmp(a->name, b->name);
}

static sumi_status check_cover(const safetensors *file, uint64_t data_start)
{
    uint64_t position = data_start;
    for (size_t i = 0; i < file->count; i++) {
        const safetensors_tensor *tensor = &file->tensors[i];
        if (tensor->offset < position) {
            return fail_tensor(file, tensor->name, "its data overlap another tensor's");
        }
        if (tensor->offset > position) {
            return fail_tensor(file, tensor->name, "there is a gap before its data");
        }
        position = data_end(tensor);
    }
    if (position < file->source.size) {
        return context_fail(file->context, SUMI_ERROR_FORMAT,
                            "%s: %llu bytes follow the last tensor, where the file should end",
                            file->source.name, (unsigned long long)(file->source.size - position));
    }
    return SUMI_OK;
}

static sumi_status parse_header(safetensors *file, uint64_t data_start)
{
    size_t members = (size_t)json_object_object_length(file->header);
    file->tensors = context_allocate_zeroed(file->context, members, sizeof *file->tensors);
    if (!file->tensors) return SUMI_ERROR_MEMORY;
    json_object_object_foreach(file->header, name, member)
    {
        if (strcmp(name, METADATA_KEY) == 0) {
            TRY(check_metadata(file, member));
        } else {
            TRY(parse_tensor(file, name, member, data_start, &file->tensors[file->count]));
            file->count++;
        }
    }
    qsort(file->tensors, file->count, sizeof *file->tensors, compare_places);
    return check_cover(file, data_start);
}

static int compare_names(const void *left, const void *right)
{
    const safetensors_tensor *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

sumi_status safetensors_sort_names(safetensors *file)
{
    file->by_name = context_allocate(file->context, file->count, sizeof *file->by_name);
    if (!file->by_name) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < file->count; i++) file->by_name[i] = &file->tensors[i];
    qsort(file->by_name, file->count, sizeof *file->by_name, compare_names);
    return SUMI_OK;
}

static sumi_status open_source(safetensors *file)
{
    uint64_t data_start = 0;
    TRY(read_header(file, &data_start));
    TRY(parse_header(file, data_start));
    return safetensors_sort_names(file);
}

static sumi_status finish_open(safetensors *opened, sumi_status status, safetensors **file)
{
    if (status == SUMI_OK) status = open_source(opened);
    if (status != SUMI_OK) {
        safetensors_free(opened);
        return status;
    }
    *file = opened;
    return SUMI_OK;
}

sumi_status safetensors_open(sumi_context *context, const char *path, safetensors **file)
{
    *file = NULL;
    if (path_has_ending(path, ".json")) return safetensors_open_sharded(context, path, file);
    safetensors *opened = safetensors_new(context);
    if (!opened) return SUMI_ERROR_MEMORY;
    return finish_open(opened, source_open(context, path, &opened->source), file);
}

sumi_status safetensors_parse(sumi_context *context, const void *bytes, size_t size,
                              const char *name, safetensors **file)
{
    *file = NULL;
    safetensors *opened = safetensors_new(context);
    if (!opened) return SUMI_ERROR_MEMORY;
    return finish_open(opened, source_from_memory(context, bytes, size, name, &opened->source),
                       file);
}

/* ---- Looking things up ---- */

size_t safetensors_count(const safetensors *file)
{
    return file->count;
}

const safetensors_tensor *safetensors_tensor_at(const safetensors *file, size_t number)
{
    return number < file->count ? &file->tensors[number] : NULL;
}

const safetensors_tensor *safetensors_find(const safetensors *file, const char *name)
{
    safetensors_tensor key = {.name = name};
    const safetensors_tensor *key_pointer = &key;
    const safetensors_tensor **found =
        bsearch(&key_pointer, file->by_name, file->count, sizeof *file->by_name, compare_names);
    return found ? *found : NULL;
}

static byte_source *source_of(const safetensors *file, const safetensors_tensor *tensor)
{
    return file->shards ? &file->shards[tensor->shard]->source : (byte_source *)&file->source;
}

const void *safetensors_map(const safetensors *file, const safetensors_tensor *tensor)
{
    if (tensor->packing != PACKING_NONE || tensor->transposed) return NULL;
    const uint8_t *bytes = source_bytes(source_of(file, tensor));
    bool aligned = bytes && (uintptr_t)(bytes + tensor->offset) % number_size(tensor->type) == 0;
    const uint16_t one = 1;
    bool little_endian = *(const uint8_t *)&one == 1;
    return aligned && little_endian ? bytes + tensor->offset : NULL;
}

sumi_status safetensors_check(sumi_context *context, const safetensors *file)
{
    for (size_t i = 0; i < file->shard_count; i++)
        TRY(source_check(context, &file->shards[i]->source));
    return source_check(context, &file->source);
}

sumi_status safetensors_read(const safetensors *file, const safetensors_tensor *tensor,
                             float *output)
{
    if (tensor->packing != PACKING_NONE)
        return tensor_unpack(source_of(file, tensor), tensor, output);
    TRY(source_read_numbers(source_of(file, tensor), tensor->offset, tensor->type, false,
                            (size_t)tensor->count, output));
    return tensor->transposed ? tensor_transpose(file->context, tensor, output) : SUMI_OK;
}

sumi_status safetensors_read_bytes(const safetensors *file, const safetensors_tensor *tensor,
                                   void *output)
{
    return source_read(source_of(file, tensor), tensor->offset, output,
                       (size_t)tensor->count * number_size(tensor->type));
}

json_object *safetensors_metadata_object(const safetensors *file)
{
    return json_object_object_get(file->header, file->shards ? "metadata" : METADATA_KEY);
}

const char *safetensors_metadata(const safetensors *file, const char *key)
{
    json_object *value = NULL;
    if (json_object_object_get_ex(safetensors_metadata_object(file), key, &value)
        && json_object_is_type(value, json_type_string)) {
        return json_object_get_string(value);
    }
    for (size_t i = 0; i < file->shard_count; i++) {
        const char *text = safetensors_metadata(file->shards[i], key);
        if (text) return text;
    }
    return NULL;
}
