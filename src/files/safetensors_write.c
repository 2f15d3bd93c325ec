/* SPDX-License-Identifier: Apache-2.0 */
/* Writing safetensors tensor by tensor; see safetensors.h. */
#include <string.h>

#include "base/json.h"
#include "files/safetensors.h"

enum { ALIGNMENT = 8, WIDEST = 8 };

/* ---- The header ---- */

static sumi_status add_member(sumi_context *context, json_object *object, const char *key,
                              json_object *member)
{
    if (member && json_object_object_add(object, key, member) == 0) return SUMI_OK;
    json_object_put(member);
    return context_fail(context, SUMI_ERROR_MEMORY, "out of memory for the header of a file");
}

/* Appends a number to a list; false for a NULL list or number, which mean out of memory. */
static bool append(json_object *list, int64_t number)
{
    json_object *value = json_object_new_int64(number);
    if (value && json_object_array_add(list, value) == 0) return true;
    json_object_put(value);
    return false;
}

static sumi_status describe_entry(sumi_context *context, const safetensors_entry *entry,
                                  int64_t begin, int64_t end, json_object *header)
{
    json_object *member = json_object_new_object();
    TRY(add_member(context, header, entry->name, member));
    TRY(add_member(context, member, "dtype", json_object_new_string(number_name(entry->type))));
    json_object *shape = json_object_new_array(), *offsets = NULL;
    TRY(add_member(context, member, "shape", shape));
    bool filled = true;
    for (int i = 0; i < entry->rank; i++) filled = filled && append(shape, entry->shape[i]);
    offsets = json_object_new_array();
    TRY(add_member(context, member, "data_offsets", offsets));
    filled = filled && append(offsets, begin) && append(offsets, end);
    return filled ? SUMI_OK
                  : context_fail(context, SUMI_ERROR_MEMORY, "out of memory for a file's header");
}

static sumi_status add_metadata(sumi_context *context, const safetensors_text *metadata,
                                size_t count, json_object *header)
{
    json_object *texts = json_object_new_object();
    TRY(add_member(context, header, "__metadata__", texts));
    TRY(add_member(context, texts, "format", json_object_new_string("pt")));
    for (size_t i = 0; i < count; i++) {
        TRY(add_member(context, texts, metadata[i].key, json_object_new_string(metadata[i].value)));
    }
    return SUMI_OK;
}

static sumi_status check_entry(sumi_context *context, const char *path,
                               const safetensors_entry *entry, json_object *header, int64_t *size)
{
    int64_t count = 0;
    if (entry->rank < 0 || entry->rank > SUMI_MAX_RANK
        || !shape_elements(entry->rank, entry->shape, &count)
        || __builtin_mul_overflow(count, (int64_t)number_size(entry->type), size)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: tensor \"%.200s\" has an invalid shape", path, entry->name);
    }
    if (json_object_object_get_ex(header, entry->name, NULL)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: the name \"%.200s\" is taken: tensors need different names, and "
                            "\"__metadata__\" is reserved",
                            path, entry->name);
    }
    return SUMI_OK;
}

static sumi_status build_header(sumi_context *context, const char *path,
                                const safetensors_entry *entries, size_t count,
                                const safetensors_text *metadata, size_t metadata_count,
                                json_object *header)
{
    TRY(add_metadata(context, metadata, metadata_count, header));
    int64_t position = 0;
    for (size_t width = WIDEST; width > 0; width /= 2) {
        for (size_t i = 0; i < count; i++) {
            if (number_size(entries[i].type) != width) continue;
            int64_t size = 0, end = 0;
            TRY(check_entry(context, path, &entries[i], header, &size));
            if (__builtin_add_overflow(position, size, &end)) {
                return context_fail(context, SUMI_ERROR_ARGUMENT,
                                    "%s: the tensors are too large for a file", path);
            }
            TRY(describe_entry(context, &entries[i], position, end, header));
            position = end;
        }
    }
    return SUMI_OK;
}

/* ---- The bytes ---- */

static sumi_status put_header(sumi_context *context, file_writer *writer, json_object *header)
{
    size_t length = 0;
    const char *text = json_object_to_json_string_length(
        header, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
    if (!text) return context_fail(context, SUMI_ERROR_MEMORY, "out of memory for a file's header");
    size_t padding = (ALIGNMENT - length % ALIGNMENT) % ALIGNMENT;
    uint8_t prefix[ALIGNMENT];
    for (int i = 0; i < ALIGNMENT; i++) prefix[i] = (uint8_t)((length + padding) >> (8 * i));
    TRY(file_writer_put(context, writer, prefix, sizeof prefix));
    TRY(file_writer_put(context, writer, text, length));
    return file_writer_put(context, writer, "        ", padding);
}

/* Writes float32 values converted to a 16-bit type, block by block. */
static sumi_status put_narrowed(sumi_context *context, file_writer *writer, number_type type,
                                const float *values, size_t count)
{
    enum { BLOCK = 4096 };
    uint16_t block[BLOCK];
    for (size_t done = 0; done < count;) {
        size_t part = count - done < BLOCK ? count - done : BLOCK;
        numbers_from_float(type, values + done, part, block);
        TRY(file_writer_put(context, writer, block, part * sizeof *block));
        done += part;
    }
    return SUMI_OK;
}

static sumi_status put_tensors(sumi_context *context, file_writer *writer,
                               const safetensors_entry *entries, size_t count)
{
    for (size_t width = WIDEST; width > 0; width /= 2) {
        for (size_t i = 0; i < count; i++) {
            const safetensors_entry *entry = &entries[i];
            int64_t elements = 0;
            if (number_size(entry->type) != width) continue;
            (void)shape_elements(entry->rank, entry->shape, &elements); /* already checked */
            if (entry->type == NUMBER_F16 || entry->type == NUMBER_BF16) {
                TRY(put_narrowed(context, writer, entry->type, entry->data, (size_t)elements));
            } else {
                TRY(file_writer_put(context, writer, entry->data, (size_t)elements * width));
            }
        }
    }
    return SUMI_OK;
}

sumi_status safetensors_put(sumi_context *context, file_writer *writer,
                            const safetensors_entry *entries, size_t count,
                            const safetensors_text *metadata, size_t metadata_count)
{
    json_object *header = json_object_new_object();
    if (!header) return context_fail(context, SUMI_ERROR_MEMORY, "%s: out of memory", writer->path);
    sumi_status status =
        build_header(context, writer->path, entries, count, metadata, metadata_count, header);
    if (status == SUMI_OK) status = put_header(context, writer, header);
    if (status == SUMI_OK) status = put_tensors(context, writer, entries, count);
    json_object_put(header);
    return status;
}

sumi_status safetensors_write(sumi_context *context, const char *path,
                              const safetensors_entry *entries, size_t count,
                              const safetensors_text *metadata, size_t metadata_count)
{
    file_writer writer;
    TRY(file_writer_open(context, &writer, path));
    sumi_status status =
        safetensors_put(context, &writer, entries, count, metadata, metadata_count);
    if (status == SUMI_OK) return file_writer_commit(context, &writer);
    file_writer_abandon(&writer);
    return status;
}
