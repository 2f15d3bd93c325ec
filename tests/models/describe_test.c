/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions of files and folders. */
#include "base/json.h"
#include "models/tiny.h"

static json_object *describe(scratch *room, const char *name)
{
    char *text = NULL;
    json_object *what = NULL;
    CHECK_OK(room->context, sumi_describe(room->context, scratch_path(room, name), &text));
    CHECK_OK(room->context, json_parse(room->context, text, strlen(text), "description", &what));
    sumi_text_release(room->context, text);
    return what;
}

static void check_member(json_object *what, const char *key, const char *expected)
{
    json_object *value = json_object_object_get(what, key);
    assert_string_equal(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), expected);
}

static void a_model_folder_is_described(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "m")));
    json_object *what = describe(room, "m");
    check_member(what, "kind", "\"model\"");
    check_member(what, "class", "\"SumiMLPModel\"");
    check_member(what, "shape", "[2]");
    check_member(what, "classes", "0");
    /* width 8, one layer: time MLP 8*32+32 + 32*32+32, linear_in 2*8+8, layer 32*8+8 + 2(8*8+8),
       linear_out 8*2+2 */
    check_member(what, "parameters", "1794");
    check_member(what, "tensor_count", "14");
    check_member(json_object_object_get(what, "config"), "width", "8");
    check_member(json_object_object_get(what, "scheduler"), "beta_end", "0.02");
    json_object_put(what);
    sumi_model_free(model);
}

static void tensors_of_a_file_are_listed_with_what_is_wrong_in_them(void **state)
{
    scratch *room = *state;
    const float good[] = {1, 2, 3, 4, 5, 9}, bad[] = {0, NAN, INFINITY};
    const safetensors_entry entries[] = {{"good", NUMBER_F32, 2, {2, 3}, good},
                                         {"bad", NUMBER_F16, 1, {3}, bad}};
    const safetensors_text metadata = {"made_by", "hand"};
    CHECK_OK(room->context, safetensors_write(room->context, scratch_path(room, "a.safetensors"),
                                              entries, 2, &metadata, 1));
    json_object *what = describe(room, "a.safetensors");
    check_member(what, "kind", "\"safetensors\"");
    check_member(what, "tensor_count", "2");
    check_member(what, "parameters", "9");
    check_member(what, "nan", "1");
    check_member(what, "infinite", "1");
    check_member(json_object_object_get(what, "metadata"), "made_by", "\"hand\"");
    json_object *list = json_object_object_get(what, "tensors");
    json_object *first = json_object_array_get_idx(list, 0);
    check_member(first, "name", "\"good\"");
    check_member(first, "dtype", "\"F32\"");
    check_member(first, "shape", "[2,3]");
    check_member(first, "mean", "4.0");
    check_member(json_object_array_get_idx(list, 1), "dtype", "\"F16\"");
    check_member(json_object_array_get_idx(list, 1), "nan", "1");
    json_object_put(what);
}

static void an_array_is_described(void **state)
{
    scratch *room = *state;
    sumi_array array = {0};
    CHECK_OK(room->context, sumi_array_create(room->context, 2, (int64_t[]){2, 2}, &array));
    memcpy(array.data, (float[]){-1.5F, 0.25F, 2, 0.25F}, 4 * sizeof(float));
    CHECK_OK(room->context, sumi_array_write(room->context, scratch_path(room, "a.npy"), &array));
    CHECK_OK(room->context, sumi_array_write(room->context, scratch_path(room, "a.csv"), &array));
    static const char *const names[] = {"a.npy", "a.csv"};
    static const char *const kinds[] = {"\"npy\"", "\"table\""};
    for (int i = 0; i < 2; i++) {
        json_object *what = describe(room, names[i]);
        check_member(what, "kind", kinds[i]);
        check_member(what, "shape", "[2,2]");
        check_member(what, "min", "-1.5");
        check_member(what, "max", "2.0");
        check_member(what, "mean", "0.25");
        json_object_put(what);
    }
    sumi_array_release(room->context, &array);
}

static void a_picture_is_described(void **state)
{
    scratch *room = *state;
    sumi_array picture = {0};
    CHECK_OK(room->context, sumi_array_create(room->context, 3, (int64_t[]){2, 4, 1}, &picture));
    for (int i = 0; i < 8; i++) picture.data[i] = i < 4 ? -1.0F : 1.0F;
    CHECK_OK(room->context, sumi_array_write(room->context, scratch_path(room, "a.png"), &picture));
    json_object *what = describe(room, "a.png");
    check_member(what, "kind", "\"image\"");
    check_member(what, "shape", "[2,4,1]");
    check_member(what, "min", "-1.0");
    check_member(what, "max", "1.0");
    check_member(what, "mean", "0.0");
    json_object_put(what);
    sumi_array_release(room->context, &picture);
}

static void an_idx_file_is_described(void **state)
{
    static const char bytes[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 9};
    scratch *room = *state;
    FILE *stream = fopen(scratch_path(room, "labels"), "w");
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, stream), sizeof bytes);
    assert_int_equal(fclose(stream), 0);
    json_object *what = describe(room, "labels");
    check_member(what, "kind", "\"idx\"");
    check_member(what, "dtype", "\"U8\"");
    check_member(what, "shape", "[2,3]");
    check_member(what, "mean", "4.0");
    json_object_put(what);
}

static void what_is_not_there_is_named(void **state)
{
    scratch *room = *state;
    char *text = NULL;
    CHECK_FAILS(room->context, SUMI_ERROR_FILE, "nowhere: there is no such file",
                sumi_describe(room->context, scratch_path(room, "nowhere"), &text));
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_model_folder_is_described),
        SCRATCH_TEST(tensors_of_a_file_are_listed_with_what_is_wrong_in_them),
        SCRATCH_TEST(an_array_is_described),
        SCRATCH_TEST(a_picture_is_described),
        SCRATCH_TEST(an_idx_file_is_described),
        SCRATCH_TEST(what_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
