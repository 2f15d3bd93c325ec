/* SPDX-License-Identifier: Apache-2.0 */
/* Every call on models, with each of its allocations failing in turn. */
#include "failing_allocator.h"
#include "models/tiny.h"

static const float x[] = {0.5F, -0.5F, 0.1F, 0.2F}, times[] = {3, 4};

static sumi_status use_model(sumi_context *context, void *user)
{
    const char *folder = user;
    float output[4], slope[2], *gradients[32] = {NULL};
    sumi_weight weight = {.size = sizeof weight};
    sumi_array samples = {0};
    sumi_model *model = NULL, *opened = NULL;
    double loss = 0;
    sumi_status status = sumi_model_create(context, TINY_MLP, 1, &model);
    STEP(sumi_model_set_scheduler(model, "{\"num_train_timesteps\": 2}"));
    STEP(once_predict(context, model, 2, x, times, NULL, output));
    int64_t count = 0;
    while (status == SUMI_OK && sumi_model_weight(model, count, &weight)) count++;
    if (count) gradients[count - 1] = slope;
    STEP(once_gradient(context, model, 2, x, times, &loss, gradients));
    STEP(sumi_model_sample(model, NULL, 2, NULL, &samples));
    STEP(sumi_model_save(model, folder));
    STEP(sumi_model_open(context, folder, &opened));
    sumi_array_release(context, &samples);
    sumi_model_free(opened);
    sumi_model_free(model);
    return status;
}

static sumi_status use_session(sumi_context *context, void *user)
{
    (void)user;
    sumi_model *model = NULL;
    sumi_session *session = NULL;
    sumi_array samples = {0};
    float output[4], products[4];
    sumi_status status =
        sumi_model_create(context,
                          "{\"_class_name\": \"SumiMLPModel\", \"width\": 4, \"depth\": 1,"
                          " \"num_class_embeds\": 2}",
                          1, &model);
    STEP(sumi_model_set_scheduler(model, "{\"num_train_timesteps\": 5}"));
    STEP(once_open(context, model, 1, (int32_t[]){1}, &session));
    STEP(once_set(context, session, 2, (int32_t[]){1, 0}));
    STEP(sumi_session_denoiser(session, 2, 2, 2, x, times, output));
    STEP(sumi_session_product(session, 2, 2, 2, x, times, x, output, products));
    STEP(sumi_session_score(session, 2, x, 3, output));
    STEP(sumi_session_set_condition(session, NULL));
    STEP(sumi_session_sample(session, NULL, 2, NULL, NULL, &samples));
    sumi_array_release(context, &samples);
    sumi_session_free(session);
    sumi_model_free(model);
    return status;
}

static sumi_status use_recipe(sumi_context *context, void *user)
{
    (void)user;
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_status status = sumi_recipe_open(context, "points", &recipe);
    STEP(sumi_recipe_set(recipe, "data.count=10"));
    STEP(sumi_recipe_set(recipe, "model.width=4"));
    STEP(sumi_recipe_set(recipe, "model.depth=1"));
    STEP(sumi_data_open(context, recipe, &data));
    STEP(sumi_model_create_from_recipe(context, recipe, data, &model));
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return status;
}

static const char TINY_CODER[] =
    "{\"_class_name\": \"AutoencoderTiny\", \"in_channels\": 1, \"out_channels\": 1,"
    " \"encoder_block_out_channels\": [2], \"decoder_block_out_channels\": [2],"
    " \"num_encoder_blocks\": [0], \"num_decoder_blocks\": [0], \"latent_channels\": 1}";

static sumi_status use_auto_encoder(sumi_context *context, void *user)
{
    const char *folder = user;
    float values[64] = {0.5F, -0.5F};
    sumi_array pictures = {4, {1, 8, 8, 1}, values}, latents = {0}, again = {0}, tiled = {0};
    sumi_auto_encoder *made = NULL, *opened = NULL;
    char file[SCRATCH_PATH];
    snprintf(file, sizeof file, "%s.safetensors", folder);
    sumi_status status = sumi_auto_encoder_create(context, TINY_CODER, 1, &made);
    STEP(sumi_auto_encoder_save(made, folder));
    STEP(sumi_auto_encoder_open(context, folder, &opened));
    STEP(sumi_auto_encoder_encode(opened, &pictures, NULL, &latents));
    STEP(sumi_auto_encoder_write_latents(opened, file, &latents));
    STEP(sumi_auto_encoder_read_latents(opened, file, &again));
    STEP(sumi_auto_encoder_set(opened, "tile", "4"));
    STEP(sumi_auto_encoder_decode(opened, &again, &tiled));
    sumi_array_release(context, &latents);
    sumi_array_release(context, &again);
    sumi_array_release(context, &tiled);
    sumi_auto_encoder_free(made);
    sumi_auto_encoder_free(opened);
    return status;
}

