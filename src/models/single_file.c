/* SPDX-License-Identifier: Apache-2.0 */
/* Single-file checkpoints; see single_file.h. Their configs, which such files do not have, are in
   single_file_config.c. */
#include "models/single_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What it is ---- */

static bool has(const struct single_file *single, const char *name)
{
    return safetensors_find(single->file, name) != NULL;
}

/* Whether the U-Net has a tensor, whose name may lack the prefix. */
static bool unet_has(const struct single_file *single, const char *rest)
{
    char name[sizeof ORIGINAL_UNET_PREFIX + ORIGINAL_NAME];
    snprintf(name, sizeof name, ORIGINAL_UNET_PREFIX "%s", rest);
    return has(single, name) || has(single, rest);
}

/* The number of resnets of a level: the down-sampling of the first comes after them. */
static int count_layers(const struct single_file *single)
{
    char name[64];
    for (int i = 1; i < 16; i++) {
        snprintf(name, sizeof name, "input_blocks.%d.0.op.weight", i);
        if (unet_has(single, name)) return i - 1;
    }
    return 0;
}

int single_file_count(const struct single_file *single, const char *before, const char *after)
{
    char name[ORIGINAL_NAME];
    int count = 0;
    do snprintf(name, sizeof name, "%s%d%s", before, count++, after);
    while (count <= 1000 && unet_has(single, name));
    return count - 1;
}

/* Layers of the first text encoder. Of OpenCLIP's the last is not used: Stable Diffusion 2 takes
   the states before it. */
static int count_text_layers(const struct single_file *single)
{
    if (single->open_clip)
        return single_file_count(single, "cond_stage_model.model.transformer.resblocks.",
                                 ".ln_1.weight")
               - 1;
    return single_file_count(single,
                             single->xl
                                 ? "conditioner.embedders.0.transformer.text_model.encoder.layers."
                                 : "cond_stage_model.transformer.text_model.encoder.layers.",
                             ".layer_norm1.weight");
}

static sumi_status recognise(struct single_file *single)
{
    if (!unet_has(single, "input_blocks.0.0.weight") || !unet_has(single, "out.2.weight")) {
        return context_fail(
            single->context, SUMI_ERROR_FORMAT,
            "%s: has no U-Net of Stable Diffusion 1.x, 2.x or XL: there is no tensor "
            "\"" ORIGINAL_UNET_PREFIX "input_blocks.0.0.weight\"",
            single->path);
    }
    single->sizes.unet_layers = count_layers(single);
    single->sizes.vae_levels =
        single_file_count(single, ORIGINAL_VAE_PREFIX "encoder.down.", ".block.0.norm1.weight");
    if (single->sizes.unet_layers < 1) {
        return context_fail(single->context, SUMI_ERROR_FORMAT,
                            "%s: its U-Net has no down-sampling in its first 16 blocks",
                            single->path);
    }
    single->xl = unet_has(single, "label_emb.0.0.weight");
    single->has_vae = single->sizes.vae_levels > 0;
    single->open_clip = has(single, "cond_stage_model.model.token_embedding.weight");
    single->text_layers = count_text_layers(single);
    single->has_text = single->text_layers > 0;
    single->text_2_layers = single_file_count(
        single, "conditioner.embedders.1.model.transformer.resblocks.", ".ln_1.weight");
    single->has_text_2 = single->text_2_layers > 0;
    const char *steps = safetensors_metadata(single->file, "global_step");
    single->epsilon = steps && strcmp(steps, "875000") == 0; /* of 2.x base, for 512 pixels */
    return SUMI_OK;
}

sumi_status single_file_open(sumi_context *context, const char *path, struct single_file *single)
{
    *single = (struct single_file){.context = context, .path = path};
    TRY(tensors_open(context, path, &single->file));
    return recognise(single);
}

void single_file_close(struct single_file *single)
{
    safetensors_free(single->file);
    single->file = NULL;
}

/* ---- Parts ---- */

struct selection {
    const struct single_file *single;
    enum original_part part;
};

static sumi_status fail_shape(const struct single_file *single, const safetensors_tensor *tensor,
                              const char *what)
{
    return context_fail(single->context, SUMI_ERROR_FORMAT, "%s: tensor \"%.200s\" should be %s",
                        single->path, tensor->name, what);
}

/* The rows of q, k and v in one tensor become three. */
static sumi_status split(const struct single_file *single, const safetensors_tensor *tensor,
                         const char *name, struct tensor_choice *choices, int *count)
{
    static const char *const words[] = {"q_proj", "k_proj", "v_proj"};
    const char *star = strchr(name, '*');
    if (tensor->rank < 1 || tensor->shape[0] % 3 != 0 || tensor->packing != PACKING_NONE
        || tensor->transposed)
        return fail_shape(single, tensor, "rows of q, k and v that are not packed");
    uint64_t bytes = (uint64_t)tensor->count / 3 * number_size(tensor->type);
    for (int i = 0; i < 3; i++) {
        choices[i].tensor = *tensor;
        choices[i].tensor.shape[0] /= 3;
        choices[i].tensor.offset += (uint64_t)i * bytes;
        snprintf(choices[i].name, sizeof choices[i].name, "%.*s%s%s", (int)(star - name), name,
                 words[i], star + 1);
    }
    *count = 3;
    return SUMI_OK;
}

static sumi_status transpose(const struct single_file *single, safetensors_tensor *tensor)
{
    if (tensor->rank != 2 || tensor->packing != PACKING_NONE)
        return fail_shape(single, tensor, "a matrix that is not packed");
    int64_t rows = tensor->shape[0];
    tensor->shape[0] = tensor->shape[1];
    tensor->shape[1] = rows;
    tensor->transposed = !tensor->transposed;
    return SUMI_OK;
}

/* Whether a layer of a text encoder is not used. */
static bool is_surplus(const struct single_file *single, const char *name)
{
    static const char layers[] = "text_model.encoder.layers.";
    return strncmp(name, layers, sizeof layers - 1) == 0
           && atoi(name + sizeof layers - 1) >= single->text_layers;
}

static sumi_status choose(void *user, const safetensors_tensor *tensor,
                          struct tensor_choice choices[TENSOR_CHOICES], int *count)
{
    const struct selection *selection = user;
    const struct single_file *single = selection->single;
    struct original_name renamed;
    original_rename(&single->sizes, tensor->name, &renamed);
    *count = 0;
    if (renamed.part != selection->part) return SUMI_OK;
    if (renamed.part == ORIGINAL_TEXT && is_surplus(single, renamed.name)) return SUMI_OK;
    if (renamed.split) return split(single, tensor, renamed.name, choices, count);
    snprintf(choices->name, sizeof choices->name, "%s", renamed.name);
    choices->tensor = *tensor;
    if (renamed.squared && tensor->rank == 4 && tensor->shape[2] == 1 && tensor->shape[3] == 1)
        choices->tensor.rank = 2;
    *count = 1;
    return renamed.transposed ? transpose(single, &choices->tensor) : SUMI_OK;
}

sumi_status single_file_part(const struct single_file *single, enum original_part part,
                             safetensors **file)
{
    struct selection selection = {single, part};
    TRY(tensors_open(single->context, single->path, file));
    sumi_status status = tensors_select(*file, choose, &selection);
    if (status == SUMI_OK) return SUMI_OK;
    safetensors_free(*file);
    *file = NULL;
    return status;
}
