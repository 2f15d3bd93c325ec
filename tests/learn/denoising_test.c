/* SPDX-License-Identifier: Apache-2.0 */
/* The objective of a denoising model: the network's inputs follow the forward process of the paper,
   and the loss is that of the paper. The test's network is a number times x. */
#include "learn/training.h"

enum { TIMES = 10 };

/* A model of ten times, and their schedule. */
static void begin(sumi_context *context, const char *prediction, const char *weighting, int classes,
                  struct training *t)
{
    char setting[64], scheduler[256];
    const char *const settings[] = {setting, classes ? "data.labels=yes" : "data.labels=no", NULL};
    snprintf(setting, sizeof setting, "train.weighting=%s", weighting);
    snprintf(scheduler, sizeof scheduler,
             "{\"num_train_timesteps\": %d, \"beta_start\": 0.01, \"beta_end\": 0.5,"
             " \"prediction_type\": \"%s\", \"clip_sample\": false}",
             TIMES, prediction);
    training_begin(context, settings, scheduler, t);
    const struct schedule_options options = {.num_train_timesteps = TIMES,
                                             .beta_start = 0.01,
                                             .beta_end = 0.5,
                                             .beta_schedule = "linear"};
    CHECK_OK(context, schedule_create(context, &options, &t->schedule));
}

static void end(sumi_context *context, struct training *t)
{
    schedule_release(context, &t->schedule);
    training_end(t);
}

/* ---- The forward process ---- */

static void check_batch(sumi_context *context, const char *name, enum prediction_type type)
{
    struct training t, epsilon;
    float clean[BATCH * SIZE];
    begin(context, name, "simple", 0, &t);
    begin(context, "epsilon", "simple", 0, &epsilon); /* its target is the noise itself */
    for (int64_t step = 0; step < 3; step++) {
        feed(context, &t, step);
        feed(context, &epsilon, step);
        CHECK_OK(context, data_read_batch(t.data, 0, step, BATCH, clean, NULL));
        const float *x = fed(&t, "x"), *times = fed(&t, "times"), *target = fed(&t, "target");
        const float *noise = fed(&epsilon, "target");
        for (int i = 0; i < BATCH * SIZE; i++) {
            double a = schedule_signal(&t.schedule, (int64_t)times[i / SIZE]);
            double s = schedule_noise(&t.schedule, (int64_t)times[i / SIZE]);
            CHECK_CLOSE(a * a + s * s, 1, 1e-6);
            CHECK_CLOSE(x[i], a * clean[i] + s * noise[i], 1e-6);
            double wanted = type == PREDICTION_EPSILON  ? noise[i]
                            : type == PREDICTION_SAMPLE ? clean[i]
                                                        : a * noise[i] - s * clean[i];
            CHECK_CLOSE(target[i], wanted, 1e-6);
        }
    }
    end(context, &epsilon);
    end(context, &t);
}

static void the_batch_is_the_forward_process_for_every_prediction(void **state)
{
    scratch *room = *state;
    check_batch(room->context, "epsilon", PREDICTION_EPSILON);
    check_batch(room->context, "sample", PREDICTION_SAMPLE);
    check_batch(room->context, "v_prediction", PREDICTION_V);
}

static void times_are_uniform_over_the_whole_schedule(void **state)
{
    scratch *room = *state;
    struct training t;
    enum { STEPS = 300 };
    double counts[TIMES] = {0}, statistic = 0, expected = (double)STEPS * BATCH / TIMES;
    begin(room->context, "epsilon", "simple", 0, &t);
    for (int64_t step = 0; step < STEPS; step++) {
        feed(room->context, &t, step);
        const float *times = fed(&t, "times");
        for (int i = 0; i < BATCH; i++) {
            int time = (int)times[i];
            assert_true(times[i] == (float)time && time >= 0 && time < TIMES);
            counts[time]++;
        }
    }
    for (int i = 0; i < TIMES; i++) statistic += pow(counts[i] - expected, 2) / expected;
    assert_true(statistic < 27.88); /* 99.9 % of chi-square with 9 degrees of freedom */
    assert_true(statistic > 1.15);  /* 0.1 %: nor are they laid out evenly */
    end(room->context, &t);
}

static void the_noise_is_standard_normal(void **state)
{
    scratch *room = *state;
    struct training t;
    enum { STEPS = 200, COUNT = STEPS * BATCH * SIZE };
    double sums[4] = {0};
    begin(room->context, "epsilon", "simple", 0, &t);
    for (int64_t step = 0; step < STEPS; step++) {
        feed(room->context, &t, step);
        const float *noise = fed(&t, "target");
        for (int i = 0; i < BATCH * SIZE; i++) {
            for (int k = 0; k < 4; k++) sums[k] += pow(noise[i], k + 1) / COUNT;
        }
    }
    const double root = sqrt(COUNT); /* moments of a normal: variances 1, 2, 15 and 96 */
    CHECK_CLOSE(sums[0], 0, 4 * 1 / root);
    CHECK_CLOSE(sums[1], 1, 4 * sqrt(2) / root);
    CHECK_CLOSE(sums[2], 0, 4 * sqrt(15) / root);
    CHECK_CLOSE(sums[3], 3, 4 * sqrt(96) / root);
    end(room->context, &t);
}

/* ---- The loss ---- */

