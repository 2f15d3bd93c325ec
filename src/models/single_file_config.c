/* SPDX-License-Identifier: Apache-2.0 */
/* The configs of single-file checkpoints: what diffusers' folders have in config.json follows from
   the shapes of the tensors, and the rest is what all checkpoints of that kind have. */
#include <stdio.h>
#include <string.h>

#include "base/members.h"
#include "models/single_file.h"

enum { LEVELS = 8, HEAD = 64, HEADS_OF_1 = 8 }; /* HEAD: channels of a head in 2.x and XL */

static const safetensors_tensor *find(const struct single_file *single, const char *prefix,
                                      const char *rest)
{
    char name[ORIGINAL_NAME];
    snprintf(name, sizeof name, "%s%s", prefix, rest);
    const safetensors_tensor *tensor = safetensors_find(single->file, name);
    return tensor ? tensor : safetensors_find(single->file, rest);
}

/* A dimension of a tensor, or 0. */
static int64_t size_of(const struct single_file *single, const char *prefix, const char *rest,
                       int dimension)
{
    const safetensors_tensor *tensor = find(single, prefix, rest);
    return tensor && dimension < tensor->rank ? tensor->shape[dimension] : 0;
}

static bool add_words(json_object *config, const char *key, int count, const char *const *words)
{
    json_object *list = json_object_new_array();
    bool complete = list != NULL;
    for (int i = 0; i < count && complete; i++) complete = list_add_text(list, words[i]);
    if (complete) return member_add(config, key, list);
    json_object_put(list);
    return false;
}

/* ---- The U-Net ---- */

struct unet_sizes {
    int levels;
    int64_t channels[LEVELS], blocks[LEVELS], heads[LEVELS]; /* blocks: transformers, 0 for none */
    int64_t context;
    bool linear;
};

/* The number of transformer blocks of the attention at a place. */
static int64_t count_blocks(const struct single_file *single, const char *place)
{
    char before[96];
    snprintf(before, sizeof before, "%s.transformer_blocks.", place);
    return single_file_count(single, before, ".norm1.weight");
}

static void read_attention(const struct single_file *single, const char *place,
                           struct unet_sizes *sizes)
{
    char name[128];
    snprintf(name, sizeof name, "%s.transformer_blocks.0.attn2.to_k.weight", place);
    int64_t context = size_of(single, ORIGINAL_UNET_PREFIX, name, 1);
    snprintf(name, sizeof name, "%s.proj_in.weight", place);
    const safetensors_tensor *projection = find(single, ORIGINAL_UNET_PREFIX, name);
    if (context) sizes->context = context;
    if (projection) sizes->linear = projection->rank == 2;
}

static sumi_status read_unet(const struct single_file *single, struct unet_sizes *sizes)
{
    int each = single->sizes.unet_layers + 1;
    *sizes = (struct unet_sizes){.levels = 0};
    for (;; sizes->levels++) {
        char name[96], place[48];
        snprintf(name, sizeof name, "input_blocks.%d.0.out_layers.3.weight",
                 1 + each * sizes->levels);
        int64_t channels = size_of(single, ORIGINAL_UNET_PREFIX, name, 0);
        if (!channels) return SUMI_OK;
        if (sizes->levels == LEVELS) break;
        snprintf(place, sizeof place, "input_blocks.%d.1", 1 + each * sizes->levels);
        sizes->channels[sizes->levels] = channels;
        sizes->blocks[sizes->levels] = count_blocks(single, place);
        read_attention(single, place, sizes);
    }
    return context_fail(single->context, SUMI_ERROR_UNSUPPORTED,
                        "%s: its U-Net has more than %d levels", single->path, LEVELS);
}

/* The kinds of blocks, with and without attention to a text, and their numbers, which go up in the
   opposite order. */
static bool add_blocks(json_object *config, const struct unet_sizes *sizes)
{
    const char *down[LEVELS], *up[LEVELS];
    int64_t blocks[LEVELS], heads[LEVELS];
    int levels = sizes->levels;
    for (int i = 0; i < levels; i++) {
        bool attends = sizes->blocks[i] > 0;
        down[i] = attends ? "CrossAttnDownBlock2D" : "DownBlock2D";
        up[levels - 1 - i] = attends ? "CrossAttnUpBlock2D" : "UpBlock2D";
        blocks[i] = attends ? sizes->blocks[i] : 1;
        heads[i] = sizes->linear ? sizes->channels[i] / HEAD : HEADS_OF_1;
        if (heads[i] < 1) heads[i] = 1;
    }
    return add_words(config, "down_block_types", levels, down)
           && add_words(config, "up_block_types", levels, up)
           && member_wholes(config, "block_out_channels", levels, sizes->channels)
           && member_wholes(config, "transformer_layers_per_block", levels, blocks)
           && member_wholes(config, "attention_head_dim", levels, heads);
}

