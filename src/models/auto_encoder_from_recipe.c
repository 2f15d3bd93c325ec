/* SPDX-License-Identifier: Apache-2.0 */
/* The auto-encoder that a recipe describes, for the pictures of a data set. */
#include <string.h>

#include "data/data.h"
#include "models/auto_encoder.h"

sumi_status auto_encoder_check_data(const sumi_auto_encoder *runner, const sumi_data *data)
{
    const struct auto_encoder *net = runner->part->net;
    struct shape one = {.rank = 4, .size = {1}};
    if (sumi_data_kind(data) != SUMI_PICTURE) {
        return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                            "%s: the auto-encoder takes pictures, which these items are not",
                            data->name);
    }
    memcpy(one.size + 1, data->shape, 3 * sizeof *one.size);
    TRY(auto_encoder_check_pictures(runner, &one));
    if (net->in_channels == net->out_channels) return SUMI_OK;
    return context_fail(runner->context, SUMI_ERROR_ARGUMENT,
                        "the auto-encoder takes pictures of %lld channels, but gives %lld; one "
                        "that is trained gives back what it takes",
                        (long long)net->in_channels, (long long)net->out_channels);
}

sumi_status sumi_auto_encoder_create_from_recipe(sumi_context *context, const sumi_recipe *recipe,
                                                 const sumi_data *data,
                                                 sumi_auto_encoder **auto_encoder)
{
    static const char *const sections[] = {"model", "noise", "latents", NULL};
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
    if (status == SUMI_OK) status = auto_encoder_check_data(*auto_encoder, data);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_auto_encoder_free(*auto_encoder);
    *auto_encoder = NULL;
    return status;
}
