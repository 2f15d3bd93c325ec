/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions with guides: what is guided is what the two conditions give alone, of every call of the
   session; and the null class, from config.json to the folder of a saved model. */
#include "models/session.h"

#include "failing_allocator.h"
#include "models/tiny.h"

/* Three classes and the null class. */
#define TINY_WITH_NULL                                                                             \
    "{\"sample_size\": 4, \"in_channels\": 1, \"out_channels\": 1,"                                \
    " \"block_out_channels\": [4], \"layers_per_block\": 1, \"norm_num_groups\": 2,"               \
    " \"down_block_types\": [\"DownBlock2D\"], \"up_block_types\": [\"UpBlock2D\"],"               \
    " \"attention_head_dim\": null, \"num_class_embeds\": 4, \"_null_class\": 3}"
#define TINY_VARIANCE                                                                              \
    "{\"_class_name\": \"SumiMLPModel\", \"width\": 8, \"depth\": 1, \"in_channels\": 2,"          \
    " \"out_channels\": 4, \"num_class_embeds\": 3, \"_null_class\": 2}"

enum { COUNT = 3, SIZE = 16, SCALE = 3 };

static const int32_t classes[COUNT] = {1, 0, 2};
static const float times[COUNT] = {30, 400, 900};

/* Predictions under the classes and under the null class, each by a session of its own. */
static void predict_alone(scratch *room, sumi_model *model, const float *x, float *condition,
                          float *null)
{
    const int32_t none[COUNT] = {3, 3, 3};
    CHECK_OK(room->context,
             once_predict(room->context, model, COUNT, x, times, classes, condition));
    CHECK_OK(room->context, once_predict(room->context, model, COUNT, x, times, none, null));
}

/* A guided session of that many classes. */
static sumi_session *open_guided(scratch *room, sumi_model *model, int64_t count,
                                 const int32_t *of_items, sumi_guide **guide)
{
    sumi_session *session = NULL;
    CHECK_OK(room->context, once_open(room->context, model, count, of_items, &session));
    CHECK_OK(room->context, sumi_session_add_guide(session, "classifier-free", guide));
    CHECK_OK(room->context, sumi_guide_set_number(*guide, "scale", SCALE));
    return session;
}

static void one_batch_predicts_what_the_two_conditions_predict_alone(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_WITH_NULL);
    sumi_guide *guide = NULL;
    float *x = tiny_items(model, COUNT), condition[COUNT * SIZE], null[COUNT * SIZE];
    float output[COUNT * SIZE];
    predict_alone(room, model, x, condition, null);
    sumi_session *session = open_guided(room, model, COUNT, classes, &guide);
    for (int round = 0; round < 2; round++) {
        CHECK_OK(room->context, sumi_session_predict(session, COUNT, x, times, output));
        for (int i = 0; i < COUNT * SIZE; i++)
            CHECK_CLOSE(output[i], null[i] + SCALE * ((double)condition[i] - null[i]), 2e-5);
    }
    sumi_plan_info plan = {.size = sizeof plan};
    int plans = 0;
    for (int i = 0; sumi_session_plan(session, i, &plan); i++) plans += plan.items == 2 * COUNT;
    assert_int_equal(plans, 1); /* both went through the network together */
    sumi_session_remove_guides(session);
    CHECK_OK(room->context, sumi_session_predict(session, COUNT, x, times, output));
    for (int i = 0; i < COUNT * SIZE; i++) CHECK_CLOSE(output[i], condition[i], 1e-6);
    sumi_session_free(session);
    sumi_model_free(model);
    free(x);
}

