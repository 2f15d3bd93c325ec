/* SPDX-License-Identifier: Apache-2.0 */
/* Text encoders with their weights, and their runners. An encoder is a part of a model or a folder
   by itself, and is read-only after it is opened. A runner belongs to one caller, with the plan of
   its last call. prompt.c makes the condition of a session from prompts. */
#ifndef SUMI_MODELS_TEXT_ENCODER_H
#define SUMI_MODELS_TEXT_ENCODER_H

#include "base/option_set.h"
#include "models/model.h"
#include "models/plan_cache.h"
#include "nets/clip.h"
#include "text/tokenizer.h"

/* Read-only after its creation. */
struct text_encoder_part {
    sumi_context *context;
    struct clip_text net;
    char *config, *class_name; /* the text of config.json, and its class */
    sumi_weights *weights;
};

sumi_status text_encoder_part_open(sumi_context *context, const char *folder,
                                   struct text_encoder_part **part);
sumi_status text_encoder_part_save(const struct text_encoder_part *part, const char *folder);
void text_encoder_part_free(struct text_encoder_part *part); /* accepts NULL */

struct sumi_text_encoder {
    sumi_context *context;
    const struct text_encoder_part *part;
    struct text_encoder_part *own; /* freed with it, or NULL */
    struct option_set options;     /* of the following; see sumi_text_encoder_set */
    int precision;                 /* PRECISION_BF16 */
    int64_t skip;                  /* last layers that are left out */
    bool norm;                     /* of the states */
    struct text_plan {
        sumi_graph *graph; /* NULL: there is none yet */
        sumi_plan *plan;
        int64_t items, tokens, skip;
        int precision, threads;
        bool norm;
        sumi_node ids, ends, states, pooled;
    } plan;
};

/* The runner of a model's part, which must outlive it. */
sumi_status text_encoder_begin(sumi_context *context, const struct text_encoder_part *part,
                               sumi_text_encoder **runner);

#endif
