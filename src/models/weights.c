/* SPDX-License-Identifier: Apache-2.0 */
/* Making a network's weights, and filling them from safetensors: every weight of the network must
   be there with its shape, and nothing else. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "files/safetensors.h"
#include "models/model.h"

/* Smaller tensors are copied, because kernels read biases and norms as float32. */
enum { NAME_SIZE = 512, MAPPED_LEAST = 1 << 16 };

/* ---- Making them ---- */

sumi_status weights_make(const struct weight_builder *builder, uint64_t seed,
                         const struct weight_source *source, sumi_weights **weights)
{
    sumi_graph *graph = NULL;
    TRY(sumi_weights_create(builder->context, seed, weights));
    (*weights)->source = source;
    sumi_status status = sumi_graph_create(builder->context, *weights, false, &graph);
    if (status == SUMI_OK) status = builder->build(builder->user, graph);
    sumi_graph_free(graph);
    (*weights)->source = NULL;
    return status;
}

/* ---- Which file ---- */

/* Whether one of the endings makes a file of the folder, whose path is then in path[]. */
static sumi_status find_ending(sumi_context *context, const char *folder, const char *stem,
                               const char *const *endings, char path[], bool *found)
{
    *found = false;
    for (int i = 0; endings[i] && !*found; i++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "%s%s", stem, endings[i]);
        TRY(path_join(context, folder, name, path));
        *found = path_exists(path);
    }
    return SUMI_OK;
}

sumi_status weights_locate(sumi_context *context, const char *folder, const char *stem, char path[])
{
    static const char *const endings[] = {".safetensors",
                                          ".safetensors.index.json",
                                          ".fp16.safetensors",
                                          ".safetensors.index.fp16.json",
                                          ".bf16.safetensors",
                                          ".safetensors.index.bf16.json",
                                          NULL};
    static const char *const pickles[] = {".bin", ".fp16.bin", NULL};
    const bool transformers = strcmp(stem, TRANSFORMERS_STEM) == 0;
    bool found = false;
    TRY(find_ending(context, folder, stem, endings, path, &found));
    if (found) return SUMI_OK;
    TRY(find_ending(context, folder, transformers ? "pytorch_model" : stem, pickles, path, &found));
    if (found) {
        return context_fail(
            context, SUMI_ERROR_UNSUPPORTED,
            "%s: is a pickle, which could run any program when it is read, so it is refused; "
            "convert it with %s: model.save_pretrained(folder, safe_serialization=True)",
            path, transformers ? "transformers" : "diffusers");
    }
    return context_fail(context, SUMI_ERROR_FILE, "%s: there is no %s%s", folder, stem, endings[0]);
}

/* ---- One weight ---- */

struct loader {
    sumi_context *context;
    const char *path;
    safetensors *file;
    bool *used;  /* [tensors of the file] */
    bool mapped; /* some weights are used in place, so that the file must stay mapped */
    const struct weight_builder *builder;
};

/* "...to_q.weight" as "...query.weight" and so on; false where the name has no older form. */
static bool older_name(const char *name, char older[NAME_SIZE])
{
    static const char *const pairs[][2] = {{".to_q.", ".query."},
                                           {".to_k.", ".key."},
                                           {".to_v.", ".value."},
                                           {".to_out.0.", ".proj_attn."}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *place = strstr(name, pairs[i][0]);
        if (!place) continue;
        int length = snprintf(older, NAME_SIZE, "%.*s%s%s", (int)(place - name), name, pairs[i][1],
                              place + strlen(pairs[i][0]));
        return length < NAME_SIZE;
    }
    return false;
}

static bool is_weight_type(number_type type)
{
    return type == NUMBER_F16 || type == NUMBER_BF16 || type == NUMBER_F32 || type == NUMBER_F64;
}

static sumi_status check_tensor(const struct loader *loader, const safetensors_tensor *tensor,
                                const struct shape *shape)
{
    struct shape given = {.rank = tensor->rank};
    for (int i = 0; i < tensor->rank; i++) given.size[i] = tensor->shape[i];
    if (!shape_equal(&given, shape)) {
        char have[SHAPE_TEXT], want[SHAPE_TEXT];
        return context_fail(loader->context, SUMI_ERROR_FORMAT,
                            "%s: tensor \"%.200s\" has the shape %s, where config.json describes "
                            "%s",
                            loader->path, tensor->name, shape_text(&given, have),
                            shape_text(shape, want));
    }
    if (is_weight_type(tensor->type)) return SUMI_OK;
    return context_fail(loader->context, SUMI_ERROR_FORMAT,
                        "%s: tensor \"%.200s\" has numbers of type %s; weights are F32, F16 or "
                        "BF16",
                        loader->path, tensor->name, number_name(tensor->type));
}

