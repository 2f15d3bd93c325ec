/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a model's classes: read from a model_index.json, kept, and hostile ones survived. */
#include "base/json.h"
#include "models/tiny.h"

/* A folder "m" of a model of three classes whose model_index.json has `entry` besides its parts;
   the status of opening it. */
static sumi_status open_with(scratch *room, const char *entry, sumi_model **model)
{
    size_t size = strlen(entry) + 200;
    char *index = malloc(size);
    assert_non_null(index);
    sumi_model *fresh = tiny_create(room, TINY_CONDITIONAL);
    CHECK_OK(room->context, sumi_model_save(fresh, scratch_path(room, "m")));
    sumi_model_free(fresh);
    snprintf(index, size,
             "{\"scheduler\": [\"diffusers\", \"DDPMScheduler\"],"
             " \"unet\": [\"diffusers\", \"UNet2DModel\"], %s}",
             entry);
    tiny_write(room, "m/model_index.json", index);
    free(index);
    return sumi_model_open(room->context, scratch_path(room, "m"), model);
}

/* diffusers' DiTPipeline has the key without the underscore, and Sumi saves the other. */
static void names_of_either_key_come_back_from_a_saved_model(void **state)
{
    static const char *const KEYS[] = {"id2label", "_id2label"};
    scratch *room = *state;
    for (int i = 0; i < 2; i++) {
        char entry[100];
        sumi_model *model = NULL, *again = NULL;
        json_object *index = NULL;
        snprintf(entry, sizeof entry, "\"%s\": {\"2\": \"dog, hound\", \"0\": \"cat\"}", KEYS[i]);
        CHECK_OK(room->context, open_with(room, entry, &model));
        CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "copy")));
        CHECK_OK(
            room->context,
            json_read_file(room->context, scratch_path(room, "copy/model_index.json"), &index));
        assert_null(json_object_object_get(index, "id2label"));
        assert_non_null(json_object_object_get(index, "_id2label"));
        json_object_put(index);
        CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "copy"), &again));
        assert_string_equal(sumi_model_class_name(again, 0), "cat");
        assert_null(sumi_model_class_name(again, 1));
        assert_string_equal(sumi_model_class_name(again, 2), "dog, hound");
        sumi_model_free(again);
        sumi_model_free(model);
    }
}

static void a_model_without_names_has_none_and_writes_none(void **state)
{
    scratch *room = *state;
    json_object *index = NULL;
    sumi_model *model = tiny_create(room, TINY_CONDITIONAL);
    assert_null(sumi_model_class_name(model, 0));
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "m")));
    CHECK_OK(room->context,
             json_read_file(room->context, scratch_path(room, "m/model_index.json"), &index));
    assert_false(json_object_object_get_ex(index, "_id2label", NULL));
    json_object_put(index);
    sumi_model_free(model);
}

static void keys_that_are_no_classes_of_the_network_name_nothing(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    CHECK_OK(room->context,
             open_with(room,
                       "\"id2label\": {\"3\": \"x\", \"-1\": \"x\", \"one\": \"x\", \"\": \"x\", "
                       "\"99999999999999999999\": \"x\", \"1\": \"bird\"}",
                       &model));
    assert_null(sumi_model_class_name(model, 0));
    assert_string_equal(sumi_model_class_name(model, 1), "bird");
    assert_null(sumi_model_class_name(model, 2));
    assert_null(sumi_model_class_name(model, 3));
    sumi_model_free(model);
}

static void names_of_a_wrong_type_are_refused(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "\"id2label\" should be an object",
                open_with(room, "\"id2label\": [\"cat\"]", &model));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT,
                "the name of class 1 in \"_id2label\" should be a text",
                open_with(room, "\"_id2label\": {\"1\": 7}", &model));
    CHECK_OK(room->context, open_with(room, "\"id2label\": null", &model));
    sumi_model_free(model);
}

static void a_name_that_is_long_or_steers_a_terminal_is_kept_tame(void **state)
{
    enum { LENGTH = 100000 };
    scratch *room = *state;
    sumi_model *model = NULL;
    char *entry = malloc(LENGTH + 100);
    assert_non_null(entry);
    int start = sprintf(entry, "\"id2label\": {\"0\": \"a\\u001b[2J\\n\", \"1\": \"");
    memset(entry + start, 'x', LENGTH);
    strcpy(entry + start + LENGTH, "\"}");
    CHECK_OK(room->context, open_with(room, entry, &model));
    assert_string_equal(sumi_model_class_name(model, 0), "a?[2J?");
    assert_int_equal(strlen(sumi_model_class_name(model, 1)), LENGTH);
    sumi_model_free(model);
    free(entry);
}

static void a_million_names_do_no_harm(void **state)
{
    enum { COUNT = 1000000, ENTRY = 13 };
    scratch *room = *state;
    sumi_model *model = NULL;
    char *entry = malloc((size_t)COUNT * ENTRY + 100);
    assert_non_null(entry);
    char *end = entry + sprintf(entry, "\"id2label\": {\"0\": \"cat\"");
    for (int i = 1; i < COUNT; i++) end += sprintf(end, ",\"%d\":\"\"", i);
    strcpy(end, "}");
    CHECK_OK(room->context, open_with(room, entry, &model));
    assert_string_equal(sumi_model_class_name(model, 0), "cat");
    assert_string_equal(sumi_model_class_name(model, 2), "");
    assert_null(sumi_model_class_name(model, 3));
    sumi_model_free(model);
    free(entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(names_of_either_key_come_back_from_a_saved_model),
        SCRATCH_TEST(a_model_without_names_has_none_and_writes_none),
        SCRATCH_TEST(keys_that_are_no_classes_of_the_network_name_nothing),
        SCRATCH_TEST(names_of_a_wrong_type_are_refused),
        SCRATCH_TEST(a_name_that_is_long_or_steers_a_terminal_is_kept_tame),
        SCRATCH_TEST(a_million_names_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