/* Encodes two pictures with the auto-encoder in a folder, and opens a model over their latents.
   Files of a call that failed are removed before. */
static sumi_status use_latents(sumi_context *context, void *user)
{
    static const char *const settings[] = {
        "data.kind=noise",      "data.shape=8, 8, 1",       "data.count=2",
        "latents.file_items=1", "model.kind=unet2d",        "model.channels=2",
        "model.groups=1",       "model.layers_per_block=1", "noise.clip=no",
    };
    char cache[SCRATCH_PATH], setting[SCRATCH_PATH + 32];
    sumi_recipe *recipe = NULL;
    sumi_data *pictures = NULL, *latents = NULL;
    sumi_model *model = NULL;
    snprintf(cache, sizeof cache, "%.480s-cache", (const char *)user);
    scratch_remove(cache);
    sumi_status status = sumi_recipe_parse(context, "", "test", &recipe);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        STEP(sumi_recipe_set(recipe, settings[i]));
    snprintf(setting, sizeof setting, "latents.auto_encoder=%s", (const char *)user);
    STEP(sumi_recipe_set(recipe, setting));
    snprintf(setting, sizeof setting, "latents.folder=%s", cache);
    STEP(sumi_recipe_set(recipe, setting));
    STEP(sumi_data_open(context, recipe, &pictures));
    STEP(sumi_data_encode(context, recipe, pictures, NULL, NULL, &latents));
    STEP(sumi_model_create_from_recipe(context, recipe, latents, &model));
    sumi_model_free(model);
    sumi_data_free(latents);
    sumi_data_free(pictures);
    sumi_recipe_free(recipe);
    return status;
}

static sumi_status use_describe(sumi_context *context, void *user)
{
    char *text = NULL;
    sumi_status status = sumi_describe(context, user, &text);
    sumi_text_release(context, text);
    return status;
}

/* ---- The tests ---- */

static void models_survive_every_failure(void **state)
{
    scratch *room = *state;
    char folder[SCRATCH_PATH], file[SCRATCH_PATH];
    strcpy(folder, scratch_path(room, "m"));
    strcpy(file, scratch_path(room, "m/unet/diffusion_pytorch_model.safetensors"));
    for_each_failure(use_model, folder);
    for_each_failure(use_describe, folder);
    for_each_failure(use_describe, file);
}

static void auto_encoders_survive_every_failure(void **state)
{
    scratch *room = *state;
    char folder[SCRATCH_PATH];
    strcpy(folder, scratch_path(room, "vae"));
    for_each_failure(use_auto_encoder, folder);
    for_each_failure(use_describe, folder);
}

static void latents_of_data_sets_survive_every_failure(void **state)
{
    scratch *room = *state;
    char folder[SCRATCH_PATH];
    sumi_auto_encoder *made = NULL;
    strcpy(folder, scratch_path(room, "vae"));
    CHECK_OK(room->context, sumi_auto_encoder_create(room->context, TINY_CODER, 1, &made));
    CHECK_OK(room->context, sumi_auto_encoder_save(made, folder));
    sumi_auto_encoder_free(made);
    for_each_failure(use_latents, folder);
}

static void sessions_survive_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_session, NULL);
}

static void models_of_recipes_survive_every_failure(void **state)
{
    (void)state;
    for_each_failure(use_recipe, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(models_survive_every_failure),
        SCRATCH_TEST(auto_encoders_survive_every_failure),
        SCRATCH_TEST(latents_of_data_sets_survive_every_failure),
        SCRATCH_TEST(sessions_survive_every_failure),
        SCRATCH_TEST(models_of_recipes_survive_every_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
