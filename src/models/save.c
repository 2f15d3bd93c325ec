/* SPDX-License-Identifier: Apache-2.0 */
/* Saving a model as a pipeline folder. Each file appears whole or not at all, model_index.json
   last, so that a folder that has one is complete. */
#include <string.h>

#include "base/file.h"
#include "files/safetensors.h"
#include "graph/backend.h"
#include "models/model.h"

/* Weights that an objective trains in addition to those of the network; they are not saved. */
static const char BESIDE[] = "objective.";

/* Whether the values can be written without a conversion. */
static bool lies_ready(const sumi_model *model, const struct weight *weight)
{
    return model->context->backend->host_memory && weight->element == SUMI_FLOAT32;
}

/* Allocates memory for the float32 values of the other weights. */
static sumi_status allocate_wide(const sumi_model *model, float **wide)
{
    size_t total = 0;
    for (int64_t i = 0; i < model->weights->count; i++) {
        const struct weight *weight = &model->weights->items[i];
        if (!lies_ready(model, weight)) total += (size_t)shape_count(&weight->shape);
    }
    *wide = context_allocate(model->context, total, sizeof **wide);
    return *wide ? SUMI_OK : SUMI_ERROR_MEMORY;
}

sumi_status model_put_weights(const sumi_model *model, file_writer *writer)
{
    sumi_context *context = model->context;
    int64_t count = model->weights->count;
    safetensors_entry *entries = context_allocate(context, (size_t)count, sizeof *entries);
    float *wide = NULL, *next = NULL;
    sumi_status status = weights_check_backing(context, model->weights);
    if (status == SUMI_OK) status = entries ? allocate_wide(model, &wide) : SUMI_ERROR_MEMORY;
    size_t kept = 0;
    next = wide;
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        const struct weight *weight = &model->weights->items[i];
        if (strncmp(weight->name, BESIDE, strlen(BESIDE)) == 0) continue;
        safetensors_entry *entry = &entries[kept++];
        *entry = (safetensors_entry){weight->name, NUMBER_F32, weight->shape.rank, {0}, NULL};
        memcpy(entry->shape, weight->shape.size, sizeof entry->shape);
        entry->data = lies_ready(model, weight) ? weight_values(weight) : next;
        if (lies_ready(model, weight)) continue;
        status = weight_read(model->weights, weight, next);
        next += shape_count(&weight->shape);
    }
    if (status == SUMI_OK) status = safetensors_put(context, writer, entries, kept, NULL, 0);
    if (status == SUMI_OK) status = weights_check_backing(context, model->weights);
    context_release(context, wide);
    context_release(context, entries);
    return status;
}

static sumi_status write_weights(const sumi_model *model, const char *path)
{
    file_writer writer;
    TRY(file_writer_open(model->context, &writer, path));
    sumi_status status = model_put_weights(model, &writer);
    if (status == SUMI_OK) return file_writer_commit(model->context, &writer);
    file_writer_abandon(&writer);
    return status;
}

static sumi_status write_text(sumi_context *context, const char *folder, const char *name,
                              const char *text)
{
    char path[PATH_SIZE];
    TRY(path_join(context, folder, name, path));
    return file_write(context, path, text, strlen(text));
}

static sumi_status write_network(const sumi_model *model, const char *folder)
{
    char part[PATH_SIZE], path[PATH_SIZE];
    TRY(path_join(model->context, folder, "unet", part));
    TRY(folder_make(model->context, part));
    TRY(path_join(model->context, part, "diffusion_pytorch_model.safetensors", path));
    TRY(write_weights(model, path));
    return write_text(model->context, part, "config.json", model->net->config);
}

static sumi_status write_scheduler(const sumi_model *model, const char *folder)
{
    char part[PATH_SIZE];
    TRY(path_join(model->context, folder, "scheduler", part));
    TRY(folder_make(model->context, part));
    return write_text(model->context, part, "scheduler_config.json", model->scheduler);
}

sumi_status sumi_model_save(const sumi_model *model, const char *folder)
{
    char *index = NULL;
    if (model_is_composed(model)) {
        return context_fail(model->context, SUMI_ERROR_UNSUPPORTED,
                            "%s: a composed model has no config.json to be saved with; keep its "
                            "weights with sumi_trainer_save or by sumi_model_weight",
                            folder);
    }
    TRY(folder_make(model->context, folder));
    TRY(write_network(model, folder));
    TRY(write_scheduler(model, folder));
    TRY(pipeline_index(model, &index));
    sumi_status status = write_text(model->context, folder, "model_index.json", index);
    context_release(model->context, index);
    return status;
}
