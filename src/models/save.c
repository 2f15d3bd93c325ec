/* SPDX-License-Identifier: Apache-2.0 */
/* Saving a model as a pipeline folder. Each file appears whole or not at all, model_index.json
   last, so that a folder that has one is complete. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "files/safetensors.h"
#include "graph/backend.h"
#include "models/auto_encoder.h"

bool weight_is_beside(const struct weight *weight)
{
    return strncmp(weight->name, BESIDE_PREFIX, strlen(BESIDE_PREFIX)) == 0;
}

/* Whether the values can be written without a conversion. */
static bool lies_ready(const sumi_weights *weights, const struct weight *weight)
{
    return weights->context->backend->host_memory && weight->element == SUMI_FLOAT32;
}

/* Allocates memory for the float32 values of the other weights. */
static sumi_status allocate_wide(sumi_context *context, const sumi_weights *weights, float **wide)
{
    size_t total = 0;
    for (int64_t i = 0; i < weights->count; i++) {
        const struct weight *weight = &weights->items[i];
        if (!lies_ready(weights, weight)) total += (size_t)shape_count(&weight->shape);
    }
    *wide = context_allocate(context, total, sizeof **wide);
    return *wide ? SUMI_OK : SUMI_ERROR_MEMORY;
}

sumi_status weights_put(sumi_context *context, const sumi_weights *weights, file_writer *writer)
{
    int64_t count = weights->count;
    safetensors_entry *entries = context_allocate(context, (size_t)count, sizeof *entries);
    float *wide = NULL, *next = NULL;
    sumi_status status = weights_check_backing(context, weights);
    if (status == SUMI_OK)
        status = entries ? allocate_wide(context, weights, &wide) : SUMI_ERROR_MEMORY;
    size_t kept = 0;
    next = wide;
    for (int64_t i = 0; i < count && status == SUMI_OK; i++) {
        const struct weight *weight = &weights->items[i];
        if (weight_is_beside(weight)) continue;
        safetensors_entry *entry = &entries[kept++];
        *entry = (safetensors_entry){weight->name, NUMBER_F32, weight->shape.rank, {0}, NULL};
        memcpy(entry->shape, weight->shape.size, sizeof entry->shape);
        entry->data = lies_ready(weights, weight) ? weight_values(weight) : next;
        if (lies_ready(weights, weight)) continue;
        status = weight_read(weights, weight, next);
        next += shape_count(&weight->shape);
    }
    if (status == SUMI_OK) status = safetensors_put(context, writer, entries, kept, NULL, 0);
    if (status == SUMI_OK) status = weights_check_backing(context, weights);
    context_release(context, wide);
    context_release(context, entries);
    return status;
}

static sumi_status write_weights(sumi_context *context, const sumi_weights *weights,
                                 const char *path)
{
    file_writer writer;
    TRY(file_writer_open(context, &writer, path));
    sumi_status status = weights_put(context, weights, &writer);
    if (status == SUMI_OK) return file_writer_commit(context, &writer);
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

sumi_status network_write(sumi_context *context, const char *folder, const char *stem,
                          const sumi_weights *weights, const char *config)
{
    char path[PATH_SIZE], name[64];
    snprintf(name, sizeof name, "%s.safetensors", stem);
    TRY(folder_make(context, folder));
    TRY(path_join(context, folder, name, path));
    TRY(write_weights(context, weights, path));
    return write_text(context, folder, "config.json", config);
}

static sumi_status write_network(const sumi_model *model, const char *folder)
{
    char part[PATH_SIZE];
    TRY(path_join(model->context, folder, model_part_name(model), part));
    return network_write(model->context, part, DIFFUSERS_STEM, model->weights, model->net->config);
}

static sumi_status write_scheduler(const sumi_model *model, const char *folder)
{
    char part[PATH_SIZE];
    TRY(path_join(model->context, folder, "scheduler", part));
    TRY(folder_make(model->context, part));
    return write_text(model->context, part, "scheduler_config.json", model->scheduler);
}

static sumi_status write_auto_encoder(const sumi_model *model, const char *folder)
{
    char part[PATH_SIZE];
    if (!model->auto_encoder) return SUMI_OK;
    TRY(path_join(model->context, folder, model->auto_encoder->name, part));
    return auto_encoder_part_save(model->auto_encoder, part);
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
    TRY(write_auto_encoder(model, folder));
    TRY(text_parts_write(model, folder));
    TRY(pipeline_index(model, &index));
    sumi_status status = write_text(model->context, folder, "model_index.json", index);
    context_release(model->context, index);
    return status;
}