static void a_network_that_says_nothing_loses_one_by_epsilon(void **state)
{
    scratch *room = *state;
    struct training t;
    enum { STEPS = 400 };
    double mean = 0;
    begin(room->context, "epsilon", "simple", 0, &t);
    for (int64_t step = 0; step < STEPS; step++) {
        feed(room->context, &t, step);
        CHECK_OK(room->context, sumi_plan_run(t.trainer->plans->plan, 0, (uint64_t)step));
        mean += *sumi_plan_data(t.trainer->plans->plan, t.trainer->plans->losses[0]) / STEPS;
    }
    CHECK_CLOSE(mean, 1, 4 * sqrt(2.0 / (STEPS * BATCH * SIZE))); /* e^2 has variance 2 */
    end(room->context, &t);
}

static void the_bound_weighs_each_time_as_the_schedule_says(void **state)
{
    scratch *room = *state;
    static const char *const names[] = {"epsilon", "sample", "v_prediction"};
    for (int type = 0; type < 3; type++) {
        struct training t;
        double expected = 0;
        begin(room->context, names[type], "bound", 0, &t);
        feed(room->context, &t, 7);
        const float *times = fed(&t, "times"), *weights = fed(&t, "weights");
        const float *target = fed(&t, "target");
        for (int i = 0; i < BATCH; i++) {
            double weight = schedule_bound_weight(&t.schedule, (int64_t)times[i],
                                                  (enum prediction_type)type, VARIANCE_FIXED_SMALL);
            CHECK_CLOSE(weights[i], weight, 1e-6 * weight);
            for (int k = 0; k < SIZE; k++) {
                expected += weight * pow(target[i * SIZE + k], 2) / (BATCH * SIZE);
            }
        }
        CHECK_OK(room->context, sumi_plan_run(t.trainer->plans->plan, 0, 7));
        CHECK_CLOSE(*sumi_plan_data(t.trainer->plans->plan, t.trainer->plans->losses[0]), expected,
                    1e-5 * expected);
        end(room->context, &t);
    }
}

static void labels_of_the_items_reach_the_network(void **state)
{
    scratch *room = *state;
    struct training t;
    float clean[BATCH * SIZE];
    int32_t wanted[BATCH];
    begin(room->context, "epsilon", "simple", 8, &t);
    for (int64_t step = 0; step < 3; step++) {
        feed(room->context, &t, step);
        CHECK_OK(room->context, data_read_batch(t.data, 0, step, BATCH, clean, wanted));
        const int32_t *classes = fed_classes(&t);
        for (int i = 0; i < BATCH; i++) {
            assert_true(classes[i] == wanted[i]);
            double angle = atan2(clean[i * SIZE + 1], clean[i * SIZE]); /* the eighth of a circle */
            assert_int_equal((lround(angle / 0.78539816339744831) + 8) % 8, wanted[i]);
        }
        CHECK_OK(room->context, sumi_trainer_step(t.trainer, NULL));
    }
    end(room->context, &t);
}

/* ---- What does not fit ---- */

/* A model of another network for the data of t, in its place. */
static sumi_status create_with(sumi_context *context, struct training *t,
                               const sumi_network *network)
{
    sumi_trainer_free(t->trainer);
    sumi_model_free(t->model);
    t->trainer = NULL;
    t->model = NULL;
    CHECK_OK(context, sumi_model_compose(context, network, 1, &t->model));
    return sumi_trainer_create(context, t->recipe, t->model, t->data, &t->trainer);
}

static void models_that_do_not_fit_the_data_are_refused(void **state)
{
    scratch *room = *state;
    struct training t;
    const char *message = sumi_context_message(room->context);
    begin(room->context, "epsilon", "simple", 0, &t);
    const sumi_network wide = {.size = sizeof wide, .rank = 1, .shape = {3}, .build = build_scaled};
    assert_int_equal(create_with(room->context, &t, &wide), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(message, "[3]"));
    assert_non_null(strstr(message, "[2]"));
    const sumi_network few = scaled_network(3);
    assert_int_equal(create_with(room->context, &t, &few), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(message, "class"));
    end(room->context, &t);
    begin(room->context, "epsilon", "simple", 8, &t);
    assert_int_equal(create_with(room->context, &t, &few), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(message, "3 classes"));
    assert_null(t.trainer);
    end(room->context, &t);
}

static void networks_that_give_a_variance_are_not_trained(void **state)
{
    scratch *room = *state;
    struct training t;
    static const char config[] = "{\"_class_name\": \"SumiMLPModel\", \"in_channels\": 2,"
                                 " \"out_channels\": 4, \"width\": 8, \"depth\": 1}";
    begin(room->context, "epsilon", "simple", 0, &t);
    sumi_trainer_free(t.trainer);
    sumi_model_free(t.model);
    CHECK_OK(room->context, sumi_model_create(room->context, config, 1, &t.model));
    CHECK_OK(room->context,
             sumi_model_set_scheduler(t.model, "{\"variance_type\": \"learned_range\"}"));
    assert_int_equal(sumi_trainer_create(room->context, t.recipe, t.model, t.data, &t.trainer),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "variance_type"));
    end(room->context, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_batch_is_the_forward_process_for_every_prediction),
        SCRATCH_TEST(times_are_uniform_over_the_whole_schedule),
        SCRATCH_TEST(the_noise_is_standard_normal),
        SCRATCH_TEST(a_network_that_says_nothing_loses_one_by_epsilon),
        SCRATCH_TEST(the_bound_weighs_each_time_as_the_schedule_says),
        SCRATCH_TEST(labels_of_the_items_reach_the_network),
        SCRATCH_TEST(models_that_do_not_fit_the_data_are_refused),
        SCRATCH_TEST(networks_that_give_a_variance_are_not_trained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
