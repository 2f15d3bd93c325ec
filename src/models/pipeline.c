/* SPDX-License-Identifier: Apache-2.0 */
/* Writing model_index.json: the parts of a saved model and their classes. */
#include <stdio.h>
#include <string.h>

#include "models/auto_encoder.h"
#include "base/members.h"

static const char DIFFUSERS[] = "diffusers";
static const char SUMI_PREFIX[] = "Sumi"; /* for classes that diffusers does not have */
enum { CLASS_SIZE = 80 };

static bool add_part(json_object *index, const char *name, const char *library,
                     const char *class_name)
{
    bool own = strncmp(class_name, SUMI_PREFIX, strlen(SUMI_PREFIX)) == 0;
    json_object *part = json_object_new_array();
    if (part && list_add_text(part, own ? "sumi" : library) && list_add_text(part, class_name)) {
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

static bool add_texts(json_object *index, const sumi_model *model)
{
    sumi_part part = {.size = sizeof part};
    for (int i = 0; text_parts_describe(model, i, &part); i++)
        if (!add_part(index, part.name, "transformers", part.class_name)) return false;
    return true;
}

/* [null, null], which stands for a part that a pipeline has not. */
static bool add_none(json_object *index, const char *name)
{
    json_object *none = json_object_new_array();
    if (none && json_object_array_add(none, NULL) == 0 && json_object_array_add(none, NULL) == 0)
        return member_add(index, name, none);
    json_object_put(none);
    return false;
}

/* Copies the members of the opened index: options as they are, no parts, and no names of classes,
   which class_names_write writes under their key. */
static bool copy_members(json_object *index, json_object *opened)
{
    json_object_object_foreach(opened, name, value)
    {
        if (strcmp(name, "id2label") == 0) continue;
        bool part =
            json_object_is_type(value, json_type_array) && json_object_array_length(value) == 2;
        if (!(part ? add_none(index, name)
                   : json_object_object_add(index, name, json_object_get(value)) == 0))
            return false;
    }
    return true;
}

static bool fill_index(json_object *index, const sumi_model *model, const char *version,
                       const char *scheduler)
{
    const char *network = sumi_model_class(model);
    const struct auto_encoder_part *part = model->auto_encoder;
    bool named = json_object_object_get_ex(index, "_class_name", NULL);
    return (named || member_text(index, "_class_name", pipeline_class(model, scheduler)))
           && member_text(index, "_diffusers_version", version)
           && add_part(index, model_part_name(model), DIFFUSERS, network)
           && add_part(index, "scheduler", DIFFUSERS, scheduler)
           && (!part || add_part(index, part->name, DIFFUSERS, part->net->type->class_name))
           && add_texts(index, model) && class_names_write(model, index);
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
    json_object *opened = NULL;
    if (model->index) {
        TRY(json_parse(model->context, model->index, strlen(model->index), "model_index.json",
                       &opened));
    }
    json_object *index = json_object_new_object();
    bool complete = index && (!opened || copy_members(index, opened))
                    && fill_index(index, model, version, scheduler);
    json_object_put(opened);
    sumi_status status = members_check(model->context, complete, "model_index.json");
    if (status == SUMI_OK) status = json_to_text(model->context, index, text);
    json_object_put(index);
    return status;
}
