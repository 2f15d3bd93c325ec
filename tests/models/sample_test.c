/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of a model: the same for the same seed, however they are computed; its own solver. */
#include "models/tiny.h"

/* Rounding of the network's output, through a few steps. */
static const double ROUNDING = 2e-5;

static sumi_solver *make_solver(scratch *room, sumi_model *model, const char *seed, const char *rng)
{
    sumi_solver *solver = NULL;
    CHECK_OK(room->context, sumi_model_solver(model, NULL, &solver));
    CHECK_OK(room->context, sumi_solver_set(solver, "steps", "6"));
    CHECK_OK(room->context, sumi_solver_set(solver, "seed", seed));
    CHECK_OK(room->context, sumi_solver_set(solver, "rng", rng));
    return solver;
}

static sumi_array sample(scratch *room, sumi_model *model, const char *seed, const char *rng,
                         int64_t count)
{
    sumi_array samples = {0};
    sumi_solver *solver = make_solver(room, model, seed, rng);
    CHECK_OK(room->context, sumi_model_sample(model, solver, count, NULL, &samples));
    sumi_solver_free(solver);
    return samples;
}

static void samples_have_the_shape_of_items(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_SIGNAL);
    sumi_array samples = sample(room, model, "1", "philox", 3);
    assert_int_equal(samples.rank, 3);
    assert_int_equal(samples.shape[0], 3);
    assert_int_equal(samples.shape[1], 16);
    assert_int_equal(samples.shape[2], 1);
    for (int64_t i = 0; i < 48; i++) assert_true(fabsf(samples.data[i]) <= 1); /* clipped */
    sumi_array_release(room->context, &samples);
    sumi_model_free(model);
}

static void a_seed_gives_the_same_samples_and_another_does_not(void **state)
{
    static const char *const streams[] = {"philox", "torch"};
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    for (int i = 0; i < 2; i++) {
        sumi_array first = sample(room, model, "5", streams[i], 2);
        sumi_array again = sample(room, model, "5", streams[i], 2);
        sumi_array other = sample(room, model, "6", streams[i], 2);
        assert_memory_equal(first.data, again.data, 128 * sizeof(float));
        assert_memory_not_equal(first.data, other.data, 128 * sizeof(float));
        sumi_array_release(room->context, &first);
        sumi_array_release(room->context, &again);
        sumi_array_release(room->context, &other);
    }
    sumi_model_free(model);
}

static void the_first_samples_do_not_depend_on_how_many_follow(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    sumi_array four = sample(room, model, "9", "philox", 4);
    sumi_array eight = sample(room, model, "9", "philox", 8);
    for (int64_t i = 0; i < 4 * 64; i++) CHECK_CLOSE(four.data[i], eight.data[i], ROUNDING);
    sumi_array_release(room->context, &four);
    sumi_array_release(room->context, &eight);
    sumi_model_free(model);
}

static void threads_do_not_change_what_is_drawn(void **state)
{
    static const char *const streams[] = {"philox", "torch"};
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_UNET);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(room->context, sumi_context_set_threads(room->context, 1));
        sumi_array one = sample(room, model, "2", streams[i], 3);
        CHECK_OK(room->context, sumi_context_set_threads(room->context, 4));
        sumi_array four = sample(room, model, "2", streams[i], 3);
        for (int64_t k = 0; k < 3 * 64; k++) CHECK_CLOSE(one.data[k], four.data[k], ROUNDING);
        sumi_array_release(room->context, &one);
        sumi_array_release(room->context, &four);
    }
    sumi_model_free(model);
}

/* More items than are evaluated at once. */
static void an_explicit_denoiser_gives_the_same_samples(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    enum { COUNT = 130 };
    const int64_t shape[] = {COUNT, 2};
    float x[2 * COUNT];
    sumi_array samples = sample(room, model, "3", "torch", COUNT);
    sumi_solver *solver = make_solver(room, model, "3", "torch");
    CHECK_OK(room->context, sumi_solver_start(solver, 2, shape, x));
    CHECK_OK(room->context, once_run(room->context, model, solver, 2, shape, x));
    assert_memory_equal(x, samples.data, sizeof x);
    sumi_array_release(room->context, &samples);
    sumi_solver_free(solver);
    sumi_model_free(model);
}

