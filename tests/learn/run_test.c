/* SPDX-License-Identifier: Apache-2.0 */
/* A whole training run: its reports, the files in its folder, and how it is stopped. */
#include <unistd.h>

#include "learn/regression.h"
#include "learn/trainer.h"
#include "scratch.h"

static const char *const settings[] = {
    "train.learning_rate=0.05", "train.steps=30", "train.ema=0.9",
    "train.checkpoint_every=7", "train.batch=64", NULL};

/* What the reports of a run were; stops it once `stop_at` steps are done. */
struct reports {
    int count;
    int64_t last_step, stop_at;
};

static bool take_report(void *user, const sumi_progress *progress)
{
    struct reports *reports = user;
    assert_string_equal(progress->task, "train");
    assert_int_equal(progress->steps, 30);
    assert_true(progress->step > reports->last_step && progress->step <= 30);
    assert_true(isfinite(progress->loss) && progress->loss > 0);
    assert_true(isfinite(progress->rate) && progress->rate > 0);
    assert_non_null(progress->rate_unit);
    assert_true(progress->seconds_left >= 0);
    assert_null(progress->preview); /* there is no model to draw from */
    reports->count++;
    reports->last_step = progress->step;
    return !reports->stop_at || progress->step < reports->stop_at;
}

static bool is_there(scratch *room, const char *name)
{
    return access(scratch_path(room, name), F_OK) == 0;
}

static void a_run_ends_with_a_report_of_its_last_step(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    struct reports reports = {0};
    regression_begin(room->context, 0, settings, &t);
    CHECK_OK(room->context, sumi_trainer_run(t.trainer, NULL, take_report, &reports));
    assert_true(reports.count >= 1);
    assert_int_equal(reports.last_step, 30);
    assert_int_equal(sumi_trainer_steps_done(t.trainer), 30);
    regression_end(&t);
}

static void a_run_leaves_the_averaged_weights_in_the_network(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    float after_run[REGRESSION_COLUMNS + 1], average[REGRESSION_COLUMNS + 1];
    regression_begin(room->context, 0, settings, &t);
    CHECK_OK(room->context, sumi_trainer_run(t.trainer, NULL, NULL, NULL));
    regression_weights(&t, after_run);
    CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, true));
    regression_weights(&t, average);
    assert_memory_equal(after_run, average, sizeof average);
    CHECK_OK(room->context, sumi_trainer_use_average(t.trainer, false));
    regression_weights(&t, average);
    assert_memory_not_equal(after_run, average, sizeof average);
    regression_end(&t);
}

static void the_folder_of_a_custom_run_has_everything_but_a_model(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    sumi_array kept = {0};
    sumi_recipe *recipe = NULL;
    const float *losses = NULL;
    char folder[SCRATCH_PATH];
    snprintf(folder, sizeof folder, "%s", scratch_path(room, "runs/one"));
    regression_begin(room->context, 0, settings, &t);
    CHECK_OK(room->context, sumi_trainer_run(t.trainer, folder, NULL, NULL));
    assert_true(is_there(room, "runs/one/checkpoint.safetensors"));
    assert_false(is_there(room, "runs/one/model_index.json"));
    assert_false(is_there(room, "runs/one/unet"));
    CHECK_OK(room->context,
             sumi_array_read(room->context, scratch_path(room, "runs/one/losses.npy"), &kept));
    assert_int_equal(sumi_trainer_losses(t.trainer, &losses), 30);
    assert_int_equal(kept.rank, 1);
    assert_int_equal(kept.shape[0], 30);
    assert_memory_equal(kept.data, losses, 30 * sizeof(float));
    CHECK_OK(room->context,
             sumi_recipe_open(room->context, scratch_path(room, "runs/one/recipe.ini"), &recipe));
    assert_string_equal(sumi_recipe_get(recipe, "train.steps"), "30");
    assert_string_equal(sumi_recipe_get(recipe, "train.checkpoint_every"), "7");
    sumi_recipe_free(recipe);
    sumi_array_release(room->context, &kept);
    regression_end(&t);
}

static void a_stopped_run_can_be_continued_to_the_same_end(void **state)
{
    scratch *room = *state;
    static struct regression_training whole, first, second;
    struct reports reports = {.stop_at = 1};
    float expected[REGRESSION_COLUMNS + 1], found[REGRESSION_COLUMNS + 1];
    char folder[SCRATCH_PATH];
    snprintf(folder, sizeof folder, "%s", scratch_path(room, "run"));
    regression_begin(room->context, 0, settings, &whole);
    CHECK_OK(room->context, sumi_trainer_run(whole.trainer, NULL, NULL, NULL));
    regression_weights(&whole, expected);

    regression_begin(room->context, 0, settings, &first);
    assert_int_equal(sumi_trainer_run(first.trainer, folder, take_report, &reports), SUMI_STOPPED);
    assert_non_null(strstr(sumi_context_message(room->context), "stopped"));
    int64_t done = sumi_trainer_steps_done(first.trainer);
    assert_int_equal(done, reports.last_step);
    regression_end(&first);

    regression_begin(room->context, 0, settings, &second);
    CHECK_OK(room->context,
             sumi_trainer_load(second.trainer, scratch_path(room, "run/checkpoint.safetensors")));
    assert_int_equal(sumi_trainer_steps_done(second.trainer), done);
    CHECK_OK(room->context, sumi_trainer_run(second.trainer, folder, NULL, NULL));
    regression_weights(&second, found);
    assert_memory_equal(found, expected, sizeof expected);
    regression_end(&second);
    regression_end(&whole);
}

