/* SPDX-License-Identifier: Apache-2.0 */
/* Files of latents, and the data set that they are; see latents.h. */
#include "data/latents.h"

#include <string.h>

#include "base/philox.h"
#include "files/channels.h"

static const char LATENTS[] = "latents", DEVIATIONS[] = "deviations";
static const char OWNER[] = "auto_encoder", PICTURES[] = "pictures";

/* ---- Files ---- */

int64_t latents_file_count(const struct latents_cache *cache)
{
    return (cache->count + cache->each - 1) / cache->each;
}

int64_t latents_first(const struct latents_cache *cache, int64_t number)
{
    return number * cache->each;
}

int64_t latents_in_file(const struct latents_cache *cache, int64_t number)
{
    int64_t left = cache->count - latents_first(cache, number);
    return left < cache->each ? left : cache->each;
}

static sumi_status file_path(sumi_context *context, const struct latents_cache *cache,
                             int64_t number, char path[PATH_SIZE])
{
    char name[48];
    snprintf(name, sizeof name, "latents-%05lld.safetensors", (long long)number);
    return path_join(context, cache->folder, name, path);
}

bool latents_file_exists(sumi_context *context, const struct latents_cache *cache, int64_t number)
{
    char path[PATH_SIZE];
    return file_path(context, cache, number, path) == SUMI_OK && path_exists(path);
}

sumi_status latents_file_write(sumi_context *context, const struct latents_cache *cache,
                               int64_t number, const float *latents, const float *deviations)
{
    const int64_t *item = cache->shape;
    const int64_t shape[4] = {latents_in_file(cache, number), item[0], item[1], item[2]};
    size_t count = (size_t)(shape[0] * shape[1] * shape[2] * shape[3]);
    const safetensors_text texts[] = {{OWNER, cache->auto_encoder}, {PICTURES, cache->pictures}};
    char path[PATH_SIZE];
    TRY(file_path(context, cache, number, path));
    float *first = context_allocate(context, 2 * count, sizeof *first);
    if (!first) return SUMI_ERROR_MEMORY;
    const safetensors_entry entries[] = {
        {LATENTS, NUMBER_F32, 4, {shape[0], shape[3], shape[1], shape[2]}, first},
        {DEVIATIONS, NUMBER_F32, 4, {shape[0], shape[3], shape[1], shape[2]}, first + count}};
    channels_to_first(shape, latents, first);
    if (deviations) channels_to_first(shape, deviations, first + count);
    sumi_status status = safetensors_write(context, path, entries, deviations ? 2 : 1, texts, 2);
    context_release(context, first);
    return status;
}

/* ---- Checks ---- */

static sumi_status check_mark(sumi_context *context, const char *name, const safetensors *file,
                              const char *key, const char *wanted, const char *of_what)
{
    const char *mark = safetensors_metadata(file, key);
    if (mark && strcmp(mark, wanted) == 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: holds latents of %s (%.40s) than those of this recipe (%s); remove "
                        "it, or name another folder with latents.folder",
                        name, of_what, mark ? mark : "not named", wanted);
}

static sumi_status check_tensor(sumi_context *context, const struct latents_cache *cache,
                                int64_t number, const char *name, const safetensors *file,
                                const char *tensor_name)
{
    const safetensors_tensor *tensor = safetensors_find(file, tensor_name);
    const int64_t *item = cache->shape;
    const int64_t wanted[4] = {latents_in_file(cache, number), item[2], item[0], item[1]};
    if (tensor && tensor->type == NUMBER_F32 && tensor->rank == 4
        && memcmp(tensor->shape, wanted, sizeof wanted) == 0)
        return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: there should be a tensor \"%s\" of float32 and shape [%lld, %lld, "
                        "%lld, %lld]; remove the file, and it is made again",
                        name, tensor_name, (long long)wanted[0], (long long)wanted[1],
                        (long long)wanted[2], (long long)wanted[3]);
}

sumi_status latents_file_check(sumi_context *context, const struct latents_cache *cache,
                               int64_t number, const char *name, const safetensors *file)
{
    TRY(check_mark(context, name, file, OWNER, cache->auto_encoder, "another auto-encoder"));
    TRY(check_mark(context, name, file, PICTURES, cache->pictures, "other pictures"));
    TRY(check_tensor(context, cache, number, name, file, LATENTS));
    if (!cache->deviations) return SUMI_OK;
    return check_tensor(context, cache, number, name, file, DEVIATIONS);
}

sumi_status latents_file_open(sumi_context *context, const struct latents_cache *cache,
                              int64_t number, safetensors **file)
{
    char path[PATH_SIZE];
    *file = NULL;
    TRY(file_path(context, cache, number, path));
    TRY(safetensors_open(context, path, file));
    sumi_status status = latents_file_check(context, cache, number, path, *file);
    if (status == SUMI_OK) return SUMI_OK;
    safetensors_free(*file);
    *file = NULL;
    return status;
}

/* ---- The data set ---- */

struct latents_source {
    struct latents_cache cache;
    bool draws;
    safetensors **files;
    const float **latents, **deviations; /* of each file, [n,c,h,w]; no deviations without draws */
};