static void a_denoiser_s_items_have_the_model_s_size(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    float x[3] = {0}, time = 0, output[3];
    sumi_session *session = NULL;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "has 2 numbers, not 3",
                sumi_session_denoiser(session, 1, 3, 3, x, &time, output));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "predicts 2 numbers",
                sumi_session_denoiser(session, 1, 2, 4, x, &time, output));
    sumi_session_free(session);
    sumi_model_free(model);
}

/* ---- Classes ---- */

static void classes_take_turns_where_no_condition_is_given(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_CONDITIONAL);
    sumi_array given = {0}, taken = sample(room, model, "4", "philox", 4);
    sumi_solver *solver = make_solver(room, model, "4", "philox");
    const int32_t classes[] = {0, 1, 2, 0};
    sumi_condition *condition = NULL;
    CHECK_OK(room->context, once_condition(room->context, 4, classes, &condition));
    CHECK_OK(room->context, sumi_model_sample(model, solver, 4, condition, &given));
    sumi_condition_free(condition);
    assert_memory_equal(given.data, taken.data, 64 * sizeof(float));
    sumi_array_release(room->context, &given);
    sumi_array_release(room->context, &taken);
    sumi_solver_free(solver);
    sumi_model_free(model);
}

static void the_items_of_a_condition_repeat(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_CONDITIONAL);
    const int32_t pair[] = {2, 1}, labels[] = {2, 1, 2, 1};
    const float times[] = {8, 8, 8, 8};
    float *x = tiny_items(model, 4), denoised[64], predicted[64];
    sumi_session *session = NULL;
    CHECK_OK(room->context, once_open(room->context, model, 2, pair, &session));
    CHECK_OK(room->context, sumi_session_denoiser(session, 4, 16, 16, x, times, denoised));
    CHECK_OK(room->context, once_predict(room->context, model, 4, x, times, labels, predicted));
    assert_memory_equal(denoised, predicted, sizeof denoised);
    CHECK_OK(room->context, sumi_session_set_condition(session, NULL));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "needs \"class\"",
                sumi_session_denoiser(session, 4, 16, 16, x, times, denoised));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "\"class\" of item 0 is 7",
                once_set(room->context, session, 1, (int32_t[]){7}));
    sumi_session_free(session);
    free(x);
    sumi_model_free(model);
}

/* ---- Solvers ---- */

static void the_scheduler_s_class_chooses_the_solver(void **state)
{
    scratch *room = *state;
    sumi_model *model = tiny_create(room, TINY_MLP);
    sumi_solver *own = NULL, *named = NULL;
    float x[4] = {0.3F, -0.2F, 0.1F, 0.9F}, y[4];
    const int64_t shape[] = {2, 2};
    memcpy(y, x, sizeof y);
    CHECK_OK(room->context, sumi_model_set_scheduler(model, "{\"_class_name\": \"DDIMScheduler\","
                                                            " \"num_train_timesteps\": 5,"
                                                            " \"clip_sample\": false}"));
    CHECK_OK(room->context, sumi_model_solver(model, NULL, &own));
    CHECK_OK(room->context, sumi_model_solver(model, "ddim", &named));
    assert_int_equal(sumi_solver_times(own, NULL, 0), 5);
    CHECK_OK(room->context, once_run(room->context, model, own, 2, shape, x));
    CHECK_OK(room->context, once_run(room->context, model, named, 2, shape, y));
    assert_memory_equal(x, y, sizeof x);
    sumi_solver_free(own);
    sumi_solver_free(named);
    sumi_model_free(model);
}

static void a_scheduler_that_is_not_there_says_what_is(void **state)
{
    scratch *room = *state;
    sumi_solver *solver = NULL;
    sumi_model *model = tiny_create(room, TINY_MLP);
    CHECK_OK(room->context,
             sumi_model_set_scheduler(model, "{\"_class_name\": \"VQDiffusionScheduler\"}"));
    CHECK_FAILS(room->context, SUMI_ERROR_UNSUPPORTED, "VQDiffusionScheduler",
                sumi_model_solver(model, NULL, &solver));
    assert_non_null(strstr(sumi_context_message(room->context), "ddpm, ddim"));
    CHECK_OK(room->context, sumi_model_solver(model, "ddpm", &solver));
    sumi_solver_free(solver);
    sumi_model_free(model);
}

