/* SPDX-License-Identifier: Apache-2.0 */
/* Model folders, valid and invalid: each error is a message that names its place. */
#include "base/file.h"
#include "models/tiny.h"

static void check_unopened(scratch *room, const char *name, sumi_status status, const char *part)
{
    sumi_model *model = NULL;
    CHECK_FAILS(room->context, status, part,
                sumi_model_open(room->context, scratch_path(room, name), &model));
    assert_null(model);
}

/* A good pipeline folder "m" to spoil. */
static void save_tiny(scratch *room)
{
    sumi_model *model = tiny_create(room, TINY_UNET);
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "m")));
    sumi_model_free(model);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    check_unopened(*state, "nowhere", SUMI_ERROR_FILE, "nowhere: there is no such model folder");
}

static void a_file_that_is_no_checkpoint_is_refused(void **state)
{
    scratch *room = *state;
    tiny_write(room, "model.safetensors", "weights");
    check_unopened(room, "model.safetensors", SUMI_ERROR_FORMAT,
                   "7 bytes are too few for a safetensors file");
}

static void an_empty_folder_is_no_model(void **state)
{
    scratch *room = *state;
    tiny_folder(room, "m");
    check_unopened(room, "m", SUMI_ERROR_FORMAT, "neither model_index.json nor config.json");
}

static void an_index_that_is_no_json_is_refused(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    tiny_write(room, "m/model_index.json", "{\"unet\": ");
    check_unopened(room, "m", SUMI_ERROR_FORMAT, "model_index.json: not JSON at byte");
}

static void an_index_that_is_no_object_is_refused(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    tiny_write(room, "m/model_index.json", "[1, 2]");
    check_unopened(room, "m", SUMI_ERROR_FORMAT, "should be a JSON object");
}

static void an_index_without_a_network_is_refused(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    tiny_write(room, "m/model_index.json", "{\"scheduler\": [\"diffusers\", \"DDPMScheduler\"]}");
    check_unopened(room, "m", SUMI_ERROR_FORMAT, "there should be a part \"unet\"");
}

static void a_pipeline_with_more_parts_is_refused(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    tiny_write(room, "m/model_index.json",
               "{\"scheduler\": [\"diffusers\", \"DDPMScheduler\"],"
               " \"unet\": [\"diffusers\", \"UNet2DModel\"],"
               " \"prior\": [\"diffusers\", \"PriorTransformer\"]}");
    check_unopened(room, "m", SUMI_ERROR_UNSUPPORTED, "\"prior\" of class PriorTransformer");
}

static void a_second_part_of_a_kind_that_can_run_once_is_refused(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    tiny_write(room, "m/model_index.json",
               "{\"scheduler\": [\"diffusers\", \"DDPMScheduler\"],"
               " \"unet\": [\"diffusers\", \"UNet2DModel\"],"
               " \"unet_2\": [\"diffusers\", \"UNet2DModel\"]}");
    check_unopened(room, "m", SUMI_ERROR_UNSUPPORTED, "\"unet_2\" of class UNet2DModel");
}

static void known_kinds_and_unknown_parts_are_refused_by_name(void **state)
{
    static const char *const parts[][3] = {
        {"image_encoder", "CLIPVisionModelWithProjection", "of the kind image encoder"},
        {"prior", "PriorTransformer", "of the kind prior"},
        {"vocoder", "SpeechT5HifiGan", "one that this version cannot run"}};
    scratch *room = *state;
    save_tiny(room);
    for (int i = 0; i < 3; i++) {
        char index[256], wanted[128];
        snprintf(index, sizeof index,
                 "{\"scheduler\": [\"diffusers\", \"DDPMScheduler\"], \"unet\": [\"diffusers\","
                 " \"UNet2DModel\"], \"%s\": [\"transformers\", \"%s\"]}",
                 parts[i][0], parts[i][1]);
        tiny_write(room, "m/model_index.json", index);
        snprintf(wanted, sizeof wanted, "\"%s\" of class %s, %s", parts[i][0], parts[i][1],
                 parts[i][2]);
        check_unopened(room, "m", SUMI_ERROR_UNSUPPORTED, wanted);
    }
}

static void a_model_lists_its_parts(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    sumi_part part = {.size = sizeof part};
    char *json = NULL;
    save_tiny(room);
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "m"), &model));
    assert_true(sumi_model_part(model, 0, &part));
    assert_string_equal(part.name, "unet");
    assert_string_equal(part.class_name, "UNet2DModel");
    assert_int_equal(part.kind, SUMI_PART_NETWORK);
    assert_true(sumi_model_part(model, 1, &part));
    assert_string_equal(part.name, "scheduler");
    assert_string_equal(part.class_name, "DDPMScheduler");
    assert_string_equal(sumi_part_kind_name(part.kind), "scheduler");
    assert_false(sumi_model_part(model, 2, &part));
    sumi_model_free(model);
    CHECK_OK(room->context, sumi_describe(room->context, scratch_path(room, "m"), &json));
    assert_non_null(strstr(json, "\"parts\""));
    assert_non_null(strstr(json, "\"kind\": \"network\""));
    sumi_text_release(room->context, json);
}

