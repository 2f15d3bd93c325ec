/* SPDX-License-Identifier: Apache-2.0 */
/* Text encoders and tokenizers as parts of a model: "text_encoder" and "tokenizer", and with
   numbers from 2 on in pipelines that have several. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "models/text_encoder.h"
#include "text/tokenizer.h"

enum { PART_NAME = 32 };
static const char ENCODER[] = "text_encoder", TOKENIZER[] = "tokenizer";

/* The place of a part by the number at the end of its folder's name. */
static int place_of(const char *folder)
{
    const char *mark = strrchr(folder, '_');
    bool numbered = mark && mark[1] >= '2' && mark[1] < '1' + TEXT_PARTS && !mark[2];
    return numbered ? mark[1] - '1' : 0;
}

static const char *name_of(const char *stem, int place, char name[PART_NAME])
{
    snprintf(name, PART_NAME, place ? "%s_%d" : "%s", stem, place + 1);
    return name;
}

/* ---- Opening ---- */

sumi_status part_load_text_encoder(sumi_model *model, const char *folder)
{
    return text_encoder_part_open(model->context, folder, &model->texts[place_of(folder)].encoder);
}

sumi_status part_load_tokenizer(sumi_model *model, const char *folder)
{
    return sumi_tokenizer_open(model->context, folder, &model->texts[place_of(folder)].tokenizer);
}

sumi_status text_parts_check(const sumi_model *model, const char *folder)
{
    for (int i = 0; i < TEXT_PARTS; i++) {
        const struct text_part *part = &model->texts[i];
        char encoder[PART_NAME], tokenizer[PART_NAME];
        if (!part->encoder || !part->tokenizer) continue;
        int64_t rows = tokenizer_rows(part->tokenizer), has = part->encoder->net.vocabulary;
        if (rows <= has) continue;
        return context_fail(model->context, SUMI_ERROR_FORMAT,
                            "%s: the %s has %lld tokens, but the %s takes %lld: they are not of "
                            "one model",
                            folder, name_of(TOKENIZER, i, tokenizer), (long long)rows,
                            name_of(ENCODER, i, encoder), (long long)has);
    }
    return SUMI_OK;
}

void text_parts_free(sumi_model *model)
{
    for (int i = 0; i < TEXT_PARTS; i++) {
        text_encoder_part_free(model->texts[i].encoder);
        sumi_tokenizer_free(model->texts[i].tokenizer);
    }
}

/* ---- Saving ---- */

sumi_status text_parts_write(const sumi_model *model, const char *folder)
{
    for (int i = 0; i < TEXT_PARTS; i++) {
        const struct text_part *part = &model->texts[i];
        char path[PATH_SIZE], name[PART_NAME];
        if (part->encoder) {
            TRY(path_join(model->context, folder, name_of(ENCODER, i, name), path));
            TRY(text_encoder_part_save(part->encoder, path));
        }
        if (part->tokenizer) {
            TRY(path_join(model->context, folder, name_of(TOKENIZER, i, name), path));
            TRY(sumi_tokenizer_save(part->tokenizer, path));
        }
    }
    return SUMI_OK;
}

/* ---- What there is ---- */

static void describe(sumi_part *part, const char *stem, int place, const char *class_name,
                     sumi_part_kind kind)
{
    char name[PART_NAME];
    snprintf(part->name, sizeof part->name, "%s", name_of(stem, place, name));
    snprintf(part->class_name, sizeof part->class_name, "%s", class_name);
    part->kind = kind;
}

bool text_parts_describe(const sumi_model *model, int number, sumi_part *part)
{
    for (int i = 0; i < TEXT_PARTS; i++) {
        const struct text_part *text = &model->texts[i];
        if (text->encoder && number-- == 0) {
            describe(part, ENCODER, i, text->encoder->class_name, SUMI_PART_TEXT_ENCODER);
            return true;
        }
    }
    for (int i = 0; i < TEXT_PARTS; i++) {
        sumi_tokenizer_info info = {.size = sizeof info};
        if (!model->texts[i].tokenizer || number-- != 0) continue;
        sumi_tokenizer_describe(model->texts[i].tokenizer, &info);
        describe(part, TOKENIZER, i, info.class_name, SUMI_PART_TOKENIZER);
        return true;
    }
    return false;
}
