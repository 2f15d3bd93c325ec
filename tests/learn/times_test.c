/* SPDX-License-Identifier: Apache-2.0 */
/* The times that a model is trained at: on every path between its ends, distributed as the recipe
   says, with the path's time input of the network. */
#include "learn/times.h"

#include "learn/noised.h"
#include "learn/training.h"

enum { STEPS = 200, DRAWS = STEPS * BATCH };

/* Calls `look` with every place of some steps. */
static void draw_all(sumi_context *context, const char *times, const char *scheduler,
                     void (*look)(void *user, const struct noised *noised,
                                  const struct place *place),
                     void *user)
{
    struct training t;
    char setting[64];
    bool normal = strcmp(times, "log_normal") == 0 || strcmp(times, "auto") == 0;
    bool logit = strcmp(times, "logit_normal") == 0;
    const char *const settings[] = {setting,
                                    normal  ? "train.log_mean=-0.5"
                                    : logit ? "train.logit_mean=0.4"
                                            : NULL,
                                    logit ? "train.logit_deviation=0.8" : "train.log_deviation=0.8",
                                    NULL};
    snprintf(setting, sizeof setting, "train.times=%s", times);
    training_begin(context, settings, scheduler, &t);
    for (int64_t step = 0; step < STEPS; step++) {
        feed(context, &t, step);
        const struct noised *noised = t.trainer->plans->objective.user;
        for (int i = 0; i < BATCH; i++) {
            assert_true(fed(&t, "times")[i] == (float)noised->places[i].time);
            look(user, noised, &noised->places[i]);
        }
    }
    training_end(&t);
}

struct sums {
    double sum, squares;
    int tenths[10]; /* of the way from the least to the greatest */
};

static void add(struct sums *sums, double value, double share)
{
    sums->sum += value;
    sums->squares += value * value;
    if (share >= 0 && share < 1) sums->tenths[(int)(10 * share)]++;
}

/* a and s must be those of the time, by the path's own definition at its own time t. */
static void look_at_vp(void *user, const struct noised *noised, const struct place *place)
{
    double t = path_own_time(noised->path, place->time), integral = 0.1 * t + 19.9 * t * t / 2;
    CHECK_CLOSE(place->level.signal, exp(-integral / 2), 1e-9);
    CHECK_CLOSE(place->level.noise, sqrt(1 - exp(-integral)), 1e-9);
    CHECK_CLOSE(place->time, 999 * t, 1e-6);
    add(user, t, (t - 1e-3) / (1 - 1e-3));
}

static void check_uniform(const struct sums *sums)
{
    double statistic = 0;
    for (int i = 0; i < 10; i++) {
        statistic += pow(sums->tenths[i] - DRAWS / 10.0, 2) / (DRAWS / 10.0);
    }
    assert_true(statistic < 27.88); /* 99.9 % of chi-square with 9 degrees of freedom */
}

static void continuous_paths_are_trained_at_all_their_times(void **state)
{
    scratch *room = *state;
    struct sums sums = {0};
    draw_all(room->context, "auto", "{\"path\": \"vp\"}", look_at_vp, &sums);
    check_uniform(&sums);
}

static void look_at_flow(void *user, const struct noised *noised, const struct place *place)
{
    double t = place->time / 1000;
    (void)noised;
    CHECK_CLOSE(place->level.signal, 1 - t, 1e-9);
    CHECK_CLOSE(place->level.noise, t, 1e-9);
    double unshifted = t / (3 - 2 * t); /* t = 3 u / (1 + 2 u) */
    add(user, unshifted, (unshifted - 1e-3) / (1 - 1e-3));
}

static void the_shift_of_a_flow_moves_its_times(void **state)
{
    scratch *room = *state;
    struct sums sums = {0};
    draw_all(room->context, "uniform",
             "{\"path\": \"flow\", \"prediction_type\": \"flow_prediction\", \"shift\": 3}",
             look_at_flow, &sums);
    check_uniform(&sums);
}

static void look_at_edm(void *user, const struct noised *noised, const struct place *place)
{
    (void)noised;
    double sigma = place->level.noise;
    CHECK_CLOSE(place->level.signal, 1, 0);
    CHECK_CLOSE(place->time, log(sigma) / 4, 1e-9);
    add(user, log(sigma), -1);
}

