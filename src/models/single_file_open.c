/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a single-file checkpoint as a model. */
#include <stdio.h>

#include "models/auto_encoder.h"
#include "models/single_file.h"

static sumi_status open_network(sumi_model *model, const struct single_file *single)
{
    char *config = NULL;
    safetensors *file = NULL;
    TRY(single_file_config(single, ORIGINAL_UNET, &config));
    sumi_status status = model_read_network(model, config, single->path);
    context_release(model->context, config);
    TRY(status);
    TRY(single_file_part(single, ORIGINAL_UNET, &file));
    return weights_take(model, single->path, file);
}

static sumi_status open_auto_encoder(sumi_model *model, const struct single_file *single)
{
    char *config = NULL;
    safetensors *file = NULL;
    if (!single->has_vae) return SUMI_OK;
    TRY(single_file_config(single, ORIGINAL_VAE, &config));
    sumi_status status = single_file_part(single, ORIGINAL_VAE, &file);
    if (status == SUMI_OK)
        status = auto_encoder_part_make(model->context, config, single->path, file,
                                        &model->auto_encoder);
    context_release(model->context, config);
    TRY(status);
    snprintf(model->auto_encoder->name, sizeof model->auto_encoder->name, "vae");
    return auto_encoder_check_fit(model, model->auto_encoder->net, single->path);
}

static sumi_status open_scheduler(sumi_model *model, const struct single_file *single)
{
    char *text = NULL;
    TRY(single_file_scheduler(single, &text));
    sumi_status status = scheduler_read(model->context, text, single->path, &model->scheduler);
    context_release(model->context, text);
    if (single->open_clip && !single->epsilon)
        context_warn(model->context,
                     "%s: is taken as a Stable Diffusion 2 that predicts v; if it is a base model, "
                     "which predicts the noise, set the solver's prediction_type to epsilon",
                     single->path);
    return status;
}

sumi_status model_open_file(sumi_model *model, const char *path)
{
    struct single_file single;
    sumi_status status = single_file_open(model->context, path, &single);
    if (status == SUMI_OK) status = open_network(model, &single);
    if (status == SUMI_OK) status = open_auto_encoder(model, &single);
    if (status == SUMI_OK) status = open_scheduler(model, &single);
    single_file_close(&single);
    return status;
}
