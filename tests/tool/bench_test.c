/* SPDX-License-Identifier: Apache-2.0 */
/* sumi bench and sumi train --profile: their output, for recipes and for model folders. No test
   here depends on time. */
#include <json-c/json.h>

#include "running.h"

#define TINY "--set data.count=16 --set model.channels=8,8 --set model.groups=4 --batch 2 "
#define TRAINED                                                                                    \
    "sumi train digits --set data.count=16 --set model.channels=8,8 --set model.groups=4 "         \
    "--set train.batch=2 --set train.steps=2 --set sample.count=1 --set sample.steps=2 --out run "

static struct json_object *member(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(object, key, &value)) fail_msg("there is no \"%s\"", key);
    return value;
}

static double number(struct json_object *object, const char *key)
{
    return json_object_get_double(member(object, key));
}

static struct json_object *parse(const place *here)
{
    struct json_object *answer = json_tokener_parse(here->out);
    if (!answer) fail_msg("no JSON: %s", here->out);
    return answer;
}

/* The sum of a member over all rows, or over those of one op. */
static double total(struct json_object *answer, const char *op, const char *key)
{
    struct json_object *rows = member(answer, "rows");
    double sum = 0;
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        bool counts = !op || strcmp(json_object_get_string(member(row, "op")), op) == 0;
        if (counts) sum += number(row, key);
    }
    return sum;
}

static void alone_it_shows_the_machine(void **state)
{
    place *here = *state;
    run(here, "sumi bench --threads 1");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "machine  ");
    CHECK_HOLDS(here->out, ", 1 thread: ");
    run(here, "sumi bench --json --threads 1");
    CHECK_DONE(here);
    struct json_object *answer = parse(here);
    assert_true(number(answer, "f32_flops") > 0);
    assert_true(number(answer, "bytes_per_second") > 0);
    json_object_put(answer);
}

static void the_rows_of_a_recipe_make_up_its_step(void **state)
{
    place *here = *state;
    run(here, "sumi bench digits " TINY "--seconds 1 --json");
    CHECK_DONE(here);
    struct json_object *answer = parse(here);
    assert_string_equal(json_object_get_string(member(answer, "measured")), "training step");
    assert_int_equal(json_object_get_int(member(answer, "batch")), 2);
    CHECK_CLOSE(total(answer, NULL, "share"), 1, 1e-6);
    CHECK_CLOSE(total(answer, "optimizer", "calls"), 1, 0);
    double forward = total(answer, "convolution", "flop");
    double weight_gradient = total(answer, "convolution weight gradient", "flop");
    assert_true(forward > 0);
    CHECK_CLOSE(weight_gradient / forward, 1, 0.1); /* the same taps, without the bias */
    json_object_put(answer);
    run(here, "sumi bench digits " TINY "--seconds 1");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "training step of 2 items");
    CHECK_HOLDS(here->out, "\nconvolution weight gradient ");
}

static void an_evaluation_has_no_gradients(void **state)
{
    place *here = *state;
    run(here, "sumi bench digits " TINY "--seconds 1 --forward --shapes --json");
    CHECK_DONE(here);
    struct json_object *answer = parse(here);
    assert_string_equal(json_object_get_string(member(answer, "measured")), "evaluation");
    assert_true(total(answer, "convolution", "flop") > 0);
    CHECK_CLOSE(total(answer, "convolution weight gradient", "calls"), 0, 0);
    CHECK_CLOSE(total(answer, "optimizer", "calls"), 0, 0);
    struct json_object *first = json_object_array_get_idx(member(answer, "rows"), 0);
    assert_non_null(member(first, "shapes"));
    json_object_put(answer);
}

static void a_model_folder_is_measured_on_noise(void **state)
{
    place *here = *state;
    run(here, TRAINED "-q && rm run/recipe.ini && sumi bench run --batch 3 --seconds 1 --json");
    CHECK_DONE(here);
    struct json_object *answer = parse(here);
    assert_string_equal(json_object_get_string(member(answer, "model")), "UNet2DModel");
    assert_int_equal(json_object_get_int(member(answer, "batch")), 3);
    CHECK_CLOSE(total(answer, "optimizer", "calls"), 1, 0);
    json_object_put(answer);
}

static void missing_models_and_recipes_are_reported(void **state)
{
    place *here = *state;
    run(here, "sumi bench digts --json");
    CHECK_FAILED(here, 2,
                 "sumi: there is no built-in recipe 'digts'; did you mean digits, or the "
                 "file ./digts?");
    run(here, "sumi bench digits --json --set train.bach=2");
    assert_int_equal(here->code, 2);
    assert_string_equal(here->out, "");
}

static void training_shows_where_its_time_went(void **state)
{
    place *here = *state;
    run(here, TRAINED "--profile");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "machine  ");
    CHECK_HOLDS(here->out, "\noptimizer ");
    run(here, TRAINED "--profile --json --force");
    CHECK_DONE(here);
    struct json_object *answer = parse(here);
    CHECK_CLOSE(total(answer, NULL, "share"), 1, 1e-6);
    CHECK_CLOSE(total(answer, "optimizer", "calls"), 1, 0);
    json_object_put(answer);
    run(here, TRAINED "--json --force");
    CHECK_DONE(here);
    assert_null(strstr(here->out, "\"rows\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {PLACE_TEST(alone_it_shows_the_machine),
                                       PLACE_TEST(the_rows_of_a_recipe_make_up_its_step),
                                       PLACE_TEST(an_evaluation_has_no_gradients),
                                       PLACE_TEST(a_model_folder_is_measured_on_noise),
                                       PLACE_TEST(missing_models_and_recipes_are_reported),
                                       PLACE_TEST(training_shows_where_its_time_went)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
