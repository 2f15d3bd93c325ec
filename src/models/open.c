/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a model: a pipeline with model_index.json, a lone network with config.json, or a
   checkpoint in one file (single_file_open.c). */
#include "base/file.h"
#include "models/model.h"

/* ---- Loaders of parts ---- */

sumi_status network_find(sumi_context *context, const char *folder, const char *stem,
                         struct network_files *files)
{
    TRY(path_join(context, folder, "config.json", files->config));
    TRY(weights_locate(context, folder, stem, files->weights));
    return model_read_text(context, files->config, &files->text);
}

sumi_status part_load_network(sumi_model *model, const char *folder)
{
    struct network_files files;
    TRY(network_find(model->context, folder, DIFFUSERS_STEM, &files));
    sumi_status status = model_read_network(model, files.text, files.config);
    context_release(model->context, files.text);
    TRY(status);
    const struct weight_builder builder = model_weight_builder(model);
    return weights_load(&builder, files.weights, &model->weights);
}

sumi_status part_load_scheduler(sumi_model *model, const char *folder)
{
    char path[PATH_SIZE], *text = NULL;
    TRY(path_join(model->context, folder, "scheduler_config.json", path));
    TRY(model_read_text(model->context, path, &text));
    sumi_status status = scheduler_read(model->context, text, path, &model->scheduler);
    context_release(model->context, text);
    return status;
}

/* ---- Folders ---- */

static sumi_status open_pipeline(sumi_model *model, const char *folder, const char *index)
{
    char *text = NULL;
    TRY(model_read_text(model->context, index, &text));
    sumi_status status = parts_open(model, folder, text, index);
    context_release(model->context, text);
    return status;
}

/* Opens a single network, with or without a scheduler beside it. */
static sumi_status open_network(sumi_model *model, const char *folder)
{
    char scheduler[PATH_SIZE];
    TRY(path_join(model->context, folder, "scheduler_config.json", scheduler));
    TRY(part_load_network(model, folder));
    if (path_exists(scheduler)) return part_load_scheduler(model, folder);
    return scheduler_default(model->context, &model->scheduler);
}

static sumi_status open_file(sumi_model *model, const char *path)
{
    static const char *const endings[] = {".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (path_has_ending(path, endings[i])) return model_open_file(model, path);
    return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                        "%s: is a file; a model is the folder that contains model_index.json or "
                        "config.json, or a checkpoint (.safetensors, .ckpt, .gguf)",
                        path);
}

static sumi_status open_folder(sumi_model *model, const char *path)
{
    char file[PATH_SIZE];
    sumi_context *context = model->context;
    if (!path_exists(path)) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: there is no such model folder", path);
    }
    if (!path_is_folder(path)) return open_file(model, path);
    TRY(path_join(context, path, "model_index.json", file));
    if (path_exists(file)) return open_pipeline(model, path, file);
    TRY(path_join(context, path, "config.json", file));
    if (path_exists(file)) return open_network(model, path);
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: is not a model folder: it has neither model_index.json nor "
                        "config.json",
                        path);
}

sumi_status sumi_model_open(sumi_context *context, const char *path, sumi_model **model)
{
    *model = NULL;
    sumi_model *opened = context_allocate_zeroed(context, 1, sizeof *opened);
    if (!opened) return SUMI_ERROR_MEMORY;
    opened->context = context;
    sumi_status status = open_folder(opened, path);
    if (status == SUMI_OK) *model = opened;
    else sumi_model_free(opened);
    return status;
}
