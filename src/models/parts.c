/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a pipeline folder: a table from a part's name and class to its loader. A new kind of
   part is a row here and a file with its loader; a part without a loader is refused by name. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/structure.h"
#include "models/auto_encoder.h"
#include "base/members.h"

struct part_type {
    const char *name; /* of the part */
    sumi_part_kind kind;
    sumi_status (*load)(sumi_model *model, const char *folder); /* NULL: not in this version */
};

/* In the order of loading. */
static const struct part_type types[] = {
    {"unet", SUMI_PART_NETWORK, part_load_network},
    {"scheduler", SUMI_PART_SCHEDULER, part_load_scheduler},
    {"transformer", SUMI_PART_NETWORK, part_load_network},
    {"vae", SUMI_PART_AUTO_ENCODER, part_load_auto_encoder},
    {"vqvae", SUMI_PART_AUTO_ENCODER, part_load_auto_encoder},
    {"movq", SUMI_PART_AUTO_ENCODER, part_load_auto_encoder},
    {"text_encoder", SUMI_PART_TEXT_ENCODER, part_load_text_encoder},
    {"text_encoder_2", SUMI_PART_TEXT_ENCODER, part_load_text_encoder},
    {"text_encoder_3", SUMI_PART_TEXT_ENCODER, part_load_text_encoder},
    {"tokenizer", SUMI_PART_TOKENIZER, part_load_tokenizer},
    {"tokenizer_2", SUMI_PART_TOKENIZER, part_load_tokenizer},
    {"tokenizer_3", SUMI_PART_TOKENIZER, part_load_tokenizer},
    {"image_encoder", SUMI_PART_IMAGE_ENCODER, NULL},
    {"prior", SUMI_PART_PRIOR, NULL},
};
enum { TYPES = sizeof types / sizeof *types };

/* Parts that pictures are drawn without, and a sentence about those whose absence is to be known.
 */
static const struct {
    const char *name, *warning;
} needless[] = {
    {"safety_checker", "its safety checker is not run: look at the pictures yourself"},
    {"feature_extractor", NULL},
};
enum { NEEDLESS = sizeof needless / sizeof *needless };

static const struct part_kind {
    sumi_part_kind kind;
    const char *name;
    bool required; /* every pipeline has one */
    bool several;  /* a pipeline may have two */
} kinds[] = {
    {SUMI_PART_NETWORK, "network", true, false},
    {SUMI_PART_SCHEDULER, "scheduler", true, false},
    {SUMI_PART_AUTO_ENCODER, "auto-encoder", false, false},
    {SUMI_PART_TEXT_ENCODER, "text encoder", false, true},
    {SUMI_PART_TOKENIZER, "tokenizer", false, true},
    {SUMI_PART_IMAGE_ENCODER, "image encoder", false, false},
    {SUMI_PART_PRIOR, "prior", false, false},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *sumi_part_kind_name(sumi_part_kind kind)
{
    for (int i = 0; i < KINDS; i++) {
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

static const struct part_type *find_type(const char *name)
{
    for (int i = 0; i < TYPES; i++)
        if (strcmp(types[i].name, name) == 0) return &types[i];
    return NULL;
}

/* Whether a part is not needed; warns of what that means. */
static bool is_needless(sumi_context *context, const char *source, const char *name)
{
    for (int i = 0; i < NEEDLESS; i++) {
        if (strcmp(needless[i].name, name) != 0) continue;
        if (needless[i].warning) context_warn(context, "%s: %s", source, needless[i].warning);
        return true;
    }
    return false;
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
    const struct part_type *type = find_type(name);
    if ((type && type->load) || is_needless(context, source, name)) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                        "%s: the pipeline has a part \"%.60s\" of class %.80s, %s%s that this "
                        "version cannot run; the folder of a network can be opened by itself",
                        source, name, class_name, type ? "of the kind " : "one",
                        type ? sumi_part_kind_name(type->kind) : "");
}

/* Refuses two parts of a kind, and none of one that is required. */
static sumi_status check_kind(sumi_context *context, json_object *index, const char *source,
                              const struct part_kind *kind)
{
    char names[256] = "";
    const char *first = NULL;
    size_t length = 0;
    for (int i = 0; i < TYPES; i++) {
        if (types[i].kind != kind->kind) continue;
        length += (size_t)snprintf(names + length, sizeof names - length, "%s\"%s\"",
                                   length ? " or " : "", types[i].name);
        if (!is_part(json_object_object_get(index, types[i].name))) continue;
        if (first && !kind->several) {
            return context_fail(context, SUMI_ERROR_UNSUPPORTED,
                                "%s: the pipeline has two %ss, \"%s\" and \"%s\"; this version "
                                "runs one; open the folder of one by itself",
                                source, kind->name, first, types[i].name);
        }
        first = types[i].name;
    }
    if (first || !kind->required) return SUMI_OK;
    return context_fail(context, SUMI_ERROR_FORMAT,
                        "%s: there should be a part %s: [library, class]", source, names);
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
    for (int i = 0; i < KINDS; i++) TRY(check_kind(context, index, source, &kinds[i]));
    return SUMI_OK;
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
        TRY(types[i].load(model, part));
    }
    TRY(text_parts_check(model, folder));
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
    TRY(status);
    model->index = context_copy_text(model->context, index);
    return model->index ? SUMI_OK : SUMI_ERROR_MEMORY;
}

/* ---- What a model has ---- */

bool sumi_model_part(const sumi_model *model, int number, sumi_part *part)
{
    static const sumi_part_kind order[] = {SUMI_PART_NETWORK, SUMI_PART_SCHEDULER,
                                           SUMI_PART_AUTO_ENCODER};
    const struct auto_encoder_part *coder = model->auto_encoder;
    sumi_part all = {.size = 0};
    char class_name[sizeof all.class_name] = "";
    const char *name = "scheduler", *class_of = class_name;
    if (number < 0) return false;
    if (number >= (coder ? 3 : 2)) {
        bool there = text_parts_describe(model, number - (coder ? 3 : 2), &all);
        return there && structure_fill(part, &all, sizeof all);
    }
    all.kind = order[number];
    if (all.kind == SUMI_PART_NETWORK) {
        name = model_part_name(model);
        class_of = sumi_model_class(model);
    } else if (all.kind == SUMI_PART_AUTO_ENCODER) {
        name = coder->name;
        class_of = coder->net->type->class_name;
    } else if (scheduler_class(model->context, model->scheduler, class_name, sizeof class_name)
               != SUMI_OK) {
        return false;
    }
    snprintf(all.name, sizeof all.name, "%s", name);
    snprintf(all.class_name, sizeof all.class_name, "%s", class_of);
    return structure_fill(part, &all, sizeof all);
}
