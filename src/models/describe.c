/* SPDX-License-Identifier: Apache-2.0 */
/* sumi_describe: the contents of a file or model folder as JSON. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "files/csv.h"
#include "files/idx.h"
#include "files/image.h"
#include "files/npy.h"
#include "files/png_text.h"
#include "files/safetensors.h"
#include "models/auto_encoder.h"
#include "base/members.h"

enum { START_SIZE = 512, CHUNK_NUMBERS = 1 << 18 };

/* The description in progress; `what` receives it. */
struct description {
    sumi_context *context;
    const char *path;
    json_object *what;
};

static sumi_status check(const struct description *description, bool complete)
{
    return members_check(description->context, complete, description->path);
}

/* ---- Numbers ---- */

/* The extremes and mean of the finite numbers, and the number of others. */
struct statistics {
    double least, most, sum;
    int64_t finite, nan, infinite;
};

static void count_numbers(struct statistics *statistics, const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        double value = values[i];
        if (isnan(value)) statistics->nan++;
        else if (isinf(value)) statistics->infinite++;
        else {
            if (!statistics->finite || value < statistics->least) statistics->least = value;
            if (!statistics->finite || value > statistics->most) statistics->most = value;
            statistics->sum += value;
            statistics->finite++;
        }
    }
}

static bool add_statistics(json_object *object, const struct statistics *statistics)
{
    bool any = statistics->finite > 0;
    return member_number(object, "min", any ? statistics->least : NAN)
           && member_number(object, "max", any ? statistics->most : NAN)
           && member_number(object, "mean",
                            any ? statistics->sum / (double)statistics->finite : NAN)
           && member_whole(object, "nan", statistics->nan)
           && member_whole(object, "infinite", statistics->infinite);
}

/* A file whose rows are read one by one. */
struct rows {
    int64_t count, size;
    sumi_status (*read)(const void *file, int64_t first, int64_t count, float *output);
    const void *file;
};