static void the_products_of_a_guided_session_are_the_guided_products(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_WITH_NULL);
    sumi_guide *guide = NULL;
    float *x = tiny_items(model, COUNT), *v = tiny_items(model, COUNT), output[COUNT * SIZE];
    float parts[2][COUNT * SIZE], products[COUNT * SIZE];
    for (int k = 0; k < 2; k++) {
        const int32_t none[COUNT] = {3, 3, 3};
        sumi_session *alone = NULL;
        CHECK_OK(room->context, once_open(room->context, model, COUNT, k ? none : classes, &alone));
        CHECK_OK(room->context,
                 sumi_session_product(alone, COUNT, SIZE, SIZE, x, times, v, output, parts[k]));
        sumi_session_free(alone);
    }
    sumi_session *session = open_guided(room, model, COUNT, classes, &guide);
    CHECK_OK(room->context,
             sumi_session_product(session, COUNT, SIZE, SIZE, x, times, v, output, products));
    for (int i = 0; i < COUNT * SIZE; i++)
        CHECK_CLOSE(products[i], parts[1][i] + SCALE * ((double)parts[0][i] - parts[1][i]), 1e-4);
    sumi_session_free(session);
    sumi_model_free(model);
    free(x);
    free(v);
}

static void the_variance_is_that_under_the_condition(void **state)
{
    scratch *room = *state;
    enum { POINTS = 2, IN = 2, OUT = 4 };
    sumi_model *model = tiny_create(room, TINY_VARIANCE);
    sumi_guide *guide = NULL;
    const int32_t chosen[POINTS] = {0, 1}, none[POINTS] = {2, 2};
    const float x[POINTS * IN] = {0.3F, -1, 2, 0.1F};
    float condition[POINTS * OUT], null[POINTS * OUT], output[POINTS * OUT];
    CHECK_OK(room->context,
             once_predict(room->context, model, POINTS, x, times, chosen, condition));
    CHECK_OK(room->context, once_predict(room->context, model, POINTS, x, times, none, null));
    sumi_session *session = open_guided(room, model, POINTS, chosen, &guide);
    CHECK_OK(room->context, sumi_session_predict(session, POINTS, x, times, output));
    for (int i = 0; i < POINTS * OUT; i++) {
        bool variance = i % OUT >= IN;
        double guided = null[i] + SCALE * ((double)condition[i] - null[i]);
        CHECK_CLOSE(output[i], variance ? condition[i] : guided, 1e-5);
        if (variance) assert_true(fabs(condition[i] - null[i]) > 1e-4);
    }
    sumi_session_free(session);
    sumi_model_free(model);
}

/* ---- Conditions ---- */

static void conditions_and_null_conditions_that_are_set_later_count(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_WITH_NULL);
    sumi_guide *guide = NULL;
    sumi_condition *away = NULL;
    const int32_t others[COUNT] = {2, 2, 0}, one = 1, ones[COUNT] = {1, 1, 1};
    float *x = tiny_items(model, COUNT), condition[COUNT * SIZE], null[COUNT * SIZE];
    float output[COUNT * SIZE];
    sumi_session *session = open_guided(room, model, COUNT, classes, &guide);
    CHECK_OK(room->context, once_set(room->context, session, COUNT, others));
    CHECK_OK(room->context, once_condition(room->context, 1, &one, &away));
    CHECK_OK(room->context, sumi_session_set_null(session, away));
    CHECK_OK(room->context, sumi_session_predict(session, COUNT, x, times, output));
    CHECK_OK(room->context, once_predict(room->context, model, COUNT, x, times, others, condition));
    CHECK_OK(room->context, once_predict(room->context, model, COUNT, x, times, ones, null));
    for (int i = 0; i < COUNT * SIZE; i++)
        CHECK_CLOSE(output[i], null[i] + SCALE * ((double)condition[i] - null[i]), 2e-5);
    CHECK_OK(room->context, sumi_session_set_null(session, NULL)); /* the model's own again */
    CHECK_OK(room->context, once_set(room->context, session, COUNT, classes));
    CHECK_OK(room->context, sumi_session_predict(session, COUNT, x, times, output));
    predict_alone(room, model, x, condition, null);
    for (int i = 0; i < COUNT * SIZE; i++)
        CHECK_CLOSE(output[i], null[i] + SCALE * ((double)condition[i] - null[i]), 2e-5);
    sumi_condition_free(away);
    sumi_session_free(session);
    sumi_model_free(model);
    free(x);
}