/* The numbers [c,h,w] of an item. */
static const float *find_item(const sumi_data *data, const float *const *parts, int64_t index)
{
    const struct latents_source *source = data->source;
    return parts[index / source->cache.each] + index % source->cache.each * data->item_size;
}

static sumi_status read_latents(sumi_data *data, int64_t index, float *item)
{
    const struct latents_source *source = data->source;
    const int64_t shape[4] = {1, data->shape[0], data->shape[1], data->shape[2]};
    TRY(safetensors_check(data->context, source->files[index / source->cache.each]));
    channels_to_last(shape, find_item(data, source->latents, index), item);
    return SUMI_OK;
}

/* Adds deviation times noise, which is keyed by the item's position in the training. */
static void draw_item(sumi_data *data, uint64_t seed, int64_t position, int64_t index, float *item)
{
    enum { BLOCK = 256 };
    const struct latents_source *source = data->source;
    const philox_stream stream = {seed, PURPOSE_LATENT, 0};
    int64_t channels = data->shape[2], places = data->shape[0] * data->shape[1];
    float noise[BLOCK];
    if (!source->draws) return;
    const float *deviations = find_item(data, source->deviations, index);
    for (int64_t first = 0; first < data->item_size; first += BLOCK) {
        int64_t left = data->item_size - first, count = left < BLOCK ? left : BLOCK;
        philox_normal(&stream, (uint64_t)(position * data->item_size + first), count, noise);
        for (int64_t i = 0; i < count; i++) {
            int64_t k = first + i, place = k / channels, channel = k % channels;
            item[k] += deviations[channel * places + place] * noise[i];
        }
    }
}

static void close_latents(sumi_data *data)
{
    struct latents_source *source = data->source;
    if (!source) return;
    for (int64_t i = 0; source->files && i < latents_file_count(&source->cache); i++)
        safetensors_free(source->files[i]);
    context_release(data->context, source->files);
    context_release(data->context, source->latents);
    context_release(data->context, source->deviations);
    context_release(data->context, source);
}

/* Never opened by data.kind. */
static const struct data_kind data_latents = {.name = "latents",
                                              .read_floats = read_latents,
                                              .draw = draw_item,
                                              .close = close_latents,
                                              .reads_files = true};

/* ---- Opening ---- */

static sumi_status map_tensor(const sumi_data *data, const safetensors *file, const char *name,
                              const float **values)
{
    *values = safetensors_map(file, safetensors_find(file, name));
    if (*values) return SUMI_OK;
    return context_fail(data->context, SUMI_ERROR_FILE,
                        "%s: the latents in it cannot be brought into memory", data->name);
}

static sumi_status open_files(sumi_data *data, struct latents_source *source)
{
    sumi_context *context = data->context;
    size_t files = (size_t)latents_file_count(&source->cache);
    source->files = context_allocate_zeroed(context, files, sizeof *source->files);
    source->latents = context_allocate_zeroed(context, files, sizeof *source->latents);
    source->deviations = context_allocate_zeroed(context, files, sizeof *source->deviations);
    if (!source->files || !source->latents || !source->deviations) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < files; i++) {
        safetensors **file = &source->files[i];
        TRY(latents_file_open(context, &source->cache, (int64_t)i, file));
        TRY(map_tensor(data, *file, LATENTS, &source->latents[i]));
        if (source->draws) TRY(map_tensor(data, *file, DEVIATIONS, &source->deviations[i]));
    }
    return SUMI_OK;
}

static sumi_status fill(sumi_data *data, const struct latents_cache *cache, bool draws,
                        const int32_t *labels)
{
    struct latents_source *source = context_allocate_zeroed(data->context, 1, sizeof *source);
    if (!source) return SUMI_ERROR_MEMORY;
    *source = (struct latents_source){.cache = *cache, .draws = draws};
    data->source = source;
    data->item_size = cache->shape[0] * cache->shape[1] * cache->shape[2];
    memcpy(data->shape, cache->shape, sizeof cache->shape);
    snprintf(data->name, sizeof data->name, "%s", cache->folder);
    snprintf(data->auto_encoder, sizeof data->auto_encoder, "%s", cache->auto_encoder);
    if (data->classes) {
        size_t bytes = (size_t)data->count * sizeof *labels;
        data->labels = context_allocate(data->context, (size_t)data->count, sizeof *labels);
        if (!data->labels) return SUMI_ERROR_MEMORY;
        memcpy(data->labels, labels, bytes);
    }
    return open_files(data, source);
}

sumi_status latents_data_open(sumi_context *context, const struct latents_cache *cache, bool draws,
                              const int32_t *labels, int classes, sumi_data **data)
{
    *data = NULL;
    sumi_data *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    *made = (sumi_data){.context = context,
                        .kind = &data_latents,
                        .count = cache->count,
                        .rank = 3,
                        .classes = classes,
                        .items_are = SUMI_PICTURE,
                        .scale = 1};
    sumi_status status = fill(made, cache, draws && cache->deviations, labels);
    if (status == SUMI_OK) *data = made;
    else sumi_data_free(made);
    return status;
}
