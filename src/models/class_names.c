/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a model's classes: copied from the training data, and in model_index.json. There,
   diffusers' DiTPipeline has them as "id2label", {"0": "cat"}. Its other pipelines ignore keys that
   begin with an underscore and warn of unknown ones, so all but DiT are saved with "_id2label";
   both are read. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/members.h"
#include "models/model.h"

static const char GIVEN[] = "id2label", SAVED[] = "_id2label";

const char *sumi_model_class_name(const sumi_model *model, int number)
{
    return names_get(&model->class_names, number);
}

sumi_status class_names_copy(sumi_model *model, const sumi_data *data)
{
    int classes = sumi_data_classes(data);
    if (net_classes(model->net) < classes) classes = (int)net_classes(model->net);
    for (int i = 0; i < classes; i++) {
        const char *name = sumi_data_class_name(data, i);
        if (name) TRY(names_set(model->context, &model->class_names, i, name));
    }
    return SUMI_OK;
}

/* ---- model_index.json ---- */

/* Reads one entry; ignores a key that is not a class of the network. */
static sumi_status read_entry(sumi_model *model, const char *source, const char *list,
                              const char *key, json_object *value)
{
    int64_t number = -1;
    if (!text_to_whole(key, &number) || number < 0 || number >= net_classes(model->net))
        return SUMI_OK;
    if (json_object_is_type(value, json_type_string))
        return names_set(model->context, &model->class_names, number,
                         json_object_get_string(value));
    return context_fail(model->context, SUMI_ERROR_FORMAT,
                        "%s: the name of class %" PRId64 " in \"%s\" should be a text", source,
                        number, list);
}

sumi_status class_names_read(sumi_model *model, json_object *index, const char *source)
{
    const char *list = json_object_object_get(index, GIVEN) ? GIVEN : SAVED;
    json_object *names = json_object_object_get(index, list);
    if (!names) return SUMI_OK;
    if (!json_object_is_type(names, json_type_object)) {
        return context_fail(model->context, SUMI_ERROR_FORMAT,
                            "%s: \"%s\" should be an object that gives numbers of classes their "
                            "names, {\"0\": \"cat\"}",
                            source, list);
    }
    json_object_object_foreach(names, key, value)
    {
        TRY(read_entry(model, source, list, key, value));
    }
    return SUMI_OK;
}

bool class_names_add(const sumi_model *model, json_object *what, const char *key)
{
    if (!model->class_names.count) return true;
    json_object *names = json_object_new_object();
    bool complete = names != NULL;
    for (int64_t i = 0; i < model->class_names.count && complete; i++) {
        char number[24];
        const char *name = names_get(&model->class_names, i);
        snprintf(number, sizeof number, "%" PRId64, i);
        if (name) complete = member_text(names, number, name);
    }
    if (complete) return member_add(what, key, names);
    json_object_put(names);
    return false;
}

bool class_names_write(const sumi_model *model, json_object *index)
{
    bool known = strcmp(sumi_model_class(model), "DiTTransformer2DModel") == 0;
    return class_names_add(model, index, known ? GIVEN : SAVED);
}