static sumi_status count_rows(const struct description *description, const struct rows *rows,
                              struct statistics *statistics)
{
    int64_t size = rows->size > 0 ? rows->size : 1, step = CHUNK_NUMBERS / size;
    if (step < 1) step = 1;
    if (step > rows->count) step = rows->count;
    if (rows->count == 0 || rows->size == 0) return SUMI_OK;
    float *values = context_allocate(description->context, (size_t)(step * size), sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    sumi_status status = SUMI_OK;
    for (int64_t first = 0; first < rows->count && status == SUMI_OK; first += step) {
        int64_t count = rows->count - first < step ? rows->count - first : step;
        status = rows->read(rows->file, first, count, values);
        if (status == SUMI_OK) count_numbers(statistics, values, count * size);
    }
    context_release(description->context, values);
    return status;
}

/* ---- Kinds of files ---- */

static sumi_status read_npy_rows(const void *file, int64_t first, int64_t count, float *output)
{
    return npy_read_rows(file, first, count, output);
}

static sumi_status describe_npy(struct description *description)
{
    npy *file = NULL;
    struct statistics statistics = {.finite = 0};
    TRY(npy_open(description->context, description->path, &file));
    const npy_info *info = npy_describe(file);
    const struct rows rows = {info->rows, info->row_size, read_npy_rows, file};
    sumi_status status = count_rows(description, &rows, &statistics);
    if (status == SUMI_OK) {
        status = check(description,
                       member_text(description->what, "kind", "npy")
                           && member_text(description->what, "dtype", number_name(info->type))
                           && member_wholes(description->what, "shape", info->rank, info->shape)
                           && add_statistics(description->what, &statistics));
    }
    npy_free(file);
    return status;
}

static sumi_status read_idx_rows(const void *file, int64_t first, int64_t count, float *output)
{
    return idx_read_rows(file, first, count, output);
}

static sumi_status describe_idx(struct description *description)
{
    idx *file = NULL;
    struct statistics statistics = {.finite = 0};
    TRY(idx_open(description->context, description->path, &file));
    const idx_info *info = idx_describe(file);
    const struct rows rows = {info->rows, info->row_size, read_idx_rows, file};
    sumi_status status = count_rows(description, &rows, &statistics);
    if (status == SUMI_OK) {
        status = check(description,
                       member_text(description->what, "kind", "idx")
                           && member_text(description->what, "dtype", number_name(info->type))
                           && member_wholes(description->what, "shape", info->rank, info->shape)
                           && add_statistics(description->what, &statistics));
    }
    idx_free(file);
    return status;
}

/* Describes a picture or a table, which is read whole. */
static sumi_status describe_array(struct description *description, const char *kind)
{
    sumi_array array = {0};
    struct statistics statistics = {.finite = 0};
    TRY(sumi_array_read(description->context, description->path, &array));
    count_numbers(&statistics, array.data, sumi_array_count(&array));
    sumi_status status =
        check(description, member_text(description->what, "kind", kind)
                               && member_wholes(description->what, "shape", array.rank, array.shape)
                               && add_statistics(description->what, &statistics));
    sumi_array_release(description->context, &array);
    return status;
}

/* Moves the settings that `sumi sample` wrote, JSON in a text, to "settings"; other texts stay. */
static sumi_status move_settings(struct description *description, json_object *texts)
{
    static const char keyword[] = "sumi";
    json_object *text = json_object_object_get(texts, keyword);
    json_object *settings = text ? json_tokener_parse(json_object_get_string(text)) : NULL;
    if (!json_object_is_type(settings, json_type_object)) {
        json_object_put(settings);
        return SUMI_OK;
    }
    json_object_object_del(texts, keyword);
    return check(description, member_add(description->what, "settings", settings));
}

static sumi_status add_texts(struct description *description)
{
    enum { PNG_LIMIT = 1 << 29 };
    const char *path = description->path;
    void *bytes = NULL;
    size_t size = 0;
    TRY(file_read(description->context, path, PNG_LIMIT, &bytes, &size));
    json_object *texts = json_object_new_object();
    sumi_status status = check(description, texts != NULL);
    if (status == SUMI_OK) status = png_texts_read(description->context, bytes, size, path, texts);
    if (status == SUMI_OK) status = move_settings(description, texts);
    if (status == SUMI_OK && json_object_object_length(texts) > 0)
        status = check(description, member_add(description->what, "texts", json_object_get(texts)));
    json_object_put(texts);
    context_release(description->context, bytes);
    return status;
}

/* ---- safetensors ---- */

static sumi_status add_tensor(const struct description *description, const safetensors *file,
                              const safetensors_tensor *tensor, json_object *list,
                              struct statistics *total)
{
    struct statistics statistics = {.finite = 0};
    float *values = context_allocate(description->context, (size_t)tensor->count, sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    sumi_status status = safetensors_read(file, tensor, values);
    if (status == SUMI_OK) count_numbers(&statistics, values, tensor->count);
    context_release(description->context, values);
    TRY(status);
    total->nan += statistics.nan;
    total->infinite += statistics.infinite;
    json_object *entry = json_object_new_object();
    bool complete = entry && member_text(entry, "name", tensor->name)
                    && member_text(entry, "dtype", tensor_type_name(tensor))
                    && member_wholes(entry, "shape", tensor->rank, tensor->shape)
                    && add_statistics(entry, &statistics);
    if (!complete || json_object_array_add(list, entry) != 0) {
        json_object_put(entry);
        return check(description, false);
    }
    return SUMI_OK;
}

static sumi_status add_tensors(struct description *description, const safetensors *file,
                               const char *kind)
{
    struct statistics total = {.finite = 0};
    int64_t parameters = 0;
    json_object *list = json_object_new_array();
    TRY(check(description, list && member_add(description->what, "tensors", list)));
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const safetensors_tensor *tensor = safetensors_tensor_at(file, i);
        TRY(add_tensor(description, file, tensor, list, &total));
        parameters += tensor->count;
    }
    json_object *metadata = safetensors_metadata_object(file);
    return check(
        description,
        member_text(description->what, "kind", kind)
            && member_whole(description->what, "tensor_count", (int64_t)safetensors_count(file))
            && member_whole(description->what, "parameters", parameters)
            && member_whole(description->what, "nan", total.nan)
            && member_whole(description->what, "infinite", total.infinite)
            && member_add(description->what, "metadata",
                          metadata ? json_object_get(metadata) : json_object_new_object()));
}

static sumi_status describe_tensors(struct description *description, const char *kind)
{
    safetensors *file = NULL;
    TRY(tensors_open(description->context, description->path, &file));
    sumi_status status = add_tensors(description, file, kind);
    safetensors_free(file);
    return status;
}

/* ---- Model folders ---- */

static sumi_status add_text_as_json(struct description *description, const char *key,
                                    const char *text)
{
    json_object *value = NULL;
    TRY(json_parse(description->context, text, strlen(text), key, &value));
    return check(description, member_add(description->what, key, value));
}

static bool add_parts(json_object *what, const sumi_model *model)
{
    json_object *list = json_object_new_array();
    sumi_part part = {.size = sizeof part};
    bool complete = list != NULL;
    for (int i = 0; complete && sumi_model_part(model, i, &part); i++) {
        json_object *one = json_object_new_object();
        complete = one && member_text(one, "name", part.name)
                   && member_text(one, "class", part.class_name)
                   && member_text(one, "kind", sumi_part_kind_name(part.kind));
        if (complete && json_object_array_add(list, one) == 0) continue;
        json_object_put(one);
        complete = false;
    }
    if (complete) return member_add(what, "parts", list);
    json_object_put(list);
    return false;
}

/* What is said of every network. */
static bool add_network(json_object *what, const char *kind, const char *class_name,
                        const sumi_weights *weights)
{
    int64_t parameters = 0;
    for (int64_t i = 0; i < weights->count; i++)
        parameters += shape_count(&weights->items[i].shape);
    return member_text(what, "kind", kind) && member_text(what, "class", class_name)
           && member_whole(what, "parameters", parameters)
           && member_whole(what, "tensor_count", weights->count);
}

static sumi_status add_model(struct description *description, const sumi_model *model)
{
    int64_t shape[SUMI_MAX_RANK];
    int rank = sumi_model_shape(model, shape);
    TRY(check(
        description,
        add_network(description->what, "model", sumi_model_class(model), model->weights)
            && member_wholes(description->what, "shape", rank, shape)
            && member_whole(description->what, "classes", net_classes(model->net))
            && class_names_add(model, description->what, "class_names")
            && (!model->net->null_class
                || member_whole(description->what, "null_class", net_null_class(model->net)))));
    TRY(check(description, add_parts(description->what, model)));
    TRY(add_text_as_json(description, "config", model->net->config));
    return add_text_as_json(description, "scheduler", model->scheduler);
}

static sumi_status describe_model(struct description *description)
{
    sumi_model *model = NULL;
    TRY(sumi_model_open(description->context, description->path, &model));
    sumi_status status = add_model(description, model);
    sumi_model_free(model);
    return status;
}

static sumi_status add_auto_encoder(struct description *description,
                                    const sumi_auto_encoder *auto_encoder)
{
    sumi_auto_encoder_info info = {.size = sizeof info};
    sumi_auto_encoder_describe(auto_encoder, &info);
    TRY(check(
        description,
        add_network(description->what, "auto-encoder", info.class_name, auto_encoder->part->weights)
            && member_whole(description->what, "factor", info.factor)
            && member_whole(description->what, "latent_channels", info.latent_channels)));
    return add_text_as_json(description, "config", info.config);
}

static sumi_status describe_auto_encoder(struct description *description)
{
    sumi_auto_encoder *auto_encoder = NULL;
    TRY(sumi_auto_encoder_open(description->context, description->path, &auto_encoder));
    const char *mark = sumi_auto_encoder_fingerprint(auto_encoder);
    sumi_status status =
        check(description, mark && member_text(description->what, "fingerprint", mark));
    if (status == SUMI_OK) status = add_auto_encoder(description, auto_encoder);
    sumi_auto_encoder_free(auto_encoder);
    return status;
}

static sumi_status describe_folder(struct description *description)
{
    bool found = false;
    TRY(auto_encoder_is_in(description->context, description->path, &found));
    return found ? describe_auto_encoder(description) : describe_model(description);
}

/* ---- Which it is ---- */

static bool is_idx(const uint8_t *start, size_t size)
{
    bool zipped = size >= 2 && start[0] == 0x1f && start[1] == 0x8b;
    return zipped || (size >= 4 && start[0] == 0 && start[1] == 0 && start[2] >= 8);
}

static sumi_status describe_file(struct description *description)
{
    uint8_t start[START_SIZE];
    byte_source source;
    const char *path = description->path;
    if (path_has_ending(path, ".safetensors") || path_has_ending(path, ".json")) {
        return describe_tensors(description, "safetensors");
    }
    TRY(source_open(description->context, path, &source));
    size_t size = source.size < START_SIZE ? (size_t)source.size : START_SIZE;
    sumi_status status = source_read(&source, 0, start, size);
    source_close(&source);
    TRY(status);
    if (npy_is(start, size)) return describe_npy(description);
    if (image_is_png(start, size) || image_is_jpeg(start, size)) {
        TRY(describe_array(description, "image"));
        return image_is_png(start, size) ? add_texts(description) : SUMI_OK;
    }
    if (size >= 4 && memcmp(start, "GGUF", 4) == 0) return describe_tensors(description, "gguf");
    if (size >= 4 && memcmp(start, "PK\3\4", 4) == 0)
        return describe_tensors(description, "pytorch");
    if (is_idx(start, size)) return describe_idx(description);
    return describe_array(description, "table");
}

sumi_status sumi_describe(sumi_context *context, const char *path, char **json)
{
    struct description description = {context, path, NULL};
    *json = NULL;
    if (!path_exists(path)) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: there is no such file or folder", path);
    }
    description.what = json_object_new_object();
    sumi_status status =
        check(&description, description.what && member_text(description.what, "path", path));
    if (status == SUMI_OK) {
        status = path_is_folder(path) ? describe_folder(&description) : describe_file(&description);
    }
    if (status == SUMI_OK) status = json_to_text(context, description.what, json);
    json_object_put(description.what);
    return status;
}
