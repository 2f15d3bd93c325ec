/* SPDX-License-Identifier: Apache-2.0 */
/* Names of tensors in single-file checkpoints; see original_names.h. In the original U-Net a list
   of blocks goes down (a level's resnets, then its down-sampling) and another goes up; attention is
   the second module of a block. */
#include "models/original_names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An old piece of a name and the new one. */
struct piece {
    const char *old, *new;
};

/* Whether `text` begins with `start`; *rest receives what follows. */
static bool begins(const char *text, const char *start, const char **rest)
{
    size_t length = strlen(start);
    if (strncmp(text, start, length) != 0) return false;
    *rest = text + length;
    return true;
}

/* Reads "12." at the start of a text; *rest receives what follows. */
static bool number(const char *text, int *value, const char **rest)
{
    char *end = NULL;
    if (!isdigit((unsigned char)text[0])) return false;
    long whole = strtol(text, &end, 10);
    if (*end != '.' || whole > 999) return false;
    *value = (int)whole;
    *rest = end + 1;
    return true;
}

/* Writes `before` and then `rest`, whose first piece is replaced. False where no piece begins it.
 */
static bool replace(const struct piece *pieces, const char *before, const char *rest,
                    char name[ORIGINAL_NAME])
{
    const char *after = NULL;
    for (; pieces->old; pieces++) {
        if (!begins(rest, pieces->old, &after)) continue;
        return snprintf(name, ORIGINAL_NAME, "%s%s%s", before, pieces->new, after) < ORIGINAL_NAME;
    }
    return false;
}

/* ---- The U-Net ---- */

static const struct piece resnet[] = {{"in_layers.0.", "norm1."},
                                      {"in_layers.2.", "conv1."},
                                      {"emb_layers.1.", "time_emb_proj."},
                                      {"out_layers.0.", "norm2."},
                                      {"out_layers.3.", "conv2."},
                                      {"skip_connection.", "conv_shortcut."},
                                      {NULL, NULL}};

static const struct piece unet_ends[] = {{"time_embed.0.", "time_embedding.linear_1."},
                                         {"time_embed.2.", "time_embedding.linear_2."},
                                         {"label_emb.0.0.", "add_embedding.linear_1."},
                                         {"label_emb.0.2.", "add_embedding.linear_2."},
                                         {"input_blocks.0.0.", "conv_in."},
                                         {"out.0.", "conv_norm_out."},
                                         {"out.2.", "conv_out."},
                                         {NULL, NULL}};

/* A module of a block: a resnet first, then attention. */
static bool rename_module(const char *block, int layer, int module, const char *rest,
                          char name[ORIGINAL_NAME])
{
    char before[64];
    if (module == 0) {
        snprintf(before, sizeof before, "%sresnets.%d.", block, layer);
        return replace(resnet, before, rest, name);
    }
    return snprintf(name, ORIGINAL_NAME, "%sattentions.%d.%s", block, layer, rest) < ORIGINAL_NAME;
}

static bool rename_down(const struct original_sizes *sizes, const char *rest,
                        char name[ORIGINAL_NAME])
{
    int place = 0, module = 0, each = sizes->unet_layers + 1;
    char block[32];
    const char *after = NULL;
    if (!number(rest, &place, &rest) || !number(rest, &module, &rest) || place < 1) return false;
    snprintf(block, sizeof block, "down_blocks.%d.", (place - 1) / each);
    if (begins(rest, "op.", &after))
        return snprintf(name, ORIGINAL_NAME, "%sdownsamplers.0.conv.%s", block, after)
               < ORIGINAL_NAME;
    return rename_module(block, (place - 1) % each, module, rest, name);
}

static bool rename_up(const struct original_sizes *sizes, const char *rest,
                      char name[ORIGINAL_NAME])
{
    int place = 0, module = 0, each = sizes->unet_layers + 1;
    char block[32];
    const char *after = NULL;
    if (!number(rest, &place, &rest) || !number(rest, &module, &rest)) return false;
    snprintf(block, sizeof block, "up_blocks.%d.", place / each);
    if (begins(rest, "conv.", &after))
        return snprintf(name, ORIGINAL_NAME, "%supsamplers.0.conv.%s", block, after)
               < ORIGINAL_NAME;
    return rename_module(block, place % each, module, rest, name);
}

