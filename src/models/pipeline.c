/* SPDX-License-Identifier: Apache-2.0 */
/* model_index.json: which parts a pipeline folder has, and of which classes. */
#include <stdio.h>
#include <string.h>

#include "models/members.h"
#include "models/model.h"

static const char SUMI_PREFIX[] = "Sumi"; /* of classes that diffusers does not have */
enum { CLASS_SIZE = 80 };

/* ---- Reading ---- */

/* A part is [library, class]; [null, null] means there is none. Anything else is an option. */
static bool is_part(json_object *value)
{
    return json_object_is_type(value, json_type_array) && json_object_array_length(value) == 2
           && json_object_is_type(json_object_array_get_idx(value, 1), json_type_string);
}

static sumi_status check_parts(sumi_context *context, json_object *index, const char *source)
{
    if (!json_object_is_type(index, json_type_object)) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: should be a JSON object, {...}",
                            source);
    }
    json_object_object_foreach(index, name, value)
    {
        bool known = strcmp(name, "unet") == 0 || strcmp(name, "scheduler") == 0;
        if (known || !is_part(value)) continue;
        const char *class_name = json_object_get_string(json_object_array_get_idx(value, 1));
        return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                            "%s: the pipeline has a part \"%.80s\" of class %.80s, and only "
                            "pipelines of \"unet\" and \"scheduler\" can be opened whole; the "
                            "folder of a network can be opened by itself",
                            source, name, class_name);
    }
    static const char *const parts[] = {"unet", "scheduler"};
    for (int i = 0; i < 2; i++) {
        if (is_part(json_object_object_get(index, parts[i]))) continue;
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: there should be a part \"%s\": [library, class]", source,
                            parts[i]);
    }
    return SUMI_OK;
}

sumi_status pipeline_check(sumi_context *context, const char *text, size_t size, const char *source)
{
    json_object *index = NULL;
    TRY(json_parse(context, text, size, source, &index));
    sumi_status status = check_parts(context, index, source);
    json_object_put(index);
    return status;
}

/* ---- Writing ---- */

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

static bool fill_index(json_object *index, const sumi_model *model, const char *version,
                       const char *scheduler)
{
    const char *network = sumi_model_class(model);
    bool own = strncmp(network, SUMI_PREFIX, strlen(SUMI_PREFIX)) == 0;
    const char *pipeline =
        strcmp(scheduler, "DDIMScheduler") == 0 ? "DDIMPipeline" : "DDPMPipeline";
    return member_text(index, "_class_name", own ? "SumiPipeline" : pipeline)
           && member_text(index, "_diffusers_version", version) && add_part(index, "unet", network)
           && add_part(index, "scheduler", scheduler);
}

/* The _diffusers_version that the network's config has. */
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