/* What XL has in addition: times and sizes beside the text's vector. */
static bool add_text_time(json_object *config, const struct single_file *single)
{
    enum { TIME_EMBEDDING = 256 };
    if (!single->xl) return true;
    return member_text(config, "addition_embed_type", "text_time")
           && member_whole(config, "addition_time_embed_dim", TIME_EMBEDDING)
           && member_whole(config, "projection_class_embeddings_input_dim",
                           size_of(single, ORIGINAL_UNET_PREFIX, "label_emb.0.0.weight", 1));
}

/* The side of the latents that checkpoints of this kind were trained on. */
static int64_t latent_side(const struct single_file *single)
{
    return single->xl ? 128 : single->open_clip ? 96 : 64;
}

/* Whether the middle of the U-Net has as many transformer blocks as its last level, if that has
   any, because the config has no other number for it. */
static sumi_status check_middle(const struct single_file *single, const struct unet_sizes *sizes)
{
    int64_t last = sizes->levels ? sizes->blocks[sizes->levels - 1] : 0;
    int64_t middle = count_blocks(single, "middle_block.1");
    if (middle == (last > 0 ? last : 1)) return SUMI_OK;
    return context_fail(
        single->context, SUMI_ERROR_UNSUPPORTED,
        "%s: the middle of its U-Net has %lld transformer blocks and its last level "
        "%lld, which is no Stable Diffusion 1.x, 2.x or XL",
        single->path, (long long)middle, (long long)last);
}

static sumi_status unet_config(const struct single_file *single, json_object *config)
{
    struct unet_sizes sizes;
    TRY(read_unet(single, &sizes));
    TRY(check_middle(single, &sizes));
    return members_check(
        single->context,
        member_text(config, "_class_name", "UNet2DConditionModel")
            && member_whole(config, "sample_size", latent_side(single))
            && member_whole(config, "in_channels",
                            size_of(single, ORIGINAL_UNET_PREFIX, "input_blocks.0.0.weight", 1))
            && member_whole(config, "out_channels",
                            size_of(single, ORIGINAL_UNET_PREFIX, "out.2.weight", 0))
            && member_whole(config, "layers_per_block", single->sizes.unet_layers)
            && member_whole(config, "cross_attention_dim", sizes.context)
            && member_flag(config, "use_linear_projection", sizes.linear)
            && add_blocks(config, &sizes) && add_text_time(config, single),
        single->path);
}

/* ---- The auto-encoder ---- */

static bool add_levels(json_object *config, const struct single_file *single)
{
    const char *down[32], *up[32];
    int64_t channels[32];
    int levels = single->sizes.vae_levels;
    for (int i = 0; i < levels; i++) {
        char name[64];
        snprintf(name, sizeof name, "encoder.down.%d.block.0.conv2.weight", i);
        channels[i] = size_of(single, ORIGINAL_VAE_PREFIX, name, 0);
        down[i] = "DownEncoderBlock2D";
        up[i] = "UpDecoderBlock2D";
    }
    return add_words(config, "down_block_types", levels, down)
           && add_words(config, "up_block_types", levels, up)
           && member_wholes(config, "block_out_channels", levels, channels);
}

static sumi_status vae_config(const struct single_file *single, json_object *config)
{
    const double scale = single->xl ? 0.13025 : 0.18215;
    int64_t latents = size_of(single, ORIGINAL_VAE_PREFIX, "decoder.conv_in.weight", 1);
    int64_t factor = (int64_t)1 << (single->sizes.vae_levels - 1);
    bool quant = find(single, ORIGINAL_VAE_PREFIX, "quant_conv.weight") != NULL;
    return members_check(
        single->context,
        member_text(config, "_class_name", "AutoencoderKL")
            && member_whole(config, "in_channels",
                            size_of(single, ORIGINAL_VAE_PREFIX, "encoder.conv_in.weight", 1))
            && member_whole(config, "out_channels",
                            size_of(single, ORIGINAL_VAE_PREFIX, "decoder.conv_out.weight", 0))
            && member_whole(config, "latent_channels", latents)
            && member_whole(config, "layers_per_block",
                            single_file_count(single, ORIGINAL_VAE_PREFIX "encoder.down.0.block.",
                                              ".norm1.weight"))
            && member_whole(config, "sample_size", factor * latent_side(single))
            && member_number(config, "scaling_factor", scale)
            && member_flag(config, "use_quant_conv", quant)
            && member_flag(config, "use_post_quant_conv", quant) && add_levels(config, single),
        single->path);
}

