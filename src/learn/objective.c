/* SPDX-License-Identifier: Apache-2.0 */
/* The table of objectives, and what they share. */
#include "learn/label_dropout.h"

#include <string.h>

#include "learn/keys.h"

static const struct objective_type *const types[] = {
    &objective_denoising,  &objective_variational,  &objective_hybrid,
    &objective_sliced,     &objective_bits,         &objective_betas,
    &objective_likelihood, &objective_auto_encoder, &objective_classification,
};

const struct option objective_keys[] = {
    {CHOICE_OPTION("train.objective", "denoising",
                   "denoising|variational|hybrid|sliced|bits|"
                   "betas|likelihood|autoencoder|classification",
                   "what the network is trained for")},
    {.name = NULL},
};

/* What is trained must be what the objective is for. */
static sumi_status check_trained(const struct learning *learning, const struct objective_type *type)
{
    bool coder = learning->auto_encoder != NULL;
    if (coder == type->of_auto_encoders) return SUMI_OK;
    return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                        coder ? "an auto-encoder needs train.objective = autoencoder, not %s"
                              : "train.objective = %s trains auto-encoders, and this is a model: "
                                "see sumi_trainer_create_auto_encoder",
                        type->name);
}

static sumi_status check_bits(const struct learning *learning, const struct objective_type *type)
{
    bool bits = model_is_binomial(learning->model);
    if (bits == type->of_bits) return SUMI_OK;
    return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                        bits ? "a diffusion of bits needs train.objective = bits, not %s"
                             : "train.objective = %s is for a diffusion of bits: set noise.path ="
                               " binomial",
                        type->name);
}

/* A model must fit the data, and the objective. */
static sumi_status check_model(const struct learning *learning, const struct objective_type *type)
{
    TRY(objective_check_data(learning));
    TRY(label_dropout_check(learning));
    return check_bits(learning, type);
}

/* The type that the recipe names; NULL where the recipe's tables are not those of this file. */
static const struct objective_type *find_type(const sumi_recipe *recipe)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (recipe_is(recipe, "train.objective", types[i]->name)) return types[i];
    return NULL;
}

int64_t objective_opening(const sumi_recipe *recipe)
{
    const struct objective_type *type = find_type(recipe);
    return type && type->opening ? type->opening(recipe) : 0;
}

static sumi_status create(const struct learning *learning, struct objective *objective)
{
    const struct objective_type *type = find_type(learning->recipe);
    if (!type) {
        return context_fail(learning->context, SUMI_ERROR_ARGUMENT,
                            "there is no objective \"%s\" for train.objective",
                            recipe_text(learning->recipe, "train.objective"));
    }
    TRY(check_trained(learning, type));
    if (learning->model) TRY(check_model(learning, type));
    return type->create(learning, objective);
}

sumi_status objective_create(const struct learning *learning, struct objective *objective)
{
    *objective = (struct objective){.user = NULL};
    sumi_status status = create(learning, objective);
    if (status != SUMI_OK) *objective = (struct objective){.user = NULL};
    return status;
}

/* Refuses networks with inputs other than the class, because data sets have only classes. */
static sumi_status check_inputs(const struct learning *learning)
{
    sumi_input input = {.size = sizeof input};
    for (int i = NET_TIMES + 1; sumi_model_input(learning->model, i, &input); i++) {
        if (input.optional || strcmp(input.name, "class") == 0) continue;
        return context_fail(
            learning->context, SUMI_ERROR_UNSUPPORTED,
            "the network needs \"%s\" for each item, which the data set does not have", input.name);
    }
    return SUMI_OK;
}

sumi_status objective_check_data(const struct learning *learning)
{
    sumi_context *context = learning->context;
    struct shape wanted, given;
    wanted.rank = sumi_model_shape(learning->model, wanted.size);
    given.rank = sumi_data_shape(learning->data, given.size);
    if (!shape_equal(&wanted, &given)) {
        char want[SHAPE_TEXT], have[SHAPE_TEXT];
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the model takes items of shape %s, but the data set has %s",
                            shape_text(&wanted, want), shape_text(&given, have));
    }
    int classes = sumi_model_classes(learning->model), known = sumi_data_classes(learning->data);
    if (classes && known > classes) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the model has %d classes, but the data set has %d", classes, known);
    }
    if (classes && !known) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the model needs a class for each item, but the data set has none: "
                            "set data.labels=yes or model.class_conditional=no");
    }
    return check_inputs(learning);
}

sumi_node objective_item_means(sumi_graph *graph, sumi_node each)
{
    if (each < 0) return -1;
    unsigned all = (1u << graph_shape(graph, each)->rank) - 1;
    int64_t batch = graph_shape(graph, each)->size[0];
    return sumi_op_reshape(graph, sumi_op_mean(graph, each, all & ~1u), 1, &batch);
}