static sumi_status find_weight(void *user, const char *name, const struct shape *shape,
                               size_t *place)
{
    struct loader *loader = user;
    char older[NAME_SIZE];
    const char *prefix = loader->builder->prefix;
    const size_t length = prefix ? strlen(prefix) : 0;
    const safetensors_tensor *tensor = safetensors_find(loader->file, name);
    if (!tensor && loader->builder->old_names && older_name(name, older)) {
        tensor = safetensors_find(loader->file, older);
    }
    if (!tensor && prefix && strncmp(name, prefix, length) == 0)
        tensor = safetensors_find(loader->file, name + length);
    if (!tensor) {
        return context_fail(loader->context, SUMI_ERROR_FORMAT,
                            "%s: tensor \"%.200s\", which config.json requires, is missing",
                            loader->path, name);
    }
    TRY(check_tensor(loader, tensor, shape));
    *place = (size_t)(tensor - safetensors_tensor_at(loader->file, 0));
    loader->used[*place] = true;
    return SUMI_OK;
}

static sumi_status read_weight(void *user, size_t place, float *data)
{
    const struct loader *loader = user;
    const safetensors_tensor *tensor = safetensors_tensor_at(loader->file, place);
    TRY(safetensors_read(loader->file, tensor, data));
    for (int64_t i = 0; i < tensor->count; i++) {
        if (isfinite(data[i])) continue;
        return context_fail(loader->context, SUMI_ERROR_FORMAT,
                            "%s: tensor \"%.200s\" holds %s at element %lld; weights must be "
                            "finite numbers",
                            loader->path, tensor->name, isnan(data[i]) ? "NaN" : "infinity",
                            (long long)i);
    }
    return SUMI_OK;
}

static const void *map_weight(void *user, size_t place, sumi_element *element)
{
    struct loader *loader = user;
    const safetensors_tensor *tensor = safetensors_tensor_at(loader->file, place);
    switch (tensor->type) {
    case NUMBER_F32: *element = SUMI_FLOAT32; break;
    case NUMBER_BF16: *element = SUMI_BFLOAT16; break;
    case NUMBER_F16: *element = SUMI_FLOAT16; break;
    default: return NULL;
    }
    size_t bytes = (size_t)tensor->count * number_size(tensor->type);
    const void *values = bytes < MAPPED_LEAST ? NULL : safetensors_map(loader->file, tensor);
    if (values) loader->mapped = true;
    else *element = SUMI_FLOAT32;
    return values;
}

/* ---- All of them ---- */

/* Whether a tensor is one that files have and that no network needs. */
static bool is_needless(const struct loader *loader, const char *name)
{
    const char *needless = loader->builder->needless;
    size_t length = strlen(name), size = needless ? strlen(needless) : 0;
    return needless && length >= size && strcmp(name + length - size, needless) == 0;
}

static sumi_status check_all_used(const struct loader *loader)
{
    size_t count = safetensors_count(loader->file);
    for (size_t i = 0; i < count; i++) {
        if (loader->used[i] || is_needless(loader, safetensors_tensor_at(loader->file, i)->name))
            continue;
        return context_fail(loader->context, SUMI_ERROR_FORMAT,
                            "%s: tensor \"%.200s\" is not part of the network that config.json "
                            "describes",
                            loader->path, safetensors_tensor_at(loader->file, i)->name);
    }
    return SUMI_OK;
}

static sumi_status check_file(sumi_context *context, void *file)
{
    return safetensors_check(context, file);
}

static void release_file(void *file)
{
    safetensors_free(file);
}

/* Gives the file to the weights if some of them are mapped; else closes it. */
static sumi_status keep_mapped(struct loader *loader, sumi_weights *weights, sumi_status status)
{
    if (!loader->mapped) {
        safetensors_free(loader->file);
        return status;
    }
    weights->backing = (struct weight_backing){
        loader->file, context_copy_text(loader->context, loader->path), check_file, release_file};
    return weights->backing.name || status != SUMI_OK ? status : SUMI_ERROR_MEMORY;
}

sumi_status weights_read(const struct weight_builder *builder, const char *name, safetensors *file,
                         sumi_weights **weights)
{
    sumi_context *context = builder->context;
    struct loader loader = {.context = context, .path = name, .file = file, .builder = builder};
    const struct weight_source source = {&loader, find_weight, read_weight, map_weight};
    loader.used = context_allocate_zeroed(context, safetensors_count(file), sizeof *loader.used);
    sumi_status status =
        loader.used ? weights_make(builder, 0, &source, weights) : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = check_all_used(&loader);
    context_release(context, loader.used);
    return keep_mapped(&loader, *weights, status);
}

sumi_status weights_take(sumi_model *model, const char *name, safetensors *file)
{
    const struct weight_builder builder = model_weight_builder(model);
    return weights_read(&builder, name, file, &model->weights);
}

sumi_status weights_load(const struct weight_builder *builder, const char *path,
                         sumi_weights **weights)
{
    safetensors *file = NULL;
    TRY(safetensors_open(builder->context, path, &file));
    return weights_read(builder, path, file, weights);
}