static void a_transformer_is_saved_and_opened_as_the_part_of_its_name(void **state)
{
    scratch *room = *state;
    sumi_part part = {.size = sizeof part};
    char *index = NULL;
    size_t size = 0;
    sumi_model *model = tiny_create(room, TINY_DIT);
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "t")));
    sumi_model_free(model);
    CHECK_OK(room->context, file_read(room->context, scratch_path(room, "t/model_index.json"), 4096,
                                      (void **)&index, &size));
    assert_non_null(strstr(index, "\"_class_name\": \"DiTPipeline\""));
    context_release(room->context, index);
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "t"), &model));
    assert_true(sumi_model_part(model, 0, &part));
    assert_string_equal(part.name, "transformer");
    assert_string_equal(part.class_name, "DiTTransformer2DModel");
    assert_int_equal(part.kind, SUMI_PART_NETWORK);
    assert_int_equal(sumi_model_classes(model), 3); /* without the null class */
    sumi_model_free(model);
}

static void a_pipeline_of_two_networks_is_refused(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    tiny_write(room, "m/model_index.json",
               "{\"scheduler\": [\"diffusers\", \"DDPMScheduler\"],"
               " \"unet\": [\"diffusers\", \"UNet2DModel\"],"
               " \"transformer\": [\"diffusers\", \"DiTTransformer2DModel\"]}");
    check_unopened(room, "m", SUMI_ERROR_UNSUPPORTED, "two networks, \"unet\" and \"transformer\"");
}

static void parts_that_are_absent_do_no_harm(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    save_tiny(room);
    tiny_write(room, "m/model_index.json",
               "{\"scheduler\": [\"diffusers\", \"DDPMScheduler\"],"
               " \"unet\": [\"diffusers\", \"UNet2DModel\"], \"safety_checker\": [null, null],"
               " \"requires_safety_checker\": true}");
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "m"), &model));
    sumi_model_free(model);
}

static void a_class_that_is_not_known_is_named(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    tiny_write(room, "m/unet/config.json", "{\"_class_name\": \"UNet3DConditionModel\"}");
    check_unopened(room, "m", SUMI_ERROR_UNSUPPORTED, "\"UNet3DConditionModel\"");
}

static void a_config_with_a_wrong_type_names_the_key(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    tiny_write(room, "m/unet/config.json", "{\"norm_num_groups\": \"four\"}");
    check_unopened(room, "m", SUMI_ERROR_FORMAT, "norm_num_groups");
}

static void a_config_with_a_zero_byte_is_refused(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    FILE *stream = fopen(scratch_path(room, "m/unet/config.json"), "w");
    assert_int_equal(fwrite("{}\0{}", 1, 5, stream), 5);
    assert_int_equal(fclose(stream), 0);
    check_unopened(room, "m", SUMI_ERROR_FORMAT, "config.json: contains a zero byte");
}

static void a_missing_scheduler_is_an_error(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    assert_int_equal(remove(scratch_path(room, "m/scheduler/scheduler_config.json")), 0);
    check_unopened(room, "m", SUMI_ERROR_FILE, "scheduler_config.json");
}

static void a_scheduler_with_a_wrong_value_is_refused(void **state)
{
    scratch *room = *state;
    save_tiny(room);
    tiny_write(room, "m/scheduler/scheduler_config.json",
               "{\"_class_name\": \"DDPMScheduler\", \"beta_schedule\": \"crooked\"}");
    check_unopened(room, "m", SUMI_ERROR_FORMAT, "scheduler_config.json: ");
}

static void a_lone_network_gets_the_usual_scheduler(void **state)
{
    scratch *room = *state;
    sumi_model *whole = NULL, *lone = NULL;
    save_tiny(room);
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "m"), &whole));
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "m/unet"), &lone));
    assert_string_equal(sumi_model_scheduler(whole), sumi_model_scheduler(lone));
    float *one = tiny_predict(room, whole, 1), *other = tiny_predict(room, lone, 1);
    assert_memory_equal(one, other, (size_t)tiny_size(whole) * sizeof *one);
    free(one);
    free(other);
    sumi_model_free(whole);
    sumi_model_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_folder_that_is_not_there_is_named),
        SCRATCH_TEST(a_file_that_is_no_checkpoint_is_refused),
        SCRATCH_TEST(an_empty_folder_is_no_model),
        SCRATCH_TEST(an_index_that_is_no_json_is_refused),
        SCRATCH_TEST(an_index_that_is_no_object_is_refused),
        SCRATCH_TEST(an_index_without_a_network_is_refused),
        SCRATCH_TEST(a_pipeline_with_more_parts_is_refused),
        SCRATCH_TEST(a_second_part_of_a_kind_that_can_run_once_is_refused),
        SCRATCH_TEST(known_kinds_and_unknown_parts_are_refused_by_name),
        SCRATCH_TEST(a_model_lists_its_parts),
        SCRATCH_TEST(a_transformer_is_saved_and_opened_as_the_part_of_its_name),
        SCRATCH_TEST(a_pipeline_of_two_networks_is_refused),
        SCRATCH_TEST(parts_that_are_absent_do_no_harm),
        SCRATCH_TEST(a_class_that_is_not_known_is_named),
        SCRATCH_TEST(a_config_with_a_wrong_type_names_the_key),
        SCRATCH_TEST(a_config_with_a_zero_byte_is_refused),
        SCRATCH_TEST(a_missing_scheduler_is_an_error),
        SCRATCH_TEST(a_scheduler_with_a_wrong_value_is_refused),
        SCRATCH_TEST(a_lone_network_gets_the_usual_scheduler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