static bool keep_classes(void *user, int64_t step, int64_t steps, double time, const float *x,
                         const float *clean)
{
    const sumi_session *session = user;
    const struct condition_entry *entry = condition_find(session->condition, "class");
    (void)step, (void)steps, (void)time, (void)x, (void)clean;
    assert_int_equal(entry->shape[0], 3);
    for (int i = 0; i < 3; i++) assert_int_equal(((const int32_t *)entry->values)[i], i);
    return true;
}

static void samples_without_a_condition_have_every_class_but_the_null_class(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_WITH_NULL);
    sumi_session *session = NULL;
    sumi_solver *solver = NULL;
    sumi_array samples = {0};
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    CHECK_OK(room->context, sumi_session_solver(session, "ddim", &solver));
    CHECK_OK(room->context, sumi_solver_set(solver, "steps", "2"));
    CHECK_OK(room->context,
             sumi_session_sample(session, solver, 5, keep_classes, session, &samples));
    sumi_array_release(room->context, &samples);
    CHECK_OK(room->context, sumi_session_add_guide(session, "classifier-free", NULL));
    CHECK_OK(room->context,
             sumi_session_sample(session, solver, 5, keep_classes, session, &samples));
    sumi_array_release(room->context, &samples);
    sumi_solver_free(solver);
    sumi_session_free(session);
    sumi_model_free(model);
}

/* ---- Levels ---- */

static void an_interval_goes_by_the_levels_of_the_model_s_scheduler(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_WITH_NULL);
    sumi_guide *guide = NULL;
    sumi_solver *solver = NULL;
    float *x = tiny_items(model, COUNT), condition[COUNT * SIZE], null[COUNT * SIZE];
    float output[COUNT * SIZE];
    predict_alone(room, model, x, condition, null);
    sumi_session *session = open_guided(room, model, COUNT, classes, &guide);
    CHECK_OK(room->context, sumi_session_solver(session, NULL, &solver));
    double signal[2], noise[2];
    for (int i = 0; i < 2; i++) /* of the first two times */
        CHECK_OK(room->context, sumi_solver_level(solver, (double)times[i], &signal[i], &noise[i]));
    double between = sqrt(noise[0] / signal[0] * noise[1] / signal[1]);
    CHECK_OK(room->context, sumi_guide_set_number(guide, "sigma_high", between));
    CHECK_OK(room->context, sumi_session_predict(session, COUNT, x, times, output));
    for (int i = 0; i < COUNT * SIZE; i++) {
        double guided = null[i] + SCALE * ((double)condition[i] - null[i]);
        CHECK_CLOSE(output[i], i < SIZE ? guided : condition[i], 2e-5);
    }
    sumi_solver_free(solver);
    sumi_session_free(session);
    sumi_model_free(model);
    free(x);
}

/* ---- Refusals ---- */

static void models_that_cannot_be_guided_are_refused(void **state)
{
    scratch *room = *state;
    static const char *const cases[][2] = {{TINY_UNET, "this model is unconditional"},
                                           {TINY_CONDITIONAL, "this model has no null class"}};
    for (int i = 0; i < 2; i++) {
        sumi_model *model = tiny_create(room, cases[i][0]);
        sumi_session *session = NULL;
        sumi_guide *guide = NULL;
        CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
        CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, cases[i][1],
                    sumi_session_add_guide(session, "classifier-free", &guide));
        assert_null(guide);
        sumi_session_free(session);
        sumi_model_free(model);
    }
    sumi_model *model = tiny_create(room, TINY_WITH_NULL);
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    for (int i = 0; i < GUIDES_MOST; i++)
        CHECK_OK(room->context, sumi_session_add_guide(session, "classifier-free", NULL));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "at most 8 guides",
                sumi_session_add_guide(session, "classifier-free", NULL));
    sumi_session_free(session);
    sumi_model_free(model);
}

