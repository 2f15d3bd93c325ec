/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of networks of recipes, and the keys and checks that several of them share; see
   recipe.h. */
#include "nets/recipe.h"

#include <string.h>

static const struct net_kind *const kinds[] = {&net_kind_unet2d, &net_kind_unet1d,
                                               &net_kind_mlp,    &net_kind_dit,
                                               &net_kind_mmdit,  &net_kind_auto_encoder};

/* ---- Keys ---- */

#define NO_DIT "model.kind=unet2d|unet1d|mlp, model.config="
#define A_DENOISER "model.kind=unet2d|unet1d|mlp|dit|mmdit, model.config="

static const struct option kind_keys[] = {
    {CHOICE_OPTION(
        "model.kind", "unet2d", "unet2d|unet1d|mlp|dit|mmdit|autoencoder",
        "network: U-Net of pictures or signals, perceptron of points, diffusion transformer with "
        "one stream of tokens or two, or auto-encoder")},
    {.name = NULL},
};

/* Read by the functions of this file. */
static const struct option shared_keys[] = {
    {CHOICE_OPTION("model.time_embedding", "positional", "positional|fourier",
                   "encoding of the time"),
     .when = NO_DIT},
    {FLAG_OPTION("model.class_conditional", "no",
                 "give the network the class (needs data.labels = yes)"),
     .when = A_DENOISER},
    {NUMBER_OPTION("model.dropout", "0", 0, 0.95, "fraction of features dropped while training"),
     .when = "model.kind=unet2d|unet1d|mlp|dit, model.config="},
    {CHOICE_OPTION("model.activation", "silu", "silu|relu|gelu|mish",
                   "activation function of the network"),
     .when = "model.kind=unet2d|unet1d|mlp|autoencoder, model.config="},
    {WHOLE_OPTION("model.width", "128", 1, 65536,
                  "features of each hidden layer of an mlp, or of each token of a dit or mmdit"),
     .when = "model.kind=mlp|dit|mmdit, model.config="},
    {WHOLE_OPTION("model.depth", "4", 1, 64,
                  "number of hidden layers of an mlp, or of blocks of a dit or mmdit"),
     .when = "model.kind=mlp|dit|mmdit, model.config="},
    {.name = NULL},
};

/* Read in models/from_recipe.c, in place of all others. */
static const struct option config_keys[] = {
    {PATH_OPTION("model.config", "", "path of a config.json that replaces all other [model] keys")},
    {.name = NULL},
};

const struct option *const model_tables[] = {
    kind_keys, unet_recipe_keys, shared_keys, transformer_recipe_keys, config_keys, NULL,
};

/* ---- Checks ---- */

/* Items must be of the kind that the network is for. */
static sumi_status check_kind(const struct net_request *request)
{
    const char *network = recipe_text(request->recipe, "model.kind");
    const struct item_type *wanted = item_type_of_network(network);
    const struct item_type *given = item_type_of(request->kind);
    if (wanted->kind == given->kind) return SUMI_OK;
    if (!given->network) {
        return context_fail(request->context, SUMI_ERROR_ARGUMENT,
                            "model.kind = %s is for %s, but the items of the data set are %s, for "
                            "which there is no network",
                            network, wanted->words, given->words);
    }
    return context_fail(request->context, SUMI_ERROR_ARGUMENT,
                        "model.kind = %s is for %s, but the data set's items have %d dimensions; "
                        "use model.kind = %s for those",
                        network, wanted->words, request->rank, given->network);
}

static sumi_status check_classes(const struct net_request *request)
{
    if (!net_takes_classes(request) || request->classes > 0) return SUMI_OK;
    return context_fail(request->context, SUMI_ERROR_ARGUMENT,
                        "model.class_conditional = yes needs items with labels; set data.labels = "
                        "yes, if the data set has them");
}

/* It takes the logarithm of the time input and divides the output by it. */
sumi_status net_check_times(const struct net_request *request)
{
    if (!recipe_is(request->recipe, "model.time_embedding", "fourier") || request->times_are_sigma)
        return SUMI_OK;
    return context_fail(request->context, SUMI_ERROR_ARGUMENT,
                        "model.time_embedding = fourier takes the logarithm of the noise level; "
                        "set noise.time = sigma, or use positional");
}

/* ---- Values ---- */

bool net_takes_classes(const struct net_request *request)
{
    return recipe_flag(request->recipe, "model.class_conditional");
}

int64_t net_width(const struct net_request *request)
{
    return recipe_int(request->recipe, "model.width");
}

int64_t net_depth(const struct net_request *request)
{
    return recipe_int(request->recipe, "model.depth");
}

/* ---- Members ---- */

bool net_add_activation(json_object *config, const struct net_request *request)
{
    return member_text(config, "act_fn", recipe_text(request->recipe, "model.activation"));
}

bool net_add_size(json_object *config, const struct net_request *request)
{
    if (request->kind == SUMI_PICTURE && request->shape[0] != request->shape[1])
        return member_wholes(config, "sample_size", 2, request->shape);
    return member_whole(config, "sample_size", request->shape[0]);
}

bool net_add_channels(json_object *config, const struct net_request *request)
{
    int64_t channels = request->shape[request->rank - 1];
    return member_whole(config, "in_channels", channels)
           && member_whole(config, "out_channels",
                           request->out_channels ? request->out_channels
                                                 : channels * request->outputs)
           && member_number(config, "dropout", recipe_number(request->recipe, "model.dropout"));
}

static bool add_classes(json_object *config, const struct net_request *request)
{
    if (!request->null_class) return member_whole(config, "num_class_embeds", request->classes);
    return member_whole(config, "num_class_embeds", request->classes + 1)
           && member_whole(config, "_null_class", request->classes);
}

bool net_add_common(json_object *config, const struct net_request *request)
{
    return net_add_channels(config, request)
           && member_text(config, "time_embedding_type",
                          recipe_text(request->recipe, "model.time_embedding"))
           && net_add_activation(config, request)
           && (!net_takes_classes(request) || add_classes(config, request));
}

/* ---- The config ---- */

const struct net_kind *net_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
    return NULL;
}

sumi_status net_config_from_recipe(const struct net_request *request, const char *source,
                                   char **text)
{
    const struct net_kind *kind = net_kind_find(recipe_text(request->recipe, "model.kind"));
    TRY(check_kind(request));
    TRY(check_classes(request));
    TRY(kind->check(request));
    json_object *config = json_object_new_object();
    bool complete = config && kind->add(config, request);
    sumi_status status = members_check(request->context, complete, source);
    if (status == SUMI_OK) status = json_to_text(request->context, config, text);
    json_object_put(config);
    return status;
}
