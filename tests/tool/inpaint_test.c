/* SPDX-License-Identifier: Apache-2.0 */
/* Inpainting by the command. */
#include <json-c/json.h>

#include "arrays.h"

static void what_is_known_is_kept(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 3 -q -o some.npy\n"
                     "sumi inpaint points -i some.npy --keep left --draws 2 --steps 10 -o six.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "six.npy: 2 samples for each of 3 items");
    sumi_array some = read_array(here, "some.npy"), six = read_array(here, "six.npy");
    assert_int_equal(six.shape[0], 6);
    for (int i = 0; i < 3; i++) {
        for (int draw = 0; draw < 2; draw++)
            CHECK_CLOSE(six.data[2 * (3 * draw + i)], some.data[2 * i], 1e-6);
        assert_true(fabsf(six.data[2 * i + 1] - six.data[2 * (3 + i) + 1]) > 1e-3);
    }
    free(some.data);
    free(six.data);
    run(here, "sumi inpaint points -i some.npy --draws 2 --steps 4 --seed 4 -o six.npy --json");
    CHECK_DONE(here);
    struct json_object *answer = json_tokener_parse(here->out);
    assert_string_equal(json_object_to_json_string_ext(answer, 0),
                        "{\"file\":\"six.npy\",\"shape\":[6,2],\"items\":3,\"draws\":2}");
    json_object_put(answer);
}

static void ways_to_know_that_have_no_meaning_are_refused(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 3 -q -o some.npy");
    CHECK_DONE(here);
    run(here, "sumi inpaint points -i some.npy --keep middle -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: inpaint: --keep must be one of left, right, top, bottom, not 'middle'");
    run(here, "sumi inpaint points -i some.npy --keep left --grey -o x.npy");
    CHECK_FAILED(here, 2,
                 "sumi: inpaint: --mask, --keep and --grey each define what is known; choose one");
    run(here, "sumi inpaint points -i some.npy --grey -o x.npy");
    CHECK_FAILED(here, 2, "sumi: inpaint: --grey is for models of pictures in colour");
    run(here, "sumi inpaint points -i some.npy --keep top -o x.npy");
    CHECK_FAILED(here, 2, "sumi: inpaint: only pictures have a top; use --keep left or right");
}

/* A picture, and a mask of yet another size that is bright everywhere: all of the item is known and
   comes out as it went in, which must be what the data set of that folder holds. */
static void pictures_are_scaled_as_those_of_a_data_set(void **state)
{
    place *here = *state;
    float pixels[40 * 60 * 3], white[9 * 9];
    for (int i = 0; i < 40 * 60 * 3; i++) pixels[i] = (float)(i * 7 % 256) / 127.5f - 1;
    for (int i = 0; i < 81; i++) white[i] = 1;
    write_array(here, "photo.png", &(sumi_array){3, {40, 60, 3}, pixels});
    write_array(here, "mask.png", &(sumi_array){3, {9, 9, 1}, white});
    run(here, CLASSES "mkdir photos && cp photo.png photos && "
                      "sumi inpaint digits -i photo.png --mask mask.png --label 2 --draws 1 "
                      "--steps 3 -q -o one.npy && "
                      "sumi inpaint digits -i photos --mask mask.png --label 2 --draws 1 "
                      "--steps 3 -q -o other.npy && cmp one.npy other.npy");
    CHECK_DONE(here);
    sumi_context *context = NULL;
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    char path[128];
    float item[28 * 28];
    snprintf(path, sizeof path, "data.path=%s/photos", here->folder);
    CHECK_OK(context, sumi_context_create(NULL, &context));
    CHECK_OK(context, sumi_recipe_open(context, "digits", &recipe));
    const char *const sets[] = {"data.kind=folder", "data.width=28", "data.height=28",
                                "data.channels=1", path};
    for (int i = 0; i < 5; i++) CHECK_OK(context, sumi_recipe_set(recipe, sets[i]));
    CHECK_OK(context, sumi_data_open(context, recipe, &data));
    CHECK_OK(context, sumi_data_read(data, (int64_t[]){0}, 1, item, NULL));
    sumi_array one = read_array(here, "one.npy");
    assert_int_equal(sumi_array_count(&one), 28 * 28);
    for (int i = 0; i < 28 * 28; i++) CHECK_CLOSE(one.data[i], item[i], 1e-6);
    free(one.data);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    sumi_context_free(context);
}

static void a_picture_for_a_model_of_points_is_refused(void **state)
{
    place *here = *state;
    float pixels[4] = {0};
    write_array(here, "photo.png", &(sumi_array){3, {2, 2, 1}, pixels});
    run(here, POINTS);
    run(here, "sumi inpaint points -i photo.png -o a.npy");
    CHECK_FAILED(
        here, 1,
        "sumi: photo.png: is not an .npy or .csv file, and the model takes 2, not pictures");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(what_is_known_is_kept),
        PLACE_TEST(ways_to_know_that_have_no_meaning_are_refused),
        PLACE_TEST(pictures_are_scaled_as_those_of_a_data_set),
        PLACE_TEST(a_picture_for_a_model_of_points_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