static void a_null_class_must_be_the_last_of_a_table(void **state)
{
    scratch *room = *state;
    static const char *const configs[] = {
        "{\"_class_name\": \"SumiMLPModel\", \"num_class_embeds\": 4, \"_null_class\": 2}",
        "{\"_class_name\": \"SumiMLPModel\", \"num_class_embeds\": 4, \"_null_class\": 4}",
        "{\"_class_name\": \"SumiMLPModel\", \"num_class_embeds\": 1, \"_null_class\": 0}",
        "{\"_class_name\": \"SumiMLPModel\", \"_null_class\": 0}",
        ("{\"_class_name\": \"SumiMLPModel\", \"num_class_embeds\": 4, \"_null_class\": 3,"
         " \"class_embed_type\": \"timestep\"}")};
    sumi_model *model = NULL;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
        CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "\"_null_class\" is the last class",
                    sumi_model_create(room->context, configs[i], 1, &model));
    CHECK_FAILS(room->context, SUMI_ERROR_FORMAT, "\"_null_class\" should be a whole number",
                sumi_model_create(room->context,
                                  "{\"_class_name\": \"SumiMLPModel\", \"num_class_embeds\": 4,"
                                  " \"_null_class\": \"3\"}",
                                  1, &model));
}

static void the_null_class_is_kept_in_the_folder(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_WITH_NULL), *again = NULL;
    sumi_model *without = tiny_create(room, TINY_CONDITIONAL);
    assert_int_equal(sumi_model_classes(model), 3);
    assert_int_equal(sumi_model_null_class(model), 3);
    assert_int_equal(sumi_model_null_class(without), -1);
    assert_null(strstr(sumi_model_config(without), "_null_class"));
    CHECK_OK(room->context, sumi_model_save(model, scratch_path(room, "model")));
    CHECK_OK(room->context, sumi_model_open(room->context, scratch_path(room, "model"), &again));
    assert_int_equal(sumi_model_classes(again), 3);
    assert_int_equal(sumi_model_null_class(again), 3);
    sumi_input input = {.size = sizeof input};
    assert_true(sumi_model_input(again, 2, &input));
    assert_int_equal(input.limit, 4); /* it may be asked for, like the others */
    sumi_model_free(again);
    sumi_model_free(without);
    sumi_model_free(model);
}

/* ---- Memory ---- */

static sumi_status use_guide(sumi_context *context, void *user)
{
    static const char config[] = "{\"_class_name\": \"SumiMLPModel\", \"width\": 4, \"depth\": 1,"
                                 " \"num_class_embeds\": 3, \"_null_class\": 2}";
    const float x[4] = {0.1F, 0.2F, 0.3F, 0.4F};
    float output[4], products[4];
    sumi_model *model = NULL;
    sumi_session *session = NULL;
    sumi_guide *guide = NULL;
    (void)user;
    sumi_status status = sumi_model_create(context, config, 1, &model);
    STEP(once_open(context, model, 1, (int32_t[]){1}, &session));
    STEP(sumi_session_add_guide(session, "classifier-free", &guide));
    STEP(sumi_guide_set(guide, "scale", "2"));
    STEP(sumi_guide_set(guide, "rescale", "0.5"));
    STEP(sumi_session_predict(session, 2, x, times, output));
    STEP(sumi_session_product(session, 2, 2, 2, x, times, x, output, products));
    STEP(once_set(context, session, 2, (int32_t[]){1, 0}));
    STEP(sumi_session_set_null(session, NULL));
    STEP(sumi_session_predict(session, 2, x, times, output));
    sumi_session_free(session);
    sumi_model_free(model);
    return status;
}

static void failing_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    for_each_failure(use_guide, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(one_batch_predicts_what_the_two_conditions_predict_alone),
        SCRATCH_TEST(the_products_of_a_guided_session_are_the_guided_products),
        SCRATCH_TEST(the_variance_is_that_under_the_condition),
        SCRATCH_TEST(conditions_and_null_conditions_that_are_set_later_count),
        SCRATCH_TEST(samples_without_a_condition_have_every_class_but_the_null_class),
        SCRATCH_TEST(an_interval_goes_by_the_levels_of_the_model_s_scheduler),
        SCRATCH_TEST(models_that_cannot_be_guided_are_refused),
        SCRATCH_TEST(a_null_class_must_be_the_last_of_a_table),
        SCRATCH_TEST(the_null_class_is_kept_in_the_folder),
        SCRATCH_TEST(failing_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
