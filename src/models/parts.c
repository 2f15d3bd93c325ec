/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a pipeline folder: a table from a part's name and class to its loader. A new kind of
   part is a row here and a file with its loader; a part without a loader is refused by name. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/structure.h"
#include "models/auto_encoder.h"
#include "models/members.h"

struct part_type {
    const char *name;       /* of the part; "_2", "_3" may follow it */
    const char *class_name; /* NULL for any */
    sumi_part_kind kind;
    sumi_status (*load)(sumi_model *model, const char *folder); /* NULL: not in this version */
    bool required;
};

/* In the order of loading. */
static const struct part_type types[] = {
    {"unet", NULL, SUMI_PART_NETWORK, part_load_network, false},
    {"scheduler", NULL, SUMI_PART_SCHEDULER, part_load_scheduler, true},
    {"transformer", NULL, SUMI_PART_NETWORK, part_load_network, false},
    {"vae", NULL, SUMI_PART_AUTO_ENCODER, part_load_auto_encoder, false},
    {"vqvae", NULL, SUMI_PART_AUTO_ENCODER, part_load_auto_encoder, false},
    {"movq", NULL, SUMI_PART_AUTO_ENCODER, part_load_auto_encoder, false},
    {"text_encoder", NULL, SUMI_PART_TEXT_ENCODER, NULL, false},
    {"tokenizer", NULL, SUMI_PART_TOKENIZER, NULL, false},
    {"image_encoder", NULL, SUMI_PART_IMAGE_ENCODER, NULL, false},
    {"prior", NULL, SUMI_PART_PRIOR, NULL, false},
};
enum { TYPES = sizeof types / sizeof *types };

static const struct {
    sumi_part_kind kind;
    const char *name;
} kinds[] = {
    {SUMI_PART_NETWORK, "network"},
    {SUMI_PART_SCHEDULER, "scheduler"},
    {SUMI_PART_AUTO_ENCODER, "auto-encoder"},
    {SUMI_PART_TEXT_ENCODER, "text encoder"},
    {SUMI_PART_TOKENIZER, "tokenizer"},
    {SUMI_PART_IMAGE_ENCODER, "image encoder"},
    {SUMI_PART_PRIOR, "prior"},
};

const char *sumi_part_kind_name(sumi_part_kind kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].kind == kind) return kinds[i].name;
    }
    return "part";
}

const char *part_name_of(sumi_part_kind kind, int number)
{
    for (int i = 0; i < TYPES; i++) {
        if (types[i].kind == kind && number-- == 0) return types[i].name;
    }
    return NULL;
}

/* ---- Finding a part's row ---- */

/* Whether a part's name is that of the type, with or without a number after it. */
static bool has_name(const struct part_type *type, const char *name)
{
    size_t length = strlen(type->name);
    if (strncmp(name, type->name, length) != 0) return false;
    const char *rest = name + length;
    return !rest[0] || (rest[0] == '_' && isdigit((unsigned char)rest[1]) && !rest[2]);
}

static const struct part_type *find_type(const char *name, const char *class_name)
{
    for (int i = 0; i < TYPES; i++) {
        if (has_name(&types[i], name)
            && (!types[i].class_name || strcmp(types[i].class_name, class_name) == 0))
            return &types[i];
    }
    return NULL;
}

/* ---- model_index.json ---- */

/* A part is [library, class]; [null, null] means there is none. Anything else is an option. */
static bool is_part(json_object *value)
{
    return json_object_is_type(value, json_type_array) && json_object_array_length(value) == 2
           && json_object_is_type(json_object_array_get_idx(value, 1), json_type_string);
}

static sumi_status check_part(sumi_context *context, const char *source, const char *name,
                              const char *class_name)
{
    const struct part_type *type = find_type(name, class_name);
    if (type && type->load && strcmp(name, type->name) == 0) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s: the pipeline has a part \"%.60s\" of class %.80s, %s%s that this "
                        "version cannot run; the folder of a network can be opened by itself",
                        source, name, class_name, type ? "of the kind " : "one",
                        type ? sumi_part_kind_name(type->kind) : "");
}

/* There must be one network, whatever its part is called. */
static sumi_status check_network(sumi_context *context, json_object *index, const char *source)
{
    bool unet = is_part(json_object_object_get(index, "unet"));
    bool transformer = is_part(json_object_object_get(index, "transformer"));
    if (unet != transformer) return SUMI_OK;
    return context_fail(context, unet ? SUMI_ERROR_UNSUPPORTED : SUMI_ERROR_FORMAT,
                        unet ? "%s: the pipeline has two networks, \"unet\" and \"transformer\"; "
                               "this version runs one; open the folder of one by itself"
                             : "%s: there should be a part \"unet\" or \"transformer\": [library, "
                               "class]",
                        source);
}