static void a_run_that_fails_keeps_its_last_checkpoint(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    char folder[SCRATCH_PATH];
    snprintf(folder, sizeof folder, "%s", scratch_path(room, "run"));
    regression_begin(room->context, 0, settings, &t);
    t.regression.bad_step = 16;
    assert_int_equal(sumi_trainer_run(t.trainer, folder, NULL, NULL), SUMI_ERROR_NUMBER);
    assert_non_null(strstr(sumi_context_message(room->context), "step 16"));
    CHECK_OK(room->context,
             sumi_trainer_load(t.trainer, scratch_path(room, "run/checkpoint.safetensors")));
    assert_int_equal(sumi_trainer_steps_done(t.trainer), 14); /* every seventh step */
    regression_end(&t);
}

static void a_folder_that_cannot_be_made_is_refused_before_the_first_step(void **state)
{
    scratch *room = *state;
    static struct regression_training t;
    FILE *stream = fopen(scratch_path(room, "file"), "w");
    assert_non_null(stream);
    fclose(stream);
    regression_begin(room->context, 0, settings, &t);
    assert_int_equal(sumi_trainer_run(t.trainer, scratch_path(room, "file/run"), NULL, NULL),
                     SUMI_ERROR_FILE);
    assert_int_equal(sumi_trainer_steps_done(t.trainer), 0);
    regression_end(&t);
}

/* ---- Runs of models ---- */

static void the_folder_of_a_model_opens_as_a_model_with_averaged_weights(void **state)
{
    scratch *room = *state;
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    sumi_model *model = NULL, *opened = NULL;
    sumi_trainer *trainer = NULL;
    char folder[SCRATCH_PATH];
    snprintf(folder, sizeof folder, "%s", scratch_path(room, "run"));
    CHECK_OK(room->context, sumi_recipe_open(room->context, "points", &recipe));
    const char *const small[] = {"train.steps=6", "train.batch=8", "data.count=64",
                                 "model.width=8", "model.depth=1", "noise.prediction=v_prediction"};
    for (int i = 0; i < 6; i++) CHECK_OK(room->context, sumi_recipe_set(recipe, small[i]));
    CHECK_OK(room->context, sumi_data_open(room->context, recipe, &data));
    CHECK_OK(room->context, sumi_model_create_from_recipe(room->context, recipe, data, &model));
    CHECK_OK(room->context, sumi_trainer_create(room->context, recipe, model, data, &trainer));
    CHECK_OK(room->context, sumi_trainer_run(trainer, folder, NULL, NULL));
    CHECK_OK(room->context, sumi_model_open(room->context, folder, &opened));
    assert_non_null(strstr(sumi_model_scheduler(opened), "v_prediction"));
    sumi_weight mine = {.size = sizeof mine}, its = {.size = sizeof its};
    for (int64_t i = 0; sumi_model_weight(model, i, &mine); i++) {
        assert_true(sumi_model_weight(opened, i, &its));
        assert_string_equal(mine.name, its.name);
        size_t count = 1;
        for (int k = 0; k < mine.rank; k++) count *= (size_t)mine.shape[k];
        assert_memory_equal(mine.data, its.data, count * sizeof(float));
    }
    sumi_model_free(opened);
    sumi_trainer_free(trainer);
    sumi_model_free(model);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
}

static void a_preview_is_drawn_in_as_many_steps_as_there_are(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    CHECK_OK(room->context,
             sumi_model_create(room->context,
                               "{\"_class_name\": \"SumiMLPModel\", \"width\": 8, \"depth\": 1}", 1,
                               &model));
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    const char *const schedulers[] = {"{\"num_train_timesteps\": 4}",
                                      "{\"num_train_timesteps\": 40}"};
    for (int i = 0; i < 2; i++) {
        sumi_array samples = {0};
        CHECK_OK(room->context, sumi_model_set_scheduler(model, schedulers[i]));
        CHECK_OK(room->context, trainer_draw_preview(model, session, &samples));
        assert_int_equal(samples.shape[0], 8);
        sumi_array_release(room->context, &samples);
    }
    sumi_weight weight = {.size = sizeof weight};
    assert_true(sumi_model_weight(model, 0, &weight));
    weight.data[0] = NAN;
    sumi_array none = {0};
    CHECK_OK(room->context, trainer_draw_preview(model, session, &none));
    assert_null(none.data);
    sumi_session_free(session);
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_run_ends_with_a_report_of_its_last_step),
        SCRATCH_TEST(a_run_leaves_the_averaged_weights_in_the_network),
        SCRATCH_TEST(the_folder_of_a_custom_run_has_everything_but_a_model),
        SCRATCH_TEST(a_stopped_run_can_be_continued_to_the_same_end),
        SCRATCH_TEST(a_run_that_fails_keeps_its_last_checkpoint),
        SCRATCH_TEST(a_folder_that_cannot_be_made_is_refused_before_the_first_step),
        SCRATCH_TEST(the_folder_of_a_model_opens_as_a_model_with_averaged_weights),
        SCRATCH_TEST(a_preview_is_drawn_in_as_many_steps_as_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
