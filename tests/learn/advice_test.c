/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings before and in a training that will probably disappoint, and none where all is well. */
#include "learn/advice.h"

#include "learn/training.h"

static char warnings[4096]; /* all sentences since the last begin */

static void collect(void *user, const char *sentence)
{
    size_t length = strlen(warnings);
    (void)user;
    snprintf(warnings + length, sizeof warnings - length, "%s\n", sentence);
}

static void begin(sumi_context *context, const char *recipe, const char *const *settings,
                  struct training *t)
{
    warnings[0] = '\0';
    sumi_context_set_warning(context, collect, NULL);
    training_of_recipe(context, recipe, settings, t);
}

/* Checks the warnings for a recipe with a setting before its first step. */
static void check_told(sumi_context *context, const char *recipe, const char *setting,
                       const char *other, const char *sentence)
{
    const char *const settings[] = {"data.count=600", setting, other, NULL};
    struct training t;
    begin(context, recipe, settings, &t);
    if (sentence ? !strstr(warnings, sentence) : warnings[0]) {
        fail_msg("%s %s: warned: %s", recipe, setting, warnings);
    }
    training_end(&t);
}

static void built_in_recipes_cause_no_warning(void **state)
{
    scratch *room = *state;
    static const char *const RECIPES[] = {
        "points",       "digits",     "morlet",    "morlet-cosine", "morlet-sigmoid",
        "morlet-noisy", "flow-moons", "cnf-moons", "dpm-swissroll", "dpm-heartbeat"};
    for (size_t i = 0; i < sizeof RECIPES / sizeof *RECIPES; i++)
        check_told(room->context, RECIPES[i], "model.dropout=0", NULL, NULL);
}

/* abar of 100 betas from 1e-4 to 0.02 is exp(-1.01) or so: sqrt is 60 %. */
static void few_levels_with_betas_for_many_cause_a_warning(void **state)
{
    scratch *room = *state;
    check_told(room->context, "morlet", "noise.steps=100", NULL,
               "60 % of the signal is left at the last of 100 noise levels");
    check_told(room->context, "morlet", "noise.steps=100", "noise.beta_end=0.2", NULL);
    check_told(room->context, "morlet", "noise.steps=100", "noise.schedule=cosine", NULL);
    check_told(room->context, "morlet", "noise.path=vp", "noise.beta_max=2",
               "raise noise.beta_max");
}

static void data_that_are_clipped_cause_a_warning_with_a_suitable_scale(void **state)
{
    scratch *room = *state;
    check_told(room->context, "morlet", "data.scale=127.5", NULL,
               "lie outside -1 to 1, where samples are clipped");
    check_told(room->context, "morlet", "data.scale=127.5", "noise.clip=no", "made for about 1");
    check_told(room->context, "morlet", "noise.clip=no", NULL, NULL);
}

static void sets_smaller_than_a_batch_cause_a_warning(void **state)
{
    scratch *room = *state;
    check_told(room->context, "points", "data.count=100", NULL,
               "the data set has 100 items, fewer than the 256 of a batch");
    check_told(room->context, "points", "data.count=100", "train.batch=100", NULL);
}

/* Writes zeros [4, ...] as .npy, and opens them. */
static void open_array(scratch *room, const char *network, int rank, const int64_t *shape)
{
    char setting[SCRATCH_PATH + 16];
    sumi_array array = {0};
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    const char *path = scratch_path(room, "array.npy");
    CHECK_OK(room->context, sumi_array_create(room->context, rank, shape, &array));
    CHECK_OK(room->context, sumi_array_write(room->context, path, &array));
    snprintf(setting, sizeof setting, "data.path=%s", path);
    warnings[0] = '\0';
    sumi_context_set_warning(room->context, collect, NULL);
    CHECK_OK(room->context, sumi_recipe_open(room->context, network, &recipe));
    CHECK_OK(room->context, sumi_recipe_set(recipe, "data.kind=npy"));
    CHECK_OK(room->context, sumi_recipe_set(recipe, setting));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    sumi_array_release(room->context, &array);
}

static void arrays_whose_channels_seem_to_be_first_cause_a_warning(void **state)
{
    scratch *room = *state;
    open_array(room, "ddpm-mnist", 4, (int64_t[]){4, 3, 16, 16});
    assert_non_null(strstr(warnings, "seem to have channels first"));
    open_array(room, "ddpm-mnist", 4, (int64_t[]){4, 16, 16, 3});
    assert_string_equal(warnings, "");
    open_array(room, "ddpm-mnist", 3, (int64_t[]){4, 16, 16});
    assert_string_equal(warnings, "");
    open_array(room, "morlet", 3, (int64_t[]){4, 2, 64});
    assert_non_null(strstr(warnings, "[n, length, channels]"));
    open_array(room, "morlet", 3, (int64_t[]){4, 64, 2});
    assert_string_equal(warnings, "");
}

static void a_loss_that_grows_causes_one_warning_and_one_that_falls_none(void **state)
{
    scratch *room = *state;
    static const char *const wild[] = {"model.width=16",  "train.learning_rate=2",
                                       "train.warmup=60", "train.clip_gradient=0",
                                       "train.steps=300", NULL};
    static const char *const calm[] = {"model.width=16", "train.steps=300", NULL};
    struct training t;
    begin(room->context, "points", wild, &t);
    sumi_status status = SUMI_OK; /* it comes before the numbers end */
    for (int i = 0; i < 300 && status == SUMI_OK; i++) status = sumi_trainer_step(t.trainer, NULL);
    assert_non_null(strstr(warnings, "the loss grows: it is about "));
    assert_non_null(strstr(warnings, "lower train.learning_rate (now 2)"));
    assert_null(strstr(strstr(warnings, "the loss grows") + 1, "the loss grows"));
    training_end(&t);
    begin(room->context, "points", calm, &t);
    for (int i = 0; i < 300; i++) CHECK_OK(room->context, sumi_trainer_step(t.trainer, NULL));
    assert_string_equal(warnings, "");
    training_end(&t);
}

/* Of noise with deviation 1 it is 1; of data their mean square. */
static void the_loss_of_predicting_zero_is_that_of_the_target(void **state)
{
    scratch *room = *state;
    static const char *const noise[] = {NULL}, *const clean[] = {"noise.prediction=sample", NULL};
    struct training t;
    begin(room->context, "points", noise, &t);
    CHECK_CLOSE(t.trainer->course.zero_loss, 1, 1e-12);
    training_end(&t);
    begin(room->context, "points", clean, &t);
    const struct objective *objective = &t.trainer->plans->objective;
    CHECK_CLOSE(objective->zero_loss(objective->user, 0.37), 0.37, 1e-12);
    training_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(built_in_recipes_cause_no_warning),
        SCRATCH_TEST(few_levels_with_betas_for_many_cause_a_warning),
        SCRATCH_TEST(data_that_are_clipped_cause_a_warning_with_a_suitable_scale),
        SCRATCH_TEST(sets_smaller_than_a_batch_cause_a_warning),
        SCRATCH_TEST(arrays_whose_channels_seem_to_be_first_cause_a_warning),
        SCRATCH_TEST(a_loss_that_grows_causes_one_warning_and_one_that_falls_none),
        SCRATCH_TEST(the_loss_of_predicting_zero_is_that_of_the_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