static sumi_status check_index(sumi_context *context, json_object *index, const char *source)
{
    if (!json_object_is_type(index, json_type_object)) {
        return context_fail(context, SUMI_ERROR_FORMAT, "%s: should be a JSON object, {...}",
                            source);
    }
    json_object_object_foreach(index, name, value)
    {
        if (!is_part(value)) continue;
        TRY(check_part(context, source, name,
                       json_object_get_string(json_object_array_get_idx(value, 1))));
    }
    TRY(check_network(context, index, source));
    for (int i = 0; i < TYPES; i++) {
        if (!types[i].required || is_part(json_object_object_get(index, types[i].name))) continue;
        return context_fail(context, SUMI_ERROR_FORMAT,
                            "%s: there should be a part \"%s\": [library, class]", source,
                            types[i].name);
    }
    return SUMI_OK;
}

static sumi_status fail_second(const sumi_model *model, const char *name, const char *folder)
{
    return context_fail(model->context, SUMI_ERROR_UNSUPPORTED,
                        "%s: the pipeline has two auto-encoders, \"%s\" and \"%s\"", folder,
                        model->auto_encoder->name, name);
}

/* The index and the part's own config.json must name one class. */
static sumi_status check_auto_encoder(const sumi_model *model, json_object *index,
                                      const char *folder)
{
    const struct auto_encoder_part *part = model->auto_encoder;
    if (!part) return SUMI_OK;
    const char *own = part->net->type->class_name;
    json_object *entry = json_object_object_get(index, part->name);
    const char *named = json_object_get_string(json_object_array_get_idx(entry, 1));
    if (strcmp(named, own) == 0) return SUMI_OK;
    return context_fail(model->context, SUMI_ERROR_FORMAT,
                        "%s: model_index.json has a part \"%s\" of class %.80s, but its "
                        "config.json is of class %s",
                        folder, part->name, named, own);
}

static sumi_status load_parts(sumi_model *model, json_object *index, const char *folder)
{
    for (int i = 0; i < TYPES; i++) {
        char part[PATH_SIZE];
        if (!is_part(json_object_object_get(index, types[i].name))) continue;
        TRY(path_join(model->context, folder, types[i].name, part));
        if (types[i].kind == SUMI_PART_AUTO_ENCODER && model->auto_encoder)
            return fail_second(model, types[i].name, folder);
        TRY(types[i].load(model, part));
    }
    return check_auto_encoder(model, index, folder);
}

sumi_status parts_open(sumi_model *model, const char *folder, const char *index, const char *source)
{
    json_object *object = NULL;
    TRY(json_parse(model->context, index, strlen(index), source, &object));
    sumi_status status = check_index(model->context, object, source);
    if (status == SUMI_OK) status = load_parts(model, object, folder);
    if (status == SUMI_OK) status = class_names_read(model, object, source);
    json_object_put(object);
    return status;
}

/* ---- What a model has ---- */

/* The auto-encoder, which not every model has. */
static bool describe_auto_encoder(const sumi_model *model, sumi_part *part)
{
    if (!model->auto_encoder) return false;
    snprintf(part->name, sizeof part->name, "%s", model->auto_encoder->name);
    snprintf(part->class_name, sizeof part->class_name, "%s",
             model->auto_encoder->net->type->class_name);
    return true;
}

bool sumi_model_part(const sumi_model *model, int number, sumi_part *part)
{
    sumi_part all = {.kind = SUMI_PART_AUTO_ENCODER};
    if (number == 2)
        return describe_auto_encoder(model, &all) && structure_fill(part, &all, sizeof all);
    if (number < 0 || number > 1) return false;
    const struct part_type *type = &types[number]; /* the parts that every model has */
    all.kind = type->kind;
    bool network = type->kind == SUMI_PART_NETWORK;
    snprintf(all.name, sizeof all.name, "%s", network ? model_part_name(model) : type->name);
    if (network) snprintf(all.class_name, sizeof all.class_name, "%s", sumi_model_class(model));
    else if (scheduler_class(model->context, model->scheduler, all.class_name,
                             sizeof all.class_name)
             != SUMI_OK)
        return false;
    return structure_fill(part, &all, sizeof all);
}
