/* SPDX-License-Identifier: Apache-2.0 */
/* The U-Nets that a recipe describes (model.kind = unet2d or unet1d), and the auto-encoder, whose
   halves are built of the same blocks (model.kind = autoencoder). */
#include <stdio.h>

#include "nets/recipe.h"

#define OF_A_UNET "model.kind=unet2d|unet1d, model.config="
#define OF_BLOCKS "model.kind=unet2d|unet1d|autoencoder, model.config="

const struct option unet_recipe_keys[] = {
    {WHOLES_OPTION("model.channels", "32, 64, 64", 1, 8192,
                   "channels of a U-Net or an auto-encoder at each resolution"),
     .when = OF_BLOCKS},
    {WHOLE_OPTION("model.layers_per_block", "2", 1, 16,
                  "residual units in each block of a U-Net or an encoder; a decoder's have one "
                  "more"),
     .when = OF_BLOCKS},
    {WHOLE_OPTION("model.latent_channels", "4", 1, 8192, "channels of an auto-encoder's latents"),
     .when = "model.kind=autoencoder, model.config="},
    {WORDS_OPTION("model.down_blocks", "auto", "diffusers' names of the down blocks, or auto"),
     .when = OF_A_UNET},
    {WORDS_OPTION("model.up_blocks", "auto", "diffusers' names of the up blocks, or auto"),
     .when = OF_A_UNET},
    {FLAGS_OPTION("model.attention", "auto",
                  "attention at each resolution; auto: only in the middle"),
     .when = OF_BLOCKS},
    {FLAG_OPTION("model.mid_attention", "yes", "attention at the lowest resolution"),
     .when = OF_BLOCKS},
    {WHOLE_OPTION("model.head_dim", "0", 0, 8192, "channels of an attention head; 0: one head"),
     .when = OF_A_UNET},
    {WHOLE_OPTION("model.groups", "8", 1, 8192, "number of groups of group normalisation"),
     .when = OF_BLOCKS},
    {NUMBER_OPTION("model.norm_eps", "1e-5", 0, 1,
                   "number added to a variance before its square root"),
     .when = OF_A_UNET},
    {FLAG_OPTION("model.scale_shift", "no",
                 "scale and shift features by the time embedding, instead of adding it"),
     .when = OF_A_UNET},
    {.name = NULL},
};

/* The keys of the blocks' names, down and up. */
static const char *const block_keys[] = {"model.down_blocks", "model.up_blocks"};

/* ---- Checks ---- */

/* A U-Net halves the size of an item between its levels. */
static sumi_status check_size(const struct net_request *request, int levels)
{
    int64_t multiple = (int64_t)1 << (levels - 1);
    for (int i = 0; i + 1 < request->rank; i++) {
        if (request->shape[i] % multiple == 0) continue;
        return context_fail(request->context, SUMI_ERROR_ARGUMENT,
                            "model.channels has %d levels, so the network halves the items %d "
                            "times, but their size %lld is not a multiple of %lld; use fewer "
                            "levels or another size",
                            levels, levels - 1, (long long)request->shape[i], (long long)multiple);
    }
    return SUMI_OK;
}

static sumi_status check_length(const struct net_request *request, const char *key, int length,
                                int levels)
{
    if (length == 0 || length == levels) return SUMI_OK;
    return context_fail(
        request->context, SUMI_ERROR_ARGUMENT,
        "%s has %d entries, but model.channels has %d; there should be one for each resolution",
        key, length, levels);
}

static sumi_status check(const struct net_request *request)
{
    const sumi_recipe *recipe = request->recipe;
    char words[RECIPE_LIST_LIMIT][RECIPE_WORD_SIZE];
    int64_t list[RECIPE_LIST_LIMIT];
    TRY(net_check_times(request));
    int levels = recipe_list(recipe, "model.channels", list);
    if (levels == 0) {
        return context_fail(request->context, SUMI_ERROR_ARGUMENT,
                            "model.channels should be a list such as 32, 64, 64");
    }
    TRY(check_length(request, "model.attention", recipe_list(recipe, "model.attention", list),
                     levels));
    for (int way = 0; way < 2; way++) {
        int count = recipe_words(recipe, block_keys[way], words);
        TRY(check_length(request, block_keys[way], count, levels));
    }
    return check_size(request, levels);
}

/* ---- Members ---- */

