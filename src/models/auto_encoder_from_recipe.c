/* SPDX-License-Identifier: Apache-2.0 */
/* The auto-encoder that a recipe describes, for the pictures of a data set. */
#include "data/data.h"
#include "models/auto_encoder.h"

/* Refuses pictures that the auto-encoder cannot take or give back. */
static sumi_status check_fit(const sumi_auto_encoder *runner, const sumi_data *data)
{
    const struct auto_encoder *net = runner->part->net;
    int64_t shape[SUMI_MAX_RANK];
    int rank = sumi_data_shape(data, shape);
    if (rank != 3 || shape[2] != net->in_channels || shape[2] != net->out_channels) {
        return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                            "the auto-encoder takes pictures of %lld channels and gives %lld, but "
                            "the items of the data set have %d dimensions and %lld channels",
                            (long long)net->in_channels, (long long)net->out_channels, rank,
                            rank ? (long long)shape[rank - 1] : 0);
    }
    if (shape[0] % net->factor == 0 && shape[1] % net->factor == 0) return SUMI_OK;
    return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                        "the auto-encoder takes pictures whose height and width are multiples of "
                        "%lld, but those of the data set are %lldx%lld; use fewer levels or "
                        "another size",
                        (long long)net->factor, (long long)shape[0], (long long)shape[1]);
}

sumi_status sumi_auto_encoder_create_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                                                 const sumi_data *data,
                                                 sumi_auto_encoder **auto_encoder)
{
    static const char *const sections[] = {"model", "noise", NULL};
    char *config = NULL;
    int64_t shape[SUMI_MAX_RANK];
    *auto_encoder = NULL;
    TRY(recipe_check_read(context, recipe, sections));
    bool named = recipe_text(recipe, "model.config")[0] != '\0';
    if (!named && !recipe_is(recipe, "model.kind", "autoencoder")) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "train.objective = autoencoder needs model.kind = autoencoder, not %s",
                            recipe_text(recipe, "model.kind"));
    }
    sumi_data_shape(data, shape);
    TRY(config_from_recipe(context, recipe, sumi_data_kind(data), shape, sumi_data_classes(data),
                           &config));
    uint64_t seed = recipe_seed(recipe, "train.seed");
    sumi_status status = sumi_auto_encoder_create(context, config, seed, auto_encoder);
    context_release(context, config);
    if (status == SUMI_OK) status = check_fit(*auto_encoder, data);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_auto_encoder_free(*auto_encoder);
    *auto_encoder = NULL;
    return status;
}
