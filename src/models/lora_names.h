/* SPDX-License-Identifier: Apache-2.0 */
/* Names of tensors in LoRA files (Hu et al. 2021): those of diffusers, old and new, of PEFT, and of
   kohya's programs. */
#ifndef SUMI_MODELS_LORA_NAMES_H
#define SUMI_MODELS_LORA_NAMES_H

#include <stdbool.h>

enum { LORA_NAME = 256 };

/* What a tensor is of the change (alpha / rank) up down to a weight. */
enum lora_role {
    LORA_DOWN,  /* [rank, in] */
    LORA_UP,    /* [out, rank] */
    LORA_ALPHA, /* one number */
    LORA_OTHER  /* of another kind of adapter, or not of an adapter */
};

/* Which part of a model it changes. */
enum lora_part { LORA_NETWORK, LORA_TEXT, LORA_TEXT_2, LORA_PARTS };

struct lora_name {
    enum lora_role role;
    enum lora_part part;
    char module[LORA_NAME]; /* that is changed, such as "down_blocks.0.attentions.0.proj_in" */
    bool flat;              /* whether '_' stands for '.' in it, as in kohya's files */
};

/* Reads the name of a tensor. False where it is too long. */
bool lora_name_read(const char *tensor, struct lora_name *name);

/* Whether the name of a weight, without ".weight", is that of the module. */
bool lora_name_is(const struct lora_name *name, const char *weight);

#endif
