/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a network of features: a safetensors file with the weights of Inception-v3, or a folder
   with one, or with a config.json beside it; or the folder of a classifier. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "features/features.h"
#include "features/options.h"

enum { CONFIG_LIMIT = 1 << 20 };

/* ---- Which files ---- */

struct files {
    char weights[PATH_SIZE], config[PATH_SIZE];
    char *text; /* of the config, or NULL where there is none */
};

static sumi_status find_weights(sumi_context *context, const char *folder, char path[])
{
    static const char *const names[] = {"model.safetensors", "model.fp16.safetensors",
                                        "inception.safetensors", "pytorch_model.safetensors",
                                        "diffusion_pytorch_model.safetensors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        TRY(path_join(context, folder, names[i], path));
        if (path_exists(path)) return SUMI_OK;
    }
    return context_fail(context, SUMI_ERROR_FILE,
                        "%s: there is no %s; weights in a .pth file are a pickle, which is not "
                        "read: save them with safetensors.torch.save_file",
                        folder, names[0]);
}

static sumi_status find_files(sumi_context *context, const char *path, struct files *files)
{
    size_t size = 0;
    if (!path_is_folder(path)) {
        snprintf(files->weights, sizeof files->weights, "%s", path);
        return SUMI_OK;
    }
    TRY(find_weights(context, path, files->weights));
    TRY(path_join(context, path, "config.json", files->config));
    if (!path_exists(files->config)) return SUMI_OK;
    return file_read(context, files->config, CONFIG_LIMIT, (void **)&files->text, &size);
}

/* ---- The tensors of a file ---- */

static sumi_status refuse_tensor(const sumi_features *features, const char *name, const char *what)
{
    return context_fail(features->context, SUMI_ERROR_FORMAT, "%s: the tensor \"%.200s\" %s",
                        features->path, name, what);
}

sumi_status feature_find_tensor(void *user, const char *name, const struct shape *shape,
                                size_t *place)
{
    const sumi_features *features = user;
    const safetensors_tensor *tensor = safetensors_find(features->file, name);
    if (!tensor) return refuse_tensor(features, name, "is missing");
    struct shape given = {.rank = tensor->rank};
    for (int i = 0; i < tensor->rank; i++) given.size[i] = tensor->shape[i];
    char sentence[2 * SHAPE_TEXT + 64], have[SHAPE_TEXT], want[SHAPE_TEXT];
    snprintf(sentence, sizeof sentence, "has the shape %s, expected %s", shape_text(&given, have),
             shape_text(shape, want));
    if (!shape_equal(&given, shape)) return refuse_tensor(features, name, sentence);
    *place = (size_t)(tensor - safetensors_tensor_at(features->file, 0));
    return SUMI_OK;
}

sumi_status feature_read_tensor(void *user, size_t place, float *data)
{
    const sumi_features *features = user;
    const safetensors_tensor *tensor = safetensors_tensor_at(features->file, place);
    TRY(safetensors_read(features->file, tensor, data));
    for (int64_t i = 0; i < tensor->count; i++)
        if (!(data[i] - data[i] == 0))
            return refuse_tensor(features, tensor->name, "has numbers that are not finite");
    return SUMI_OK;
}

/* ---- The network ---- */

/* The kind whose class a config.json names, or that the names of tensors are of. */
static const struct feature_kind *choose_kind(sumi_features *features, const struct files *files)
{
    if (files->text && strstr(files->text, "CLIPVisionModel")) return &feature_clip;
    if (safetensors_find(features->file, "Conv2d_1a_3x3.conv.weight")) return &feature_inception;
    context_fail(features->context, SUMI_ERROR_UNSUPPORTED,
                 "%s: neither Inception-v3 (its first tensor is Conv2d_1a_3x3.conv.weight) nor "
                 "CLIP's encoder of pictures (a config.json of CLIPVisionModel or "
                 "CLIPVisionModelWithProjection)",
                 files->weights);
    return NULL;
}

/* Makes the weights by building the network once, for one picture. */
static sumi_status read_weights(sumi_features *features)
{
    const struct feature_kind *kind = features->kind;
    const struct weight_source source = {
        features, kind->find ? kind->find : feature_find_tensor,
        kind->read_weight ? kind->read_weight : feature_read_tensor, NULL};
    const int64_t *item = features->shape;
    int64_t shape[] = {1, item[0], item[1], item[2]};
    sumi_graph *graph = NULL;
    TRY(sumi_weights_create(features->context, 0, &features->weights));
    features->weights->source = &source;
    sumi_status status = sumi_graph_create(features->context, features->weights, false, &graph);
    if (status == SUMI_OK) {
        features->options.output = features->classes ? FEATURE_LOGITS : FEATURE_VECTOR;
        kind->build(features, graph, sumi_graph_input(graph, "pictures", 4, shape));
        features->options.output = FEATURE_VECTOR;
        status = sumi_graph_status(graph);
    }
    sumi_graph_free(graph);
    features->weights->source = NULL;
    return status;
}

/* A checksum of names and weights, by which cached statistics are found again. */
static void take_fingerprint(sumi_features *features)
{
    uint64_t sum = hash_bytes(1, features->kind->name, strlen(features->kind->name));
    for (int64_t i = 0; i < features->weights->count; i++) {
        const struct weight *weight = &features->weights->items[i];
        sum = hash_bytes(sum, weight->name, strlen(weight->name));
        sum = hash_bytes(sum, weight->data, (size_t)shape_count(&weight->shape) * sizeof(float));
    }
    hash_to_text(sum, features->fingerprint);
}

/* Whether a folder is that of a model that Sumi has trained. */
static sumi_status is_model(sumi_context *context, const char *path, bool *is)
{
    char index[PATH_SIZE];
    *is = false;
    if (!path_is_folder(path)) return SUMI_OK;
    TRY(path_join(context, path, "model_index.json", index));
    *is = path_exists(index);
    return SUMI_OK;
}

static sumi_status open_classifier(sumi_features *features, const char *folder)
{
    features->kind = &feature_classifier;
    features_set_options(features);
    TRY(feature_open_classifier(features, folder));
    TRY(features->kind->read(features, "", folder));
    take_fingerprint(features);
    return SUMI_OK;
}

static sumi_status open_network(sumi_features *features, const struct files *files)
{
    TRY(safetensors_open(features->context, files->weights, &features->file));
    features->kind = choose_kind(features, files);
    if (!features->kind) return SUMI_ERROR_UNSUPPORTED;
    features_set_options(features);
    TRY(features->kind->read(features, files->text ? files->text : "", files->config));
    TRY(read_weights(features));
    take_fingerprint(features);
    safetensors_free(features->file);
    features->file = NULL;
    return SUMI_OK;
}

sumi_status sumi_features_open(sumi_context *context, const char *path, sumi_features **features)
{
    struct files files = {.text = NULL};
    bool model = false;
    *features = NULL;
    TRY(is_model(context, path, &model));
    if (!model) TRY(find_files(context, path, &files));
    sumi_features *made = context_allocate_zeroed(context, 1, sizeof *made);
    sumi_status status = made ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (made) {
        made->context = context;
        made->path = context_copy_text(context, model ? path : files.weights);
        status = !made->path ? SUMI_ERROR_MEMORY
                 : model     ? open_classifier(made, path)
                             : open_network(made, &files);
    }
    context_release(context, files.text);
    if (status == SUMI_OK) *features = made;
    else sumi_features_free(made);
    return status;
}
