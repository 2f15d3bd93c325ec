/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler_config.json of a model. */
#include "models/tiny.h"

static void a_new_model_has_the_defaults_of_diffusers(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    /* as DDPMScheduler().save_pretrained writes it */
    assert_string_equal(sumi_model_scheduler(model), "{\n"
                                                     "  \"_class_name\": \"DDPMScheduler\",\n"
                                                     "  \"_diffusers_version\": \"0.42.1\",\n"
                                                     "  \"beta_end\": 0.02,\n"
                                                     "  \"beta_schedule\": \"linear\",\n"
                                                     "  \"beta_start\": 0.0001,\n"
                                                     "  \"clip_sample\": true,\n"
                                                     "  \"clip_sample_range\": 1.0,\n"
                                                     "  \"dynamic_thresholding_ratio\": 0.995,\n"
                                                     "  \"num_train_timesteps\": 1000,\n"
                                                     "  \"prediction_type\": \"epsilon\",\n"
                                                     "  \"rescale_betas_zero_snr\": false,\n"
                                                     "  \"sample_max_value\": 1.0,\n"
                                                     "  \"steps_offset\": 0,\n"
                                                     "  \"thresholding\": false,\n"
                                                     "  \"timestep_spacing\": \"leading\",\n"
                                                     "  \"trained_betas\": null,\n"
                                                     "  \"variance_type\": \"fixed_small\"\n"
                                                     "}\n");
    sumi_model_free(model);
}

static void a_wrong_scheduler_leaves_the_old_one(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    char *before = strdup(sumi_model_scheduler(model));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "not JSON", sumi_model_set_scheduler(model, "{"));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "JSON object",
                sumi_model_set_scheduler(model, "3"));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "\"beta_start\"",
                sumi_model_set_scheduler(model, "{\"beta_start\": \"low\"}"));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "\"_class_name\"",
                sumi_model_set_scheduler(model, "{\"_class_name\": 5}"));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "\"trained_betas\"",
                sumi_model_set_scheduler(model, "{\"trained_betas\": [0.1, -2]}"));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "NULL", sumi_model_set_scheduler(model, NULL));
    assert_string_equal(sumi_model_scheduler(model), before);
    free(before);
    sumi_model_free(model);
}

static void keys_that_are_not_known_are_kept(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    CHECK_OK(room->context,
             sumi_model_set_scheduler(model, "{\"lambda_min_clipped\": -Infinity,"
                                             " \"_class_name\": \"DPMSolverMultistepScheduler\"}"));
    assert_non_null(strstr(sumi_model_scheduler(model), "\"lambda_min_clipped\": -Infinity"));
    sumi_model_free(model);
}

static void a_scheduler_without_a_class_is_that_of_ddpm(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    CHECK_OK(room->context, sumi_model_set_scheduler(model, "{\"num_train_timesteps\": 50}"));
    assert_non_null(strstr(sumi_model_scheduler(model), "\"_class_name\": \"DDPMScheduler\""));
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_new_model_has_the_defaults_of_diffusers),
        SCRATCH_TEST(a_wrong_scheduler_leaves_the_old_one),
        SCRATCH_TEST(keys_that_are_not_known_are_kept),
        SCRATCH_TEST(a_scheduler_without_a_class_is_that_of_ddpm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
