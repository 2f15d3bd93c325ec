/* SPDX-License-Identifier: Apache-2.0 */
/* A classifier that Sumi trains as a network of features: its logits against the judgement of
   sumi_classifier_judge, and pictures of other sizes. */
#include "scratch.h"

enum { COUNT = 5, SIDE = 28 };

/* Trains a classifier of digits for two steps into the folder. */
static void train(scratch *room, const char *folder)
{
    static const char *const settings[] = {"train.objective=classification",
                                           "data.labels=yes",
                                           "model.class_conditional=no",
                                           "model.channels=8,8",
                                           "model.groups=4",
                                           "model.layers_per_block=1",
                                           "train.steps=2",
                                           "train.batch=4",
                                           "data.count=40",
                                           NULL};
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL;
    sumi_trainer *trainer = NULL;
    CHECK_OK(room->context, sumi_recipe_open(room->context, "digits", &recipe));
    for (int i = 0; settings[i]; i++) CHECK_OK(room->context, sumi_recipe_set(recipe, settings[i]));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    CHECK_OK(room->context, sumi_model_create_from_recipe(room->context, recipe, data, &model));
    CHECK_OK(room->context, sumi_trainer_create(room->context, recipe, model, data, &trainer));
    CHECK_OK(room->context, sumi_trainer_run(trainer, NULL, NULL, NULL));
    CHECK_OK(room->context, sumi_model_save(model, folder));
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

static void logits_are_those_by_which_the_classifier_judges(void **state)
{
    scratch *room = *state;
    static float values[COUNT * SIDE * SIDE], chances[COUNT];
    int32_t classes[COUNT];
    sumi_array pictures = {4, {COUNT, SIDE, SIDE, 1}, values}, rows = {0};
    sumi_features *features = NULL;
    sumi_features_info info = {.size = sizeof info};
    sumi_model *model = NULL;
    sumi_classifier *classifier = NULL;
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        values[i] = (float)(rint(127.5 * (1 + sin(0.37 * i))) / 127.5 - 1);
    train(room, scratch_path(room, "classifier"));
    const char *folder = scratch_path(room, "classifier");
    CHECK_OK(room->context, sumi_model_open(room->context, folder, &model));
    CHECK_OK(room->context, sumi_classifier_create(room->context, model, &classifier));
    CHECK_OK(room->context, sumi_classifier_judge(classifier, COUNT, values, 0, classes, chances));
    CHECK_OK(room->context, sumi_features_open(room->context, folder, &features));
    assert_true(sumi_features_describe(features, &info));
    assert_string_equal(info.name, "classifier");
    assert_true(info.classes == 10 && info.side == SIDE && info.count > 0);
    CHECK_OK(room->context, sumi_features_set(features, "output", "logits"));
    CHECK_OK(room->context, sumi_features_measure(features, &pictures, NULL, NULL, &rows));
    assert_int_equal(rows.shape[1], 10);
    for (int i = 0; i < COUNT; i++) {
        const float *logits = rows.data + 10 * i;
        double sum = 0;
        for (int k = 0; k < 10; k++) sum += exp(logits[k] - logits[classes[i]]);
        CHECK_CLOSE(1 / sum, chances[i], 1e-5);
    }
    sumi_array_release(room->context, &rows);
    sumi_features_free(features);
    sumi_classifier_free(classifier);
    sumi_model_free(model);
}

static void pictures_of_other_sizes_are_resized(void **state)
{
    scratch *room = *state;
    static float small[SIDE * SIDE], large[3 * 32 * 32 * 3];
    sumi_array one = {4, {1, SIDE, SIDE, 1}, small}, three = {4, {3, 32, 32, 3}, large};
    sumi_array expected = {0}, rows = {0};
    sumi_features *features = NULL;
    train(room, scratch_path(room, "classifier"));
    CHECK_OK(room->context,
             sumi_features_open(room->context, scratch_path(room, "classifier"), &features));
    for (int i = 0; i < SIDE * SIDE; i++) small[i] = 0.2f; /* even pictures stay even */
    for (int i = 0; i < 3 * 32 * 32 * 3; i++) large[i] = 0.2f;
    CHECK_OK(room->context, sumi_features_measure(features, &one, NULL, NULL, &expected));
    CHECK_OK(room->context, sumi_features_measure(features, &three, NULL, NULL, &rows));
    assert_true(rows.shape[0] == 3 && rows.shape[1] == expected.shape[1]);
    for (int64_t i = 0; i < rows.shape[1]; i++)
        CHECK_CLOSE(rows.data[2 * rows.shape[1] + i], expected.data[i], 1e-4);
    sumi_array_release(room->context, &expected);
    sumi_array_release(room->context, &rows);
    sumi_features_free(features);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(logits_are_those_by_which_the_classifier_judges),
        SCRATCH_TEST(pictures_of_other_sizes_are_resized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
