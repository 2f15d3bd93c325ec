/* SPDX-License-Identifier: Apache-2.0 */
/* Models from and to memory: the same three files that a model folder has. */
#include "models/model.h"

static sumi_status take_parts(sumi_model *model, const char *scheduler, const void *weights,
                              size_t weights_size)
{
    sumi_context *context = model->context;
    safetensors *file = NULL;
    if (scheduler) {
        TRY(scheduler_read(context, scheduler, "scheduler_config.json", &model->scheduler));
    } else {
        TRY(scheduler_default(context, &model->scheduler));
    }
    TRY(safetensors_parse(context, weights, weights_size, "weights in memory", &file));
    return weights_take(model, "weights in memory", file);
}

sumi_status sumi_model_read_memory(sumi_context *context, const char *config_json,
                                   const char *scheduler_json, const void *weights,
                                   size_t weights_size, sumi_model **model)
{
    sumi_model *made = NULL;
    *model = NULL;
    TRY(model_begin(context, config_json, "config.json", &made));
    sumi_status status = take_parts(made, scheduler_json, weights, weights_size);
    if (status == SUMI_OK) *model = made;
    else sumi_model_free(made);
    return status;
}

sumi_status sumi_model_write_weights(const sumi_model *model, void **bytes, size_t *size)
{
    file_writer writer;
    *bytes = NULL;
    *size = 0;
    TRY(file_writer_open_memory(model->context, &writer, "weights in memory"));
    sumi_status status = weights_put(model->context, model->weights, &writer);
    if (status == SUMI_OK) file_writer_take(&writer, bytes, size);
    else file_writer_abandon(&writer);
    return status;
}
