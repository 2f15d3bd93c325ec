/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a model folder: a pipeline with model_index.json, or a lone network with config.json. */
#include <string.h>

#include "base/file.h"
#include "models/model.h"

/* Where the parts of a model are. */
struct model_files {
    char config[PATH_SIZE], weights[PATH_SIZE];
    char scheduler[PATH_SIZE]; /* "" for none */
};

static sumi_status locate_pipeline(sumi_context *context, const char *folder, const char *index,
                                   struct model_files *files)
{
    char *text = NULL, part[PATH_SIZE];
    TRY(model_read_text(context, index, &text));
    sumi_status status = pipeline_check(context, text, strlen(text), index);
    context_release(context, text);
    TRY(status);
    TRY(path_join(context, folder, "scheduler", part));
    TRY(path_join(context, part, "scheduler_config.json", files->scheduler));
    TRY(path_join(context, folder, "unet", part));
    TRY(path_join(context, part, "config.json", files->config));
    return weights_locate(context, part, files->weights);
}

static sumi_status locate_network(sumi_context *context, const char *folder,
                                  struct model_files *files)
{
    TRY(path_join(context, folder, "scheduler_config.json", files->scheduler));
    if (!path_exists(files->scheduler)) files->scheduler[0] = '\0';
    return weights_locate(context, folder, files->weights);
}

static sumi_status locate(sumi_context *context, const char *path, struct model_files *files)
{
    char index[PATH_SIZE];
    if (!path_exists(path)) {
        return context_fail(context, SUMI_ERROR_FILE, "%s: there is no such model folder", path);
    }
    if (!path_is_folder(path)) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "%s: is a file; a model is the folder that holds model_index.json or "
                            "config.json",
                            path);
    }
    TRY(path_join(context, path, "model_index.json", index));
    if (path_exists(index)) return locate_pipeline(context, path, index, files);
    TRY(path_join(context, path, "config.json", files->config));
    if (path_exists(files->config)) return locate_network(context, path, files);
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: is not a model folder, for it has neither model_index.json nor "
                        "config.json",
                        path);
}

static sumi_status read_network(sumi_context *context, const char *path, sumi_model **model)
{
    char *text = NULL;
    TRY(model_read_text(context, path, &text));
    sumi_status status = model_begin(context, text, path, model);
    context_release(context, text);
    return status;
}

static sumi_status read_scheduler(sumi_model *model, const char *path)
{
    char *text = NULL;
    if (!path[0]) return scheduler_default(model->context, &model->scheduler);
    TRY(model_read_text(model->context, path, &text));
    sumi_status status = scheduler_read(model->context, text, path, &model->scheduler);
    context_release(model->context, text);
    return status;
}

sumi_status sumi_model_open(sumi_context *context, const char *path, sumi_model **model)
{
    struct model_files files;
    sumi_model *opened = NULL;
    *model = NULL;
    TRY(locate(context, path, &files));
    TRY(read_network(context, files.config, &opened));
    sumi_status status = read_scheduler(opened, files.scheduler);
    if (status == SUMI_OK) status = weights_load(opened, files.weights);
    if (status == SUMI_OK) *model = opened;
    else sumi_model_free(opened);
    return status;
}