/* ---- Text encoders ---- */

/* The names of tensors that have the sizes of a text encoder, behind a prefix. */
struct text_names {
    const char *prefix, *tokens, *places, *inner;
};

#define TRANSFORMERS_NAMES                                                                         \
    "embeddings.token_embedding.weight", "embeddings.position_embedding.weight",                   \
        "encoder.layers.0.mlp.fc1.weight"
#define OPEN_CLIP_NAMES                                                                            \
    "token_embedding.weight", "positional_embedding", "transformer.resblocks.0.mlp.c_fc.weight"

static const struct text_names first = {"cond_stage_model.transformer.text_model.",
                                        TRANSFORMERS_NAMES};
static const struct text_names first_of_2 = {"cond_stage_model.model.", OPEN_CLIP_NAMES};
static const struct text_names first_of_xl = {"conditioner.embedders.0.transformer.text_model.",
                                              TRANSFORMERS_NAMES};
static const struct text_names second_of_xl = {"conditioner.embedders.1.model.", OPEN_CLIP_NAMES};

static sumi_status text_config(const struct single_file *single, bool second, json_object *config)
{
    const struct text_names *names = second              ? &second_of_xl
                                     : single->open_clip ? &first_of_2
                                     : single->xl        ? &first_of_xl
                                                         : &first;
    bool open = second || single->open_clip;
    int64_t width = size_of(single, names->prefix, names->tokens, 1);
    int64_t layers = second ? single->text_2_layers : single->text_layers;
    int64_t projection = second ? size_of(single, names->prefix, "text_projection", 1) : width;
    return members_check(
        single->context,
        member_text(config, "_class_name", second ? "CLIPTextModelWithProjection" : "CLIPTextModel")
            && member_text(config, "hidden_act", open ? "gelu" : "quick_gelu")
            && member_whole(config, "hidden_size", width)
            && member_whole(config, "intermediate_size",
                            size_of(single, names->prefix, names->inner, 0))
            && member_whole(config, "max_position_embeddings",
                            size_of(single, names->prefix, names->places, 0))
            && member_whole(config, "vocab_size", size_of(single, names->prefix, names->tokens, 0))
            && member_whole(config, "num_attention_heads", width / HEAD > 0 ? width / HEAD : 1)
            && member_whole(config, "num_hidden_layers", layers)
            && member_whole(config, "projection_dim", projection),
        single->path);
}

/* ---- All ---- */

sumi_status single_file_config(const struct single_file *single, enum original_part part,
                               char **text)
{
    json_object *config = json_object_new_object();
    *text = NULL;
    sumi_status status = members_check(single->context, config != NULL, single->path);
    if (status == SUMI_OK && part == ORIGINAL_UNET) status = unet_config(single, config);
    if (status == SUMI_OK && part == ORIGINAL_VAE) status = vae_config(single, config);
    if (status == SUMI_OK && (part == ORIGINAL_TEXT || part == ORIGINAL_TEXT_2))
        status = text_config(single, part == ORIGINAL_TEXT_2, config);
    if (status == SUMI_OK) status = json_to_text(single->context, config, text);
    json_object_put(config);
    return status;
}

sumi_status single_file_scheduler(const struct single_file *single, char **text)
{
    json_object *config = json_object_new_object();
    const char *class_name = single->xl          ? "EulerDiscreteScheduler"
                             : single->open_clip ? "DDIMScheduler"
                                                 : "PNDMScheduler";
    bool complete =
        config && member_text(config, "_class_name", class_name)
        && member_whole(config, "num_train_timesteps", 1000)
        && member_text(config, "beta_schedule", "scaled_linear")
        && member_number(config, "beta_start", 0.00085) && member_number(config, "beta_end", 0.012)
        && member_whole(config, "steps_offset", 1)
        && member_text(config, "prediction_type",
                       single->open_clip && !single->epsilon ? "v_prediction" : "epsilon")
        && (single->xl
                ? member_text(config, "timestep_spacing", "leading")
                : member_flag(config, "set_alpha_to_one", false)
                      && member_flag(config, single->open_clip ? "clip_sample" : "skip_prk_steps",
                                     !single->open_clip));
    sumi_status status = members_check(single->context, complete, single->path);
    if (status == SUMI_OK) status = json_to_text(single->context, config, text);
    json_object_put(config);
    return status;
}
