/* SPDX-License-Identifier: Apache-2.0 */
/* The transformers that a recipe describes (model.kind = dit and mmdit). */
#include "nets/recipe.h"

const struct option transformer_recipe_keys[] = {
    {WHOLE_OPTION("model.heads", "4", 1, 1024, "attention heads of each block of a dit or mmdit"),
     .when = "model.kind=dit|mmdit, model.config="},
    {WHOLE_OPTION("model.patch", "2", 1, 256,
                  "width and height of a patch, which is a token of a dit or mmdit"),
     .when = "model.kind=dit|mmdit, model.config="},
    {.name = NULL},
};

/* A transformer takes squares of whole patches, and looks up the class. */
static sumi_status check_transformer(const struct net_request *request)
{
    const sumi_recipe *recipe = request->recipe;
    const char *kind = recipe_text(recipe, "model.kind");
    int64_t patch = recipe_int(recipe, "model.patch"), size = request->shape[0];
    int64_t width = net_width(request), heads = recipe_int(recipe, "model.heads");
    if (!net_takes_classes(request)) {
        return context_fail(request->context, SUMI_ERROR_ARGUMENT,
                            "model.kind = %s takes the class of each item; set data.labels = yes "
                            "and model.class_conditional = yes",
                            kind);
    }
    if (request->shape[1] != size || size % patch) {
        return context_fail(request->context, SUMI_ERROR_ARGUMENT,
                            "model.kind = %s takes square pictures of a multiple of model.patch = "
                            "%lld, not %lldx%lld",
                            kind, (long long)patch, (long long)size, (long long)request->shape[1]);
    }
    if (width % heads == 0) return SUMI_OK;
    return context_fail(request->context, SUMI_ERROR_ARGUMENT,
                        "model.width = %lld is not a multiple of model.heads = %lld",
                        (long long)width, (long long)heads);
}

/* Members that all transformers have. */
static bool add_blocks(json_object *config, const struct net_request *request)
{
    const sumi_recipe *recipe = request->recipe;
    int64_t heads = recipe_int(recipe, "model.heads");
    return net_add_channels(config, request) && net_add_size(config, request)
           && member_whole(config, "num_attention_heads", heads)
           && member_whole(config, "attention_head_dim", net_width(request) / heads)
           && member_whole(config, "num_layers", net_depth(request))
           && member_whole(config, "patch_size", recipe_int(recipe, "model.patch"));
}

static bool add_dit(json_object *config, const struct net_request *request)
{
    return add_blocks(config, request)
           && member_text(config, "_class_name", "DiTTransformer2DModel")
           && member_whole(config, "num_embeds_ada_norm", request->classes);
}

/* The rows of classes are as wide as the tokens. Without a table of stored positions, those of
   other sizes are interpolated. */
static bool add_mmdit(json_object *config, const struct net_request *request)
{
    int64_t width = net_width(request);
    return add_blocks(config, request)
           && member_text(config, "_class_name", "SD3Transformer2DModel")
           && member_whole(config, "joint_attention_dim", width)
           && member_whole(config, "caption_projection_dim", width)
           && member_whole(config, "pooled_projection_dim", width)
           && member_null(config, "pos_embed_max_size")
           && member_text(config, "qk_norm", "rms_norm")
           && member_whole(config, "_num_classes", request->classes);
}

const struct net_kind net_kind_dit = {.name = "dit", .check = check_transformer, .add = add_dit};
const struct net_kind net_kind_mmdit = {
    .name = "mmdit", .check = check_transformer, .add = add_mmdit};
