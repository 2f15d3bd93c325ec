/* SPDX-License-Identifier: Apache-2.0 */
/* Writing model_index.json: the parts of a saved model and their classes. */
#include <stdio.h>
#include <string.h>

#include "models/auto_encoder.h"
#include "base/members.h"

static const char SUMI_PREFIX[] = "Sumi"; /* for classes that diffusers does not have */
enum { CLASS_SIZE = 80 };

static bool add_part(json_object *index, const char *name, const char *class_name)
{
    bool own = strncmp(class_name, SUMI_PREFIX, strlen(SUMI_PREFIX)) == 0;
    json_object *part = json_object_new_array();
    if (part && list_add_text(part, own ? "sumi" : "diffusers")
        && list_add_text(part, class_name)) {
        return member_add(index, name, part);
    }
    json_object_put(part);
    return false;
}

/* The pipeline of diffusers that has these parts; one of Sumi's own where there is none. */
static const char *pipeline_class(const sumi_model *model, const char *scheduler)
{
    const struct auto_encoder_part *part = model->auto_encoder;
    if (model->net->type->pipeline) return model->net->type->pipeline;
    if (part) return strcmp(part->name, "vqvae") == 0 ? "LDMPipeline" : "SumiPipeline";
    return strcmp(scheduler, "DDIMScheduler") == 0 ? "DDIMPipeline" : "DDPMPipeline";
}

static bool fill_index(json_object *index, const sumi_model *model, const char *version,
                       const char *scheduler)
{
    const char *network = sumi_model_class(model);
    const struct auto_encoder_part *part = model->auto_encoder;
    return member_text(index, "_class_name", pipeline_class(model, scheduler))
           && member_text(index, "_diffusers_version", version)
           && add_part(index, model_part_name(model), network)
           && add_part(index, "scheduler", scheduler)
           && (!part || add_part(index, part->name, part->net->type->class_name))
           && class_names_write(model, index);
}

/* Copies the _diffusers_version of the network's config. */
static sumi_status copy_version(const sumi_model *model, char *version, size_t size)
{
    json_object *config = NULL;
    const char *found = "0.0.0", *text = model->net->config;
    TRY(json_parse(model->context, text, strlen(text), "config.json", &config));
    sumi_status status =
        json_get_text(model->context, config, "config.json", "_diffusers_version", &found);
    snprintf(version, size, "%s", found);
    json_object_put(config);
    return status;
}

sumi_status pipeline_index(const sumi_model *model, char **text)
{
    char version[CLASS_SIZE], scheduler[CLASS_SIZE];
    TRY(copy_version(model, version, sizeof version));
    TRY(scheduler_class(model->context, model->scheduler, scheduler, sizeof scheduler));
    json_object *index = json_object_new_object();
    bool complete = index && fill_index(index, model, version, scheduler);
    sumi_status status = members_check(model->context, complete, "model_index.json");
    if (status == SUMI_OK) status = json_to_text(model->context, index, text);
    json_object_put(index);
    return status;
}