static void a_network_with_a_variance_needs_a_solver_that_takes_it(void **state)
{
    scratch *room = *state;
    sumi_array samples = {0};
    sumi_solver *solver = NULL;
    sumi_model *model = tiny_create(room, "{\"_class_name\": \"SumiMLPModel\", \"width\": 8,"
                                          " \"depth\": 1, \"out_channels\": 4}");
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "2 input channels and 4 output channels",
                sumi_model_sample(model, NULL, 1, NULL, &samples));
    CHECK_OK(room->context,
             sumi_model_set_scheduler(model, "{\"num_train_timesteps\": 5,"
                                             " \"variance_type\": \"learned_range\"}"));
    CHECK_OK(room->context, sumi_model_sample(model, NULL, 3, NULL, &samples));
    assert_int_equal(samples.shape[1], 2);
    sumi_array_release(room->context, &samples);
    CHECK_OK(room->context, sumi_solver_create(room->context, "ddpm", &solver));
    CHECK_FAILS(room->context, SUMI_ERROR_ARGUMENT, "2 input channels and 4 output channels",
                sumi_model_sample(model, solver, 1, NULL, &samples));
    sumi_solver_free(solver);
    sumi_model_free(model);
}

static void a_transformer_s_variance_may_be_left_out(void **state)
{
    scratch *room = *state;
    float x[16], times[1] = {3}, whole[32], half[16];
    sumi_array samples = {0};
    sumi_session *session = NULL;
    sumi_condition *condition = NULL;
    sumi_model *model =
        tiny_create(room, "{\"_class_name\": \"DiTTransformer2DModel\", \"sample_size\": 4,"
                          " \"in_channels\": 1, \"out_channels\": 2, \"num_layers\": 1,"
                          " \"num_attention_heads\": 2, \"attention_head_dim\": 4,"
                          " \"num_embeds_ada_norm\": 3}");
    sumi_weight weight = {.size = sizeof weight};
    for (int64_t i = 0; sumi_model_weight(model, i, &weight); i++)
        for (int64_t j = 0; j < weight.shape[0]; j++) weight.data[j] = 0.1F * (float)(j % 5 - 2);
    for (int i = 0; i < 16; i++) x[i] = (float)i / 16;
    CHECK_OK(room->context, sumi_session_create(room->context, model, &session));
    CHECK_OK(room->context, sumi_condition_create(room->context, &condition));
    CHECK_OK(room->context,
             sumi_condition_set_integers(condition, "class", 1, (int64_t[]){1}, (int32_t[]){3}));
    CHECK_OK(room->context, sumi_session_set_condition(session, condition));
    CHECK_OK(room->context, sumi_session_denoiser(session, 1, 16, 32, x, times, whole));
    CHECK_OK(room->context, sumi_session_denoiser(session, 1, 16, 16, x, times, half));
    assert_true(whole[0] != 0);
    for (int i = 0; i < 16; i++) assert_true(half[i] == whole[2 * i]);
    sumi_condition_free(condition);
    sumi_session_free(session);
    CHECK_OK(room->context, sumi_model_sample(model, NULL, 2, NULL, &samples)); /* fixed_small */
    sumi_array_release(room->context, &samples);
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(samples_have_the_shape_of_items),
        SCRATCH_TEST(a_transformer_s_variance_may_be_left_out),
        SCRATCH_TEST(a_seed_gives_the_same_samples_and_another_does_not),
        SCRATCH_TEST(the_first_samples_do_not_depend_on_how_many_follow),
        SCRATCH_TEST(threads_do_not_change_what_is_drawn),
        SCRATCH_TEST(an_explicit_denoiser_gives_the_same_samples),
        SCRATCH_TEST(a_denoiser_s_items_have_the_model_s_size),
        SCRATCH_TEST(classes_take_turns_where_no_condition_is_given),
        SCRATCH_TEST(the_items_of_a_condition_repeat),
        SCRATCH_TEST(the_scheduler_s_class_chooses_the_solver),
        SCRATCH_TEST(a_scheduler_that_is_not_there_says_what_is),
        SCRATCH_TEST(a_network_with_a_variance_needs_a_solver_that_takes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