static void preconditioned_networks_see_log_normal_noise(void **state)
{
    scratch *room = *state;
    struct sums sums = {0};
    draw_all(room->context, "auto", "{\"path\": \"edm\"}", look_at_edm, &sums);
    double mean = sums.sum / DRAWS, deviation = sqrt(sums.squares / DRAWS - mean * mean);
    CHECK_CLOSE(mean, -0.5, 4 * 0.8 / sqrt(DRAWS));
    CHECK_CLOSE(deviation, 0.8, 4 * 0.8 / sqrt(2.0 * DRAWS));
}

static void look_at_logit(void *user, const struct noised *noised, const struct place *place)
{
    (void)noised;
    double t = place->time / 1000;
    add(user, log(t / (1 - t)), -1);
}

static void log_normal_ratios_are_logit_normal_times_of_a_flow(void **state)
{
    scratch *room = *state;
    struct sums sums = {0};
    draw_all(room->context, "log_normal", "{\"path\": \"flow\", \"prediction_type\": \"velocity\"}",
             look_at_logit, &sums);
    double mean = sums.sum / DRAWS, deviation = sqrt(sums.squares / DRAWS - mean * mean);
    CHECK_CLOSE(mean, -0.5, 4 * 0.8 / sqrt(DRAWS));
    CHECK_CLOSE(deviation, 0.8, 4 * 0.8 / sqrt(2.0 * DRAWS));
}

/* Esser et al. 2024, eq. 19 and 23: a shift moves log(t / (1 - t)) by its logarithm. */
static void logit_normal_times_of_a_flow_move_by_the_shift(void **state)
{
    scratch *room = *state;
    for (int shift = 1; shift <= 3; shift += 2) {
        struct sums sums = {0};
        char scheduler[128];
        snprintf(scheduler, sizeof scheduler,
                 "{\"path\": \"flow\", \"prediction_type\": \"velocity\", \"shift\": %d}", shift);
        draw_all(room->context, "logit_normal", scheduler, look_at_logit, &sums);
        double mean = sums.sum / DRAWS, deviation = sqrt(sums.squares / DRAWS - mean * mean);
        CHECK_CLOSE(mean, 0.4 + log(shift), 4 * 0.8 / sqrt(DRAWS));
        CHECK_CLOSE(deviation, 0.8, 4 * 0.8 / sqrt(2.0 * DRAWS));
    }
}

static void logit_normal_times_are_refused_on_other_paths(void **state)
{
    scratch *room = *state;
    struct training t;
    sumi_trainer *refused = NULL;
    training_begin(room->context, (const char *const[]){NULL}, "{\"path\": \"vp\"}", &t);
    CHECK_OK(room->context, sumi_recipe_set(t.recipe, "train.times=logit_normal"));
    assert_int_equal(sumi_trainer_create(room->context, t.recipe, t.model, t.data, &refused),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(room->context), "logit_normal is for flows"));
    training_end(&t);
}

static void look_for_whole(void *user, const struct noised *noised, const struct place *place)
{
    int *counts = user;
    (void)noised;
    assert_true(place->index >= 0 && place->index < 10);
    counts[place->index]++;
}

static void whole_times_are_all_drawn_on_every_path(void **state)
{
    scratch *room = *state;
    static const char *const paths[] = {"table", "vp", "sub_vp", "ve", "edm", "flow", "cosine"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        int counts[10] = {0};
        char scheduler[160];
        snprintf(scheduler, sizeof scheduler,
                 "{\"path\": \"%s\", \"num_train_timesteps\": 10, \"prediction_type\": \"sample\"}",
                 paths[i]);
        draw_all(room->context, "whole", scheduler, look_for_whole, counts);
        for (int k = 0; k < 10; k++) assert_true(abs(counts[k] - DRAWS / 10) < 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(continuous_paths_are_trained_at_all_their_times),
        SCRATCH_TEST(the_shift_of_a_flow_moves_its_times),
        SCRATCH_TEST(preconditioned_networks_see_log_normal_noise),
        SCRATCH_TEST(log_normal_ratios_are_logit_normal_times_of_a_flow),
        SCRATCH_TEST(logit_normal_times_of_a_flow_move_by_the_shift),
        SCRATCH_TEST(logit_normal_times_are_refused_on_other_paths),
        SCRATCH_TEST(whole_times_are_all_drawn_on_every_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
