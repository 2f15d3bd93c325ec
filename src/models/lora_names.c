/* SPDX-License-Identifier: Apache-2.0 */
/* Names of tensors in LoRA files; see lora_names.h. */
#include "models/lora_names.h"

#include <stdio.h>
#include <string.h>

/* How names end. */
static const struct {
    const char *ending;
    enum lora_role role;
} endings[] = {
    {".lora_A.weight", LORA_DOWN},
    {".lora_B.weight", LORA_UP},
    {".lora_A.default.weight", LORA_DOWN},
    {".lora_B.default.weight", LORA_UP},
    {".lora.down.weight", LORA_DOWN},
    {".lora.up.weight", LORA_UP},
    {".lora_down.weight", LORA_DOWN},
    {".lora_up.weight", LORA_UP},
    {"_lora.down.weight", LORA_DOWN},
    {"_lora.up.weight", LORA_UP},
    {".alpha", LORA_ALPHA},
};

/* How names begin; the first that fits counts. */
static const struct {
    const char *start;
    enum lora_part part;
    bool flat;
} starts[] = {
    {"base_model.model.unet.", LORA_NETWORK, false},
    {"base_model.model.", LORA_NETWORK, false},
    {"unet.", LORA_NETWORK, false},
    {"transformer.", LORA_NETWORK, false},
    {"text_encoder.", LORA_TEXT, false},
    {"text_encoder_2.", LORA_TEXT_2, false},
    {"lora_unet_", LORA_NETWORK, true},
    {"lora_transformer_", LORA_NETWORK, true},
    {"lora_te_", LORA_TEXT, true},
    {"lora_te1_", LORA_TEXT, true},
    {"lora_te2_", LORA_TEXT_2, true},
};

/* Replaces a piece of the module's name. */
static void replace(char module[LORA_NAME], const char *old, const char *new)
{
    char *place = strstr(module, old);
    char rest[LORA_NAME];
    if (!place) return;
    size_t before = (size_t)(place - module);
    snprintf(rest, sizeof rest, "%s", place + strlen(old));
    snprintf(place, LORA_NAME - before, "%s%s", new, rest);
}

bool lora_name_read(const char *tensor, struct lora_name *name)
{
    size_t length = strlen(tensor);
    *name = (struct lora_name){.role = LORA_OTHER};
    for (size_t i = 0; i < sizeof endings / sizeof *endings && name->role == LORA_OTHER; i++) {
        size_t size = strlen(endings[i].ending);
        if (length <= size || strcmp(tensor + length - size, endings[i].ending) != 0) continue;
        name->role = endings[i].role;
        length -= size;
    }
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t size = strlen(starts[i].start);
        if (strncmp(tensor, starts[i].start, size) != 0 || length <= size) continue;
        name->part = starts[i].part;
        name->flat = starts[i].flat;
        tensor += size;
        length -= size;
        break;
    }
    if (length >= LORA_NAME) return false;
    snprintf(name->module, LORA_NAME, "%.*s", (int)length, tensor);
    /* diffusers before 0.15: attn1.processor.to_q_lora, of which the ending has "_lora" */
    if (strstr(name->module, ".processor.")) {
        replace(name->module, ".processor.", ".");
        size_t end = strlen(name->module);
        bool out = end >= 7 && strcmp(name->module + end - 7, ".to_out") == 0;
        if (out) snprintf(name->module + end, LORA_NAME - end, ".0");
    }
    return true;
}

/* Whether two names are equal, with '_' for '.' in the second. */
static bool equal_flat(const char *flat, const char *name)
{
    for (; *flat && *name; flat++, name++)
        if (*flat != (*name == '.' ? '_' : *name)) return false;
    return *flat == *name;
}

bool lora_name_is(const struct lora_name *name, const char *weight)
{
    return name->flat ? equal_flat(name->module, weight) : strcmp(name->module, weight) == 0;
}
