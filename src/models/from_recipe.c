/* SPDX-License-Identifier: Apache-2.0 */
/* The model that a recipe describes: its network, by the kinds in nets/recipe.h or by a config.json
   of the user's own, its scheduler, and the check that they are for the data set's items. */
#include <string.h>

#include "files/recipe.h"
#include "models/auto_encoder.h"
#include "models/model.h"
#include "nets/recipe.h"

static const char SOURCE[] = "the recipe's [model]";

/* ---- A config.json of the user's own ---- */

/* Reads it, and sets its sample_size to that of the items where it has none. */
static sumi_status read_config(const struct net_request *request, const char *path, char **text)
{
    json_object *config = NULL;
    TRY(json_read_file(request->context, path, &config));
    bool open = json_object_is_type(config, json_type_object) && request->kind != SUMI_POINTS
                && !json_object_object_get(config, "sample_size");
    bool complete = !open || net_add_size(config, request);
    sumi_status status = members_check(request->context, complete, path);
    if (status == SUMI_OK) status = json_to_text(request->context, config, text);
    json_object_put(config);
    return status;
}

/* Output channels per channel of an item: two with a learned variance, which comes after the
   prediction. */
static int64_t outputs_of(const sumi_recipe *recipe)
{
    return recipe_is(recipe, "noise.variance", "learned_range") ? 2 : 1;
}

/* The output channels of a classifier, one for each class; 0 for other networks. */
static int64_t classes_of(const sumi_recipe *recipe, int classes)
{
    return recipe_is(recipe, "train.objective", "classification") ? classes : 0;
}

sumi_status config_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                               enum sumi_item_kind kind, const int64_t *shape, int classes,
                               char **text)
{
    const struct net_request request = {
        .context = context,
        .recipe = recipe,
        .kind = kind,
        .rank = item_type_of(kind)->rank,
        .shape = shape,
        .classes = classes,
        .outputs = outputs_of(recipe),
        .out_channels = classes_of(recipe, classes),
        .null_class = recipe_number(recipe, "train.label_dropout") > 0,
        .times_are_sigma = recipe_is(recipe, "noise.time", "sigma"),
    };
    const char *path = recipe_text(recipe, "model.config");
    *text = NULL;
    return path[0] ? read_config(&request, path, text)
                   : net_config_from_recipe(&request, SOURCE, text);
}

/* ---- The model ---- */

/* Checks that the network's inputs and outputs have the shape of the items, and that it has their
   classes. */
static sumi_status check_fit(const sumi_model *model, const sumi_recipe *recipe,
                             const sumi_data *data)
{
    const struct net *net = model->net;
    struct shape items = {.rank = 0}, wanted = {.rank = net->item_rank};
    items.rank = sumi_data_shape(data, items.size);
    memcpy(wanted.size, net->item_shape, sizeof wanted.size);
    if (!shape_equal(&items, &wanted)) {
        char have[SHAPE_TEXT], want[SHAPE_TEXT];
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "the network of model.config is for items %s, but those of the data "
                            "set are %s",
                            shape_text(&wanted, want), shape_text(&items, have));
    }
    int64_t wanted_channels = classes_of(recipe, sumi_data_classes(data));
    if (!wanted_channels) wanted_channels = outputs_of(recipe) * items.size[items.rank - 1];
    if (net->out_channels != wanted_channels) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "the network of model.config has %lld output channels; for items with "
                            "%lld and noise.variance = %s it needs %lld",
                            (long long)net->out_channels, (long long)items.size[items.rank - 1],
                            recipe_text(recipe, "noise.variance"), (long long)wanted_channels);
    }
    if (net->input_count > NET_TIMES + 1 && sumi_data_classes(data) > net_classes(net)) {
        return context_fail(model->context, SUMI_ERROR_ARGUMENT,
                            "the network of model.config has %lld classes, but the data set has "
                            "%d",
                            (long long)net_classes(net), sumi_data_classes(data));
    }
    return SUMI_OK;
}

static sumi_status make(sumi_context *context, const sumi_recipe *recipe, const sumi_data *data,
                        const char *config, sumi_model **model)
{
    const char *path = recipe_text(recipe, "model.config");
    TRY(model_begin(context, config, path[0] ? path : SOURCE, model));
    TRY(check_fit(*model, recipe, data));
    TRY(model_adopt_auto_encoder(*model, recipe, data));
    TRY(class_names_copy(*model, data));
    TRY(scheduler_from_recipe(context, recipe, &(*model)->scheduler));
    return model_make_weights(*model, recipe_seed(recipe, "train.seed"));
}

sumi_status sumi_model_create_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                                          const sumi_data *data, sumi_model **model)
{
    char *config = NULL;
    int64_t shape[SUMI_MAX_RANK];
    sumi_model *made = NULL;
    static const char *const sections[] = {"model", "noise", NULL};
    *model = NULL;
    TRY(recipe_check_read(context, recipe, sections));
    if (recipe_is(recipe, "model.kind", "autoencoder") && !recipe_text(recipe, "model.config")[0]) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "model.kind = autoencoder is an auto-encoder, which is trained with "
                            "train.objective = autoencoder");
    }
    sumi_data_shape(data, shape);
    TRY(config_from_recipe(context, recipe, sumi_data_kind(data), shape, sumi_data_classes(data),
                           &config));
    sumi_status status = make(context, recipe, data, config, &made);
    context_release(context, config);
    if (status == SUMI_OK) *model = made;
    else sumi_model_free(made);
    return status;
}
