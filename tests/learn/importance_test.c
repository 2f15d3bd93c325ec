/* SPDX-License-Identifier: Apache-2.0 */
/* Importance sampling of times: by the second moment of their losses, unbiased, and saved in
   checkpoints. */
#include "learn/importance.h"

#include "learn/training.h"

enum { TIMES = 8, HISTORY = 10 };

/* Ten losses of each time: their mean is time + 1, and they spread by a part of it. */
static void note_all(struct importance *importance)
{
    for (int64_t t = 0; t < TIMES; t++) {
        for (int k = 0; k < HISTORY; k++) {
            importance_note(importance, t, (float)(t + 1) * (1 + 0.1f * (float)(k % 2 * 2 - 1)));
        }
    }
}

static void all_times_are_as_likely_until_each_has_ten_losses(void **state)
{
    scratch *room = *state;
    struct importance importance;
    CHECK_OK(room->context, importance_open(room->context, TIMES, &importance));
    for (int i = 0; i < 9; i++) {
        for (int64_t t = 0; t < TIMES; t++) importance_note(&importance, t, (float)(1 + t));
    }
    for (int64_t t = 1; t < TIMES; t++) importance_note(&importance, t, 100);
    importance_prepare(&importance);
    for (int64_t t = 0; t < TIMES; t++) {
        CHECK_CLOSE(importance_chance(&importance, t), 1.0 / TIMES, 1e-12);
    }
    importance_release(room->context, &importance);
}

static void chances_are_proportional_to_the_root_of_the_second_moment(void **state)
{
    scratch *room = *state;
    struct importance importance;
    double total = 0;
    CHECK_OK(room->context, importance_open(room->context, TIMES, &importance));
    note_all(&importance);
    importance_prepare(&importance);
    for (int64_t t = 0; t < TIMES; t++) {
        double wanted = 0.001 / TIMES + 0.999 * (double)(t + 1) / (TIMES * (TIMES + 1) / 2);
        CHECK_CLOSE(importance_chance(&importance, t), wanted, 1e-7);
        total += importance_chance(&importance, t);
    }
    CHECK_CLOSE(total, 1, 1e-12);
    importance_release(room->context, &importance);
}

static void draws_follow_the_chances_and_their_weighted_mean_is_unbiased(void **state)
{
    scratch *room = *state;
    struct importance importance;
    enum { DRAWS = 80000 };
    int counts[TIMES] = {0};
    double mean = 0, truth = 0;
    CHECK_OK(room->context, importance_open(room->context, TIMES, &importance));
    note_all(&importance);
    importance_prepare(&importance);
    for (int i = 0; i < DRAWS; i++) {
        int64_t t = importance_draw(&importance, (i + 0.5) / DRAWS);
        counts[t]++;
        mean += (double)(t * t) / (TIMES * importance_chance(&importance, t)) / DRAWS;
    }
    for (int64_t t = 0; t < TIMES; t++) {
        truth += (double)(t * t) / TIMES;
        CHECK_CLOSE(counts[t], DRAWS * importance_chance(&importance, t), 1.01);
    }
    CHECK_CLOSE(mean, truth, 1e-3);
    importance_release(room->context, &importance);
}

static void old_losses_are_forgotten(void **state)
{
    scratch *room = *state;
    struct importance importance;
    CHECK_OK(room->context, importance_open(room->context, 2, &importance));
    for (int i = 0; i < 37; i++) importance_note(&importance, 0, 1000);
    for (int i = 0; i < 10; i++) importance_note(&importance, 0, 1);
    for (int i = 0; i < 13; i++) importance_note(&importance, 1, 3);
    importance_prepare(&importance);
    CHECK_CLOSE(importance_chance(&importance, 0), 0.0005 + 0.999 * 0.25, 1e-7);
    importance_release(room->context, &importance);
}

static const char *const SETTINGS[] = {"train.times=importance", "train.objective=variational",
                                       "train.steps=100", NULL};
static const char SCHEDULER[] = "{\"num_train_timesteps\": 8, \"beta_start\": 0.01,"
                                " \"beta_end\": 0.5}";

/* The mean over many steps of the loss at a fixed network, with its standard error. */
static double mean_loss(sumi_context *context, const char *const *settings, double *error)
{
    struct training t;
    enum { STEPS = 400 };
    double sum = 0, squares = 0;
    training_begin(context, settings, SCHEDULER, &t);
    const struct objective *objective = &t.trainer->plans->objective;
    for (int64_t step = 0; step < 40 + STEPS; step++) { /* the first give the losses to go by */
        double loss = loss_of(context, &t, step);
        objective->observe(objective->user, t.trainer->plans->plan);
        if (step < 40) continue;
        sum += loss;
        squares += loss * loss;
    }
    training_end(&t);
    *error = sqrt((squares / STEPS - sum / STEPS * sum / STEPS) / STEPS);
    return sum / STEPS;
}

static void the_bound_by_importance_is_the_uniform_one_with_less_noise(void **state)
{
    scratch *room = *state;
    static const char *const uniform[] = {"train.objective=variational", NULL};
    double error, uniform_error;
    double mean = mean_loss(room->context, SETTINGS, &error);
    double wanted = mean_loss(room->context, uniform, &uniform_error);
    assert_true(error < 0.7 * uniform_error);
    CHECK_CLOSE(mean, wanted, 4 * hypot(error, uniform_error));
}

static void a_resumed_run_draws_the_same_times(void **state)
{
    scratch *room = *state;
    struct training whole, part;
    const char *path = scratch_path(room, "checkpoint.safetensors");
    training_begin(room->context, SETTINGS, SCHEDULER, &whole);
    for (int i = 0; i < 30; i++) CHECK_OK(room->context, sumi_trainer_step(whole.trainer, NULL));
    CHECK_OK(room->context, sumi_trainer_save(whole.trainer, path));
    for (int i = 0; i < 10; i++) CHECK_OK(room->context, sumi_trainer_step(whole.trainer, NULL));
    training_begin(room->context, SETTINGS, SCHEDULER, &part);
    CHECK_OK(room->context, sumi_trainer_load(part.trainer, path));
    for (int i = 0; i < 10; i++) CHECK_OK(room->context, sumi_trainer_step(part.trainer, NULL));
    assert_true(*scale_of(&part) == *scale_of(&whole));
    assert_memory_equal(fed(&part, "times"), fed(&whole, "times"), BATCH * sizeof(float));
    const float *chances = fed(&whole, "chances");
    bool drawn = false;
    for (int i = 0; i < BATCH; i++) drawn |= fabsf(chances[i] - 1) > 0.1f;
    assert_true(drawn); /* the losses were known already */
    training_end(&part);
    training_end(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(all_times_are_as_likely_until_each_has_ten_losses),
        SCRATCH_TEST(chances_are_proportional_to_the_root_of_the_second_moment),
        SCRATCH_TEST(draws_follow_the_chances_and_their_weighted_mean_is_unbiased),
        SCRATCH_TEST(old_losses_are_forgotten),
        SCRATCH_TEST(the_bound_by_importance_is_the_uniform_one_with_less_noise),
        SCRATCH_TEST(a_resumed_run_draws_the_same_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
