/* SPDX-License-Identifier: Apache-2.0 */
/* The files of torch.save since PyTorch 1.6 (.ckpt, .pt, .bin): a zip archive with a pickle,
   data.pkl, of a dict of tensors, and the numbers of each storage in a member of its own, data/KEY.
 */
#include <stdio.h>
#include <string.h>

#include "base/members.h"
#include "files/pickle.h"
#include "files/safetensors_inside.h"
#include "files/zip.h"

enum { PICKLE_LIMIT = 1 << 28 };

struct reader {
    safetensors *file;
    struct zip_list list;
    char folder[256]; /* the beginning of the members' names, with its slash */
    pickle *parsed;
};

static sumi_status fail(const struct reader *reader, const char *what)
{
    return context_fail(reader->file->context, SUMI_ERROR_FORMAT, "%s: %s",
                        reader->file->source.name, what);
}

/* ---- Storages ---- */

/* The type of the numbers of a storage by its class. */
static bool find_type(const struct reader *reader, const struct pickle_value *name,
                      number_type *type)
{
    static const struct {
        const char *name;
        number_type type;
    } classes[] = {{"FloatStorage", NUMBER_F32},     {"HalfStorage", NUMBER_F16},
                   {"BFloat16Storage", NUMBER_BF16}, {"DoubleStorage", NUMBER_F64},
                   {"LongStorage", NUMBER_I64},      {"IntStorage", NUMBER_I32},
                   {"ShortStorage", NUMBER_I16},     {"CharStorage", NUMBER_I8},
                   {"ByteStorage", NUMBER_U8},       {"BoolStorage", NUMBER_BOOL}};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (!pickle_is_name(reader->parsed, name, "torch", classes[i].name)) continue;
        *type = classes[i].type;
        return true;
    }
    return false;
}

/* Finds a member of the archive's folder, which must be stored as it is. */
static sumi_status find_member(const struct reader *reader, const char *name,
                               const struct zip_member **member)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s%s", reader->folder, name);
    *member = zip_find(&reader->list, whole);
    if (!*member) {
        return context_fail(reader->file->context, SUMI_ERROR_FORMAT,
                            "%s: there is no member \"%.200s\" in the archive",
                            reader->file->source.name, whole);
    }
    return (*member)->stored ? SUMI_OK : fail(reader, "a storage in the archive is compressed");
}

/* Where a storage's numbers are, and of what type. */
struct storage {
    uint64_t offset, size; /* in bytes */
    number_type type;
};

/* A storage is the identifier ("storage", class, key, place, number of elements). */
static sumi_status read_storage(const struct reader *reader, const struct pickle_value *value,
                                struct storage *storage)
{
    const pickle *p = reader->parsed;
    const struct zip_member *member = NULL;
    const struct pickle_value *identifier =
        value && value->type == PICKLE_OUTSIDE ? pickle_item(p, value, 0) : NULL;
    const struct pickle_value *key = pickle_item(p, identifier, 2);
    char name[128];
    if (!pickle_is_text(pickle_item(p, identifier, 0), "storage") || !key
        || key->type != PICKLE_TEXT || key->size > 64
        || !find_type(reader, pickle_item(p, identifier, 1), &storage->type))
        return fail(reader, "a tensor has a storage of an unknown kind");
    snprintf(name, sizeof name, "data/%.*s", (int)key->size, key->text);
    TRY(find_member(reader, name, &member));
    storage->offset = member->place;
    storage->size = member->size;
    return SUMI_OK;
}

/* ---- Tensors ---- */

/* Whether the strides are those of rows that follow each other. */
static bool follows(const pickle *p, const struct pickle_value *strides,
                    const safetensors_tensor *tensor)
{
    int64_t expected = 1;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        const struct pickle_value *stride = pickle_item(p, strides, i);
        if (tensor->shape[i] != 1 && (!stride || stride->whole != expected)) return false;
        if (__builtin_mul_overflow(expected, tensor->shape[i], &expected)) return false;
    }
    return true;
}

static bool is_transposed(const pickle *p, const struct pickle_value *strides,
                          const safetensors_tensor *tensor)
{
    const struct pickle_value *first = pickle_item(p, strides, 0);
    const struct pickle_value *second = pickle_item(p, strides, 1);
    return tensor->rank == 2 && first && second && first->whole == 1
           && second->whole == tensor->shape[0];
}

static sumi_status read_shape(const struct reader *reader, const struct pickle_value *sizes,
                              safetensors_tensor *tensor)
{
    if (!sizes || sizes->type != PICKLE_TUPLE || sizes->count > SUMI_MAX_RANK)
        return fail(reader, "a tensor has no shape, or too many dimensions");
    tensor->rank = (int)sizes->count;
    for (int i = 0; i < tensor->rank; i++) {
        const struct pickle_value *size = pickle_item(reader->parsed, sizes, i);
        if (size->type != PICKLE_WHOLE || size->whole < 0)
            return fail(reader, "a tensor has a dimension that is no whole number");
        tensor->shape[i] = size->whole;
    }
    return SUMI_OK;
}

