/* SPDX-License-Identifier: Apache-2.0 */
/* A set of safetensors files with an index, into which diffusers and transformers split large
   models: {"metadata": {...}, "weight_map": {tensor name: file name}}. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "files/safetensors_inside.h"

enum { SHARD_LIMIT = 512 }; /* open files at the same time; far more than published models have */

/* ---- The index ---- */

/* Whether this is a plain file name: shards must be in the folder of the index. */
static bool is_plain_name(const char *name)
{
    return name[0] && !strpbrk(name, "/\\") && !strstr(name, "..");
}

static sumi_status fill_index(sumi_context *context, json_object *map, const char *source,
                              safetensors_index *index)
{
    json_object_object_foreach(map, key, value)
    {
        const char *file =
            json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
        if (!is_plain_name(file)) {
            return context_fail(context, SUMI_ERROR_FORMAT,
                                "%s: \"weight_map\" should map tensor \"%.200s\" to a file in the "
                                "same folder, not \"%.200s\"",
                                source, key, file);
        }
        index->names[index->count] = key;
        index->files[index->count] = file;
        index->count++;
    }
    return SUMI_OK;
}

static sumi_status check_index(sumi_context *context, const char *source, safetensors_index *index)
{
    json_object *map = NULL;
    if (!json_object_is_type(index->json, json_type_object)
        || !json_object_object_get_ex(index->json, "weight_map", &map)
        || !json_object_is_type(map, json_type_object) || json_object_object_length(map) == 0) {
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: should have a \"weight_map\" from tensor names to file names",
                            source);
    }
    size_t count = (size_t)json_object_object_length(map);
    index->names = context_allocate_zeroed(context, count, sizeof *index->names);
    index->files = context_allocate_zeroed(context, count, sizeof *index->files);
    if (!index->names || !index->files) return SUMI_ERROR_MEMORY;
    return fill_index(context, map, source, index);
}

sumi_status safetensors_index_parse(sumi_context *context, const void *bytes, size_t size,
                                    const char *name, safetensors_index *index)
{
    memset(index, 0, sizeof *index);
    TRY(json_parse(context, bytes, size, name, &index->json));
    sumi_status status = check_index(context, name, index);
    if (status != SUMI_OK) safetensors_index_release(context, index);
    return status;
}

void safetensors_index_release(sumi_context *context, safetensors_index *index)
{
    context_release(context, index->names);
    context_release(context, index->files);
    json_object_put(index->json);
    memset(index, 0, sizeof *index);
}

/* ---- The files ---- */

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Fills the first entries of names[index->count] with the distinct file names in order; returns
   their number. */
static size_t distinct_files(const safetensors_index *index, const char **names)
{
    size_t count = 0;
    memcpy(names, index->files, index->count * sizeof *names);
    qsort(names, index->count, sizeof *names, compare_texts);
    for (size_t i = 0; i < index->count; i++) {
        if (count == 0 || strcmp(names[count - 1], names[i]) != 0) names[count++] = names[i];
    }
    return count;
}

/* folder of `index_path` / `name` */
static sumi_status shard_path(sumi_context *context, const char *index_path, const char *name,
                              char path[PATH_SIZE])
{
    const char *slash = strrchr(index_path, '/');
    char folder[PATH_SIZE] = ".";
    if (slash) {
        size_t length = (size_t)(slash - index_path) + (slash == index_path);
        if (length >= sizeof folder) {
            return context_fail(context, SUMI_ERROR_FILE, "%.80s...: the path is too long",
                                index_path);
        }
        memcpy(folder, index_path, length);
        folder[length] = 0;
    }
    return path_join(context, folder, name, path);
}

static sumi_status open_shards(safetensors *file, const char *index_path, const char **names,
                               size_t count)
{
    if (count > SHARD_LIMIT) {
        return context_fail(file->context, SUMI_ERROR_UNSUPPORTED,
                            "%s: names %zu files, more than the limit of %d", index_path, count,
                            SHARD_LIMIT);
    }
    file->shards = context_allocate_zeroed(file->context, count, sizeof *file->shards);
    if (!file->shards) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_SIZE];
        TRY(shard_path(file->context, index_path, names[i], path));
        if (path_has_ending(path, ".json")) {
            return context_fail(file->context, SUMI_ERROR_FORMAT,
                                "%s: lists another index, \"%.200s\", as a file of tensors",
                                index_path, names[i]);
        }
        TRY(safetensors_open(file->context, path, &file->shards[i]));
        file->shard_count++;
    }
    return SUMI_OK;
}

static int compare_shards(const void *left, const void *right)
{
    const safetensors_tensor *a = left, *b = right;
    if (a->shard != b->shard) return a->shard < b->shard ? -1 : 1;
    if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
    return strcmp(a->name, b->name);
}

static sumi_status collect_tensors(safetensors *file, const safetensors_index *index,
                                   const char *index_path, const char **shard_names)
{
    file->tensors = context_allocate_zeroed(file->context, index->count, sizeof *file->tensors);
    if (!file->tensors) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < index->count; i++) {
        const char **place = bsearch(&index->files[i], shard_names, file->shard_count,
                                     sizeof *shard_names, compare_texts);
        size_t shard = (size_t)(place - shard_names);
        const safetensors_tensor *found = safetensors_find(file->shards[shard], index->names[i]);
        if (!found) {
            return context_fail(file->context, SUMI_ERROR_FORMAT,
                                "%s: tensor \"%.200s\" should be in \"%.200s\", but is not",
                                index_path, index->names[i], index->files[i]);
        }
        file->tensors[i] = *found;
        file->tensors[i].shard = (int)shard;
    }
    file->count = index->count;
    qsort(file->tensors, file->count, sizeof *file->tensors, compare_shards);
    return safetensors_sort_names(file);
}

static sumi_status build_set(safetensors *file, const safetensors_index *index,
                             const char *index_path)
{
    const char **names = context_allocate(file->context, index->count, sizeof *names);
    if (!names) return SUMI_ERROR_MEMORY;
    size_t count = distinct_files(index, names);
    sumi_status status = open_shards(file, index_path, names, count);
    if (status == SUMI_OK) status = collect_tensors(file, index, index_path, names);
    context_release(file->context, names);
    return status;
}

sumi_status safetensors_open_sharded(sumi_context *context, const char *path, safetensors **file)
{
    enum { INDEX_LIMIT = 64 << 20 };
    void *text = NULL;
    size_t size = 0;
    safetensors_index index = {0};
    safetensors *opened = safetensors_new(context);
    if (!opened) return SUMI_ERROR_MEMORY;
    sumi_status status = file_read(context, path, INDEX_LIMIT, &text, &size);
    if (status == SUMI_OK) status = safetensors_index_parse(context, text, size, path, &index);
    if (status == SUMI_OK) status = build_set(opened, &index, path);
    if (status == SUMI_OK) opened->header = json_object_get(index.json);
    safetensors_index_release(context, &index);
    context_release(context, text);
    if (status != SUMI_OK) {
        safetensors_free(opened);
        return status;
    }
    *file = opened;
    return SUMI_OK;
}