static bool rename_middle(const char *rest, char name[ORIGINAL_NAME])
{
    int place = 0;
    if (!number(rest, &place, &rest) || place > 2) return false;
    return rename_module("mid_block.", place == 2, place == 1, rest, name);
}

static bool rename_unet(const struct original_sizes *sizes, const char *rest,
                        char name[ORIGINAL_NAME])
{
    const char *after = NULL;
    if (replace(unet_ends, "", rest, name)) return true;
    if (begins(rest, "input_blocks.", &after)) return rename_down(sizes, after, name);
    if (begins(rest, "output_blocks.", &after)) return rename_up(sizes, after, name);
    return begins(rest, "middle_block.", &after) && rename_middle(after, name);
}

/* ---- The auto-encoder ---- */

static const struct piece vae_ends[] = {
    {"conv_in.", "conv_in."},
    {"conv_out.", "conv_out."},
    {"norm_out.", "conv_norm_out."},
    {"mid.block_1.nin_shortcut.", "mid_block.resnets.0.conv_shortcut."},
    {"mid.block_1.", "mid_block.resnets.0."},
    {"mid.block_2.", "mid_block.resnets.1."},
    {NULL, NULL}};

static const struct piece vae_attention[] = {
    {"norm.", "group_norm."},   {"q.", "to_q."}, {"k.", "to_k."}, {"v.", "to_v."},
    {"proj_out.", "to_out.0."}, {NULL, NULL}};

static const struct piece vae_resnet[] = {{"nin_shortcut.", "conv_shortcut."},
                                          {"norm1.", "norm1."},
                                          {"norm2.", "norm2."},
                                          {"conv1.", "conv1."},
                                          {"conv2.", "conv2."},
                                          {NULL, NULL}};

/* "down.B." or "up.B."; the original counts both from the finest level. */
static bool rename_level(const struct original_sizes *sizes, const char *half, bool down,
                         const char *rest, char name[ORIGINAL_NAME])
{
    int level = 0, layer = 0;
    char before[64];
    const char *after = NULL;
    if (!number(rest, &level, &rest) || level >= sizes->vae_levels) return false;
    if (!down) level = sizes->vae_levels - 1 - level;
    if (begins(rest, down ? "downsample.conv." : "upsample.conv.", &after))
        return snprintf(name, ORIGINAL_NAME, "%s%s_blocks.%d.%ssamplers.0.conv.%s", half,
                        down ? "down" : "up", level, down ? "down" : "up", after)
               < ORIGINAL_NAME;
    if (!begins(rest, "block.", &after) || !number(after, &layer, &rest)) return false;
    snprintf(before, sizeof before, "%s%s_blocks.%d.resnets.%d.", half, down ? "down" : "up", level,
             layer);
    return replace(vae_resnet, before, rest, name);
}

static bool rename_half(const struct original_sizes *sizes, const char *half, const char *rest,
                        struct original_name *renamed)
{
    char before[64];
    const char *after = NULL;
    if (begins(rest, "mid.attn_1.", &after)) {
        snprintf(before, sizeof before, "%smid_block.attentions.0.", half);
        renamed->squared = after[0] != 'n'; /* all but its norm */
        return replace(vae_attention, before, after, renamed->name);
    }
    if (begins(rest, "down.", &after)) return rename_level(sizes, half, true, after, renamed->name);
    if (begins(rest, "up.", &after)) return rename_level(sizes, half, false, after, renamed->name);
    return replace(vae_ends, half, rest, renamed->name);
}