/* The arguments of torch._utils._rebuild_tensor_v2: storage, offset, shape, strides ... */
static sumi_status read_tensor(const struct reader *reader, const char *name,
                               const struct pickle_value *arguments)
{
    const pickle *p = reader->parsed;
    const struct pickle_value *first = pickle_item(p, arguments, 1);
    const struct pickle_value *strides = pickle_item(p, arguments, 3);
    struct storage storage = {.size = 0};
    safetensors_tensor tensor = {.rank = 0};
    TRY(read_storage(reader, pickle_item(p, arguments, 0), &storage));
    TRY(read_shape(reader, pickle_item(p, arguments, 2), &tensor));
    tensor.type = storage.type;
    tensor.transposed = !follows(p, strides, &tensor);
    if (tensor.transposed && !is_transposed(p, strides, &tensor)) {
        return context_fail(reader->file->context, SUMI_ERROR_UNSUPPORTED,
                            "%s: tensor \"%.200s\" is a view whose rows do not follow each other; "
                            "save it with .contiguous()",
                            reader->file->source.name, name);
    }
    int64_t count = 0;
    uint64_t bytes = 0, begin = 0, number = number_size(tensor.type);
    if (!shape_elements(tensor.rank, tensor.shape, &count) || !first || first->whole < 0
        || __builtin_mul_overflow((uint64_t)count, number, &bytes)
        || __builtin_mul_overflow((uint64_t)first->whole, number, &begin) || begin > storage.size
        || bytes > storage.size - begin)
        return fail(reader, "a tensor reaches beyond its storage");
    tensor.offset = storage.offset + begin;
    return tensors_add(reader->file, name, &tensor);
}

/* The arguments of a tensor, in or not in a parameter; NULL for any other value. */
static const struct pickle_value *tensor_arguments(const pickle *p,
                                                   const struct pickle_value *value)
{
    static const char module[] = "torch._utils";
    if (value && value->type == PICKLE_CALL
        && pickle_is_name(p, pickle_item(p, value, 0), module, "_rebuild_parameter"))
        value = pickle_item(p, pickle_item(p, value, 1), 0);
    bool tensor = value && value->type == PICKLE_CALL
                  && pickle_is_name(p, pickle_item(p, value, 0), module, "_rebuild_tensor_v2");
    return tensor ? pickle_item(p, value, 1) : NULL;
}

/* Adds the tensors of a dict; other members are not looked at. */
static sumi_status read_dict(const struct reader *reader, const struct pickle_value *dict)
{
    const pickle *p = reader->parsed;
    int64_t first = dict->type == PICKLE_CALL ? 2 : 0; /* behind name and arguments of a call */
    for (int64_t i = first; i + 1 < dict->count; i += 2) {
        const struct pickle_value *key = pickle_item(p, dict, i);
        const struct pickle_value *arguments = tensor_arguments(p, pickle_item(p, dict, i + 1));
        char name[512];
        if (!arguments || key->type != PICKLE_TEXT || key->size >= sizeof name) continue;
        snprintf(name, sizeof name, "%.*s", (int)key->size, key->text);
        TRY(read_tensor(reader, name, arguments));
    }
    return SUMI_OK;
}

/* ---- The whole ---- */

/* Keeps "global_step" of a training checkpoint as metadata. */
static sumi_status keep_step(const struct reader *reader, const struct pickle_value *root)
{
    const struct pickle_value *step = pickle_member(reader->parsed, root, "global_step");
    char text[32];
    json_object *metadata = json_object_new_object();
    bool complete = metadata != NULL;
    reader->file->header = json_object_new_object();
    snprintf(text, sizeof text, "%lld", step ? (long long)step->whole : 0);
    if (complete && step && step->type == PICKLE_WHOLE)
        complete = member_text(metadata, "global_step", text);
    complete = complete && reader->file->header
               && member_add(reader->file->header, "__metadata__", json_object_get(metadata));
    json_object_put(metadata);
    return members_check(reader->file->context, complete, reader->file->source.name);
}

static sumi_status read_pickle(struct reader *reader, const void *bytes, size_t size)
{
    safetensors *file = reader->file;
    TRY(pickle_parse(file->context, bytes, size, file->source.name, &reader->parsed));
    const struct pickle_value *root = pickle_root(reader->parsed);
    const struct pickle_value *state = pickle_member(reader->parsed, root, "state_dict");
    TRY(keep_step(reader, root));
    if (!state) state = root;
    if (state->type != PICKLE_DICT && state->type != PICKLE_CALL)
        return fail(reader, "its pickle is no dict of tensors");
    file->tensors =
        context_allocate_zeroed(file->context, (size_t)state->count / 2 + 1, sizeof *file->tensors);
    if (!file->tensors) return SUMI_ERROR_MEMORY;
    return read_dict(reader, state);
}

/* The name of the member data.pkl of the archive's folder, or NULL. */
static const char *find_pickle(const struct zip_list *list)
{
    static const char ending[] = "/data.pkl";
    for (int64_t i = 0; i < list->count; i++) {
        size_t length = strlen(list->items[i].name), size = sizeof ending - 1;
        if (length > size && strcmp(list->items[i].name + length - size, ending) == 0)
            return list->items[i].name;
    }
    return NULL;
}

static sumi_status read_archive(struct reader *reader)
{
    const byte_source *source = &reader->file->source;
    const char *name = find_pickle(&reader->list);
    size_t length = name ? strlen(name) - strlen("data.pkl") : 0;
    void *bytes = NULL;
    size_t size = 0;
    if (!name || length >= sizeof reader->folder)
        return fail(reader, "is a zip archive without data.pkl, and so no file of PyTorch");
    memcpy(reader->folder, name, length);
    TRY(zip_read(source, name, PICKLE_LIMIT, &bytes, &size));
    sumi_status status = read_pickle(reader, bytes, size);
    pickle_free(reader->parsed);
    context_release(reader->file->context, bytes);
    return status;
}

sumi_status pytorch_file_read(safetensors *file)
{
    struct reader reader = {.file = file};
    sumi_status status = zip_list(&file->source, &reader.list);
    if (status == SUMI_OK) status = read_archive(&reader);
    zip_list_release(file->context, &reader.list);
    return status;
}