/* Names each block by whether it has attention; up blocks mirror the down blocks. */
static void name_blocks(const struct net_request *request, int levels, int way,
                        char blocks[][RECIPE_WORD_SIZE])
{
    int64_t attention[RECIPE_LIST_LIMIT];
    int flags = recipe_list(request->recipe, "model.attention", attention);
    bool coder = recipe_is(request->recipe, "model.kind", "autoencoder");
    const char *half = !coder ? "" : way == 0 ? "Encoder" : "Decoder";
    for (int i = 0; i < levels; i++) {
        int level = way == 0 ? i : levels - 1 - i;
        bool attentive = flags > 0 && attention[level];
        snprintf(blocks[i], RECIPE_WORD_SIZE, "%s%s%sBlock%dD", attentive ? "Attn" : "",
                 way == 0 ? "Down" : "Up", half, request->rank - 1);
    }
}

static bool add_blocks(json_object *config, const char *member, const struct net_request *request,
                       int levels, int way)
{
    char blocks[RECIPE_LIST_LIMIT][RECIPE_WORD_SIZE];
    if (recipe_words(request->recipe, block_keys[way], blocks) == 0)
        name_blocks(request, levels, way, blocks);
    json_object *list = json_object_new_array();
    bool complete = list != NULL;
    for (int i = 0; i < levels && complete; i++) complete = list_add_text(list, blocks[i]);
    if (complete) return member_add(config, member, list);
    json_object_put(list);
    return false;
}

static bool add(json_object *config, const struct net_request *request)
{
    const sumi_recipe *recipe = request->recipe;
    int64_t channels[RECIPE_LIST_LIMIT], head = recipe_int(recipe, "model.head_dim");
    int levels = recipe_list(recipe, "model.channels", channels);
    bool scale_shift = recipe_flag(recipe, "model.scale_shift");
    return net_add_common(config, request)
           && member_text(config, "_class_name",
                          request->kind == SUMI_PICTURE ? "UNet2DModel" : "SumiUNet1DModel")
           && net_add_size(config, request)
           && member_wholes(config, "block_out_channels", levels, channels)
           && add_blocks(config, "down_block_types", request, levels, 0)
           && add_blocks(config, "up_block_types", request, levels, 1)
           && member_whole(config, "layers_per_block", recipe_int(recipe, "model.layers_per_block"))
           && member_flag(config, "add_attention", recipe_flag(recipe, "model.mid_attention"))
           && (head ? member_whole(config, "attention_head_dim", head)
                    : member_null(config, "attention_head_dim"))
           && member_whole(config, "norm_num_groups", recipe_int(recipe, "model.groups"))
           && member_number(config, "norm_eps", recipe_number(recipe, "model.norm_eps"))
           && member_text(config, "resnet_time_scale_shift",
                          scale_shift ? "scale_shift" : "default");
}

static bool add_coder(json_object *config, const struct net_request *request)
{
    const sumi_recipe *recipe = request->recipe;
    int64_t channels[RECIPE_LIST_LIMIT], pixel = request->shape[request->rank - 1];
    int levels = recipe_list(recipe, "model.channels", channels);
    return member_text(config, "_class_name", "AutoencoderKL") && net_add_size(config, request)
           && member_whole(config, "in_channels", pixel)
           && member_whole(config, "out_channels", pixel)
           && member_whole(config, "latent_channels", recipe_int(recipe, "model.latent_channels"))
           && member_wholes(config, "block_out_channels", levels, channels)
           && add_blocks(config, "down_block_types", request, levels, 0)
           && add_blocks(config, "up_block_types", request, levels, 1)
           && member_whole(config, "layers_per_block", recipe_int(recipe, "model.layers_per_block"))
           && member_flag(config, "mid_block_add_attention",
                          recipe_flag(recipe, "model.mid_attention"))
           && member_whole(config, "norm_num_groups", recipe_int(recipe, "model.groups"))
           && net_add_activation(config, request)
           && member_number(config, "scaling_factor", 1); /* set when it is saved */
}

const struct net_kind net_kind_unet2d = {.name = "unet2d", .check = check, .add = add};
const struct net_kind net_kind_unet1d = {.name = "unet1d", .check = check, .add = add};
const struct net_kind net_kind_auto_encoder = {
    .name = "autoencoder", .check = check, .add = add_coder};
