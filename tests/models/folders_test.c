/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON files of a DiTPipeline as diffusers writes them: they are read, and what is saved again
   has every member of theirs with the same value. Skipped where the reference is not there. */
#include <json-c/json.h>

#include "models/model.h"
#include "models/tiny.h"

static const char *const files[] = {"model_index.json", "scheduler/scheduler_config.json",
                                    "transformer/config.json", "vae/config.json"};
enum { FILES = sizeof files / sizeof *files, TRANSFORMER = 2, CODER = 3 };

static json_object *member(json_object *object, const char *key)
{
    json_object *value = NULL;
    if (!json_object_object_get_ex(object, key, &value)) fail_msg("there is no \"%s\"", key);
    return value;
}

/* The reference's texts of that folder. */
static void read_texts(json_object *whole, const char *folder, const char *texts[FILES])
{
    json_object *of = member(member(member(whole, "folders"), folder), "files");
    for (int i = 0; i < FILES; i++)
        texts[i] = json_object_get_string(member(member(of, files[i]), "text"));
}

/* A folder with those texts and weights of their shapes. */
static void write_folder(scratch *room, const char *const texts[FILES])
{
    sumi_model *model = NULL;
    sumi_auto_encoder *coder = NULL;
    char path[64];
    CHECK_OK(room->context, sumi_model_create(room->context, texts[TRANSFORMER], 1, &model));
    CHECK_OK(room->context, sumi_auto_encoder_create(room->context, texts[CODER], 1, &coder));
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "m")));
    CHECK_OK(room->context, sumi_auto_encoder_save(coder, scratch_path(room, "m/vae")));
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "m/%s", files[i]);
        tiny_write(room, path, texts[i]);
    }
    sumi_model_free(model);
    sumi_auto_encoder_free(coder);
}

/* Whether each member of the reference is in the other with its value. The version is that of the
   program, and a name of a file is its own. */
static void check_members(const char *file, const char *reference, const char *other)
{
    json_object *wanted = json_tokener_parse(reference), *found = json_tokener_parse(other);
    assert_non_null(wanted);
    assert_non_null(found);
    json_object_object_foreach(wanted, key, value)
    {
        json_object *own = NULL;
        if (strcmp(key, "_diffusers_version") == 0) continue;
        bool there = json_object_object_get_ex(found, key, &own);
        if (!there || !json_object_equal(value, own))
            fail_msg("%s: \"%s\" is %s, expected %s", file, key,
                     there ? json_object_to_json_string(own) : "not there",
                     json_object_to_json_string(value));
    }
    json_object_put(wanted);
    json_object_put(found);
}

static void a_folder_of_diffusers_is_saved_again_with_its_members(void **state)
{
    scratch *room = *state;
    json_object *whole = json_object_from_file(SOURCE_FOLDER "/../shared/vectors/folders.json");
    const char *texts[FILES];
    char path[SCRATCH_PATH];
    sumi_model *model = NULL;
    if (!whole) skip();
    read_texts(whole, "dit", texts);
    write_folder(room, texts);
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "m"), &model));
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "again")));
    sumi_model_free(model);
    for (int i = 0; i < FILES; i++) {
        char *text = NULL;
        snprintf(path, sizeof path, "%s/again/%s", room->folder, files[i]);
        CHECK_OK(room->context, model_read_text(room->context, path, &text));
        check_members(files[i], texts[i], text);
        context_release(room->context, text);
    }
    json_object_put(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_folder_of_diffusers_is_saved_again_with_its_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