static bool rename_vae(const struct original_sizes *sizes, const char *rest,
                       struct original_name *renamed)
{
    const char *after = NULL;
    if (begins(rest, "encoder.", &after)) return rename_half(sizes, "encoder.", after, renamed);
    if (begins(rest, "decoder.", &after)) return rename_half(sizes, "decoder.", after, renamed);
    if (!begins(rest, "quant_conv.", &after) && !begins(rest, "post_quant_conv.", &after))
        return false;
    return snprintf(renamed->name, ORIGINAL_NAME, "%s", rest) < ORIGINAL_NAME;
}

/* ---- Text encoders ---- */

static const struct piece open_clip_layer[] = {
    {"ln_1.", "layer_norm1."},
    {"ln_2.", "layer_norm2."},
    {"attn.in_proj_", "self_attn.*."}, /* rows of q, k and v */
    {"attn.out_proj.", "self_attn.out_proj."},
    {"mlp.c_fc.", "mlp.fc1."},
    {"mlp.c_proj.", "mlp.fc2."},
    {NULL, NULL}};

static const struct piece open_clip_ends[] = {
    {"token_embedding.", "text_model.embeddings.token_embedding."},
    {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
    {"ln_final.", "text_model.final_layer_norm."},
    {NULL, NULL}};

/* The names of OpenCLIP. */
static bool rename_open_clip(const char *rest, struct original_name *renamed)
{
    int layer = 0;
    char before[64];
    const char *after = NULL;
    if (strcmp(rest, "text_projection") == 0) {
        strcpy(renamed->name, "text_projection.weight");
        renamed->transposed = true;
        return true;
    }
    if (!begins(rest, "transformer.resblocks.", &after))
        return replace(open_clip_ends, "", rest, renamed->name);
    if (!number(after, &layer, &rest)) return false;
    snprintf(before, sizeof before, "text_model.encoder.layers.%d.", layer);
    renamed->split = begins(rest, "attn.in_proj_", &after);
    return replace(open_clip_layer, before, rest, renamed->name);
}

/* The names of transformers, but for positions that need no file. */
static bool rename_clip(const char *rest, struct original_name *renamed)
{
    const char *after = NULL;
    if (!begins(rest, "text_model.", &after) || strstr(rest, "position_ids")) return false;
    return snprintf(renamed->name, ORIGINAL_NAME, "%s", rest) < ORIGINAL_NAME;
}

/* ---- All ---- */

static bool is_unet(const char *tensor)
{
    const char *rest = NULL;
    return begins(tensor, "input_blocks.", &rest) || begins(tensor, "output_blocks.", &rest)
           || begins(tensor, "middle_block.", &rest) || begins(tensor, "time_embed.", &rest)
           || begins(tensor, "label_emb.", &rest) || begins(tensor, "out.", &rest);
}

void original_rename(const struct original_sizes *sizes, const char *tensor,
                     struct original_name *renamed)
{
    const char *rest = NULL;
    bool found = false;
    *renamed = (struct original_name){.part = ORIGINAL_NONE};
    if (begins(tensor, ORIGINAL_UNET_PREFIX, &rest) || is_unet(tensor)) {
        renamed->part = ORIGINAL_UNET;
        found = rename_unet(sizes, rest ? rest : tensor, renamed->name);
    } else if (begins(tensor, ORIGINAL_VAE_PREFIX, &rest)) {
        renamed->part = ORIGINAL_VAE;
        found = rename_vae(sizes, rest, renamed);
    } else if (begins(tensor, "cond_stage_model.transformer.", &rest)
               || begins(tensor, "conditioner.embedders.0.transformer.", &rest)) {
        renamed->part = ORIGINAL_TEXT;
        found = rename_clip(rest, renamed);
    } else if (begins(tensor, "cond_stage_model.model.", &rest)) {
        renamed->part = ORIGINAL_TEXT;
        found = strcmp(rest, "text_projection") != 0 && rename_open_clip(rest, renamed);
    } else if (begins(tensor, "conditioner.embedders.1.model.", &rest)) {
        renamed->part = ORIGINAL_TEXT_2;
        found = rename_open_clip(rest, renamed);
    }
    if (!found) renamed->part = ORIGINAL_NONE;
}
