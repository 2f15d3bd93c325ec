/* SPDX-License-Identifier: Apache-2.0 */
/* The weights of losses: each makes the loss of any prediction the error of the same quantity, on
   every path; and the bound's weight on a fine table is the likelihood weighting of its SDE. */
#include "learn/weighting.h"

#include "learn/training.h"

static const char *const PREDICTIONS[] = {"epsilon", "sample",          "v_prediction",
                                          "score",   "flow_prediction", "velocity"};
enum { PREDICTIONS_COUNT = sizeof PREDICTIONS / sizeof *PREDICTIONS };
static const char *const PATHS[] = {"table", "vp", "sub_vp", "ve", "flow", "cosine"};
enum { PATHS_COUNT = sizeof PATHS / sizeof *PATHS };

/* A batch on a path, noised for a prediction. The objective's user data begin with it. */
static const struct noised *begin(sumi_context *context, const char *path, const char *prediction,
                                  const char *weighting, struct training *t)
{
    char setting[64], scheduler[256];
    const char *const settings[] = {setting, NULL};
    snprintf(setting, sizeof setting, "train.weighting=%s", weighting);
    snprintf(scheduler, sizeof scheduler,
             "{\"path\": \"%s\", \"prediction_type\": \"%s\", \"clip_sample\": false}", path,
             prediction);
    training_begin(context, settings, scheduler, t);
    feed(context, t, 5);
    return t->trainer->plans->objective.user;
}

/* The loss of a guess whose noise is wrong by 0.1: since the state is the same, its data are wrong
   by -0.1 s / a, and its score by -0.1 / s. */
static double wanted_loss(const char *weighting, const struct place *place)
{
    double s = place->level.noise, a = place->level.signal, snr = a * a / (s * s);
    double data = 0.1 * s / a, score = 0.1 / s;
    if (strcmp(weighting, "snr") == 0) return snr * data * data;
    if (strcmp(weighting, "min_snr") == 0) return fmin(snr, 5) * data * data;
    if (strcmp(weighting, "sigma2") == 0) return 0.5 * s * s * score * score;
    struct path_sde sde = path_sde(&place->level);
    return 0.5 * sde.diffusion * score * score;
}

static void check(sumi_context *context, const char *path, const char *prediction,
                  const char *weighting)
{
    struct training t;
    const struct noised *noised = begin(context, path, prediction, weighting, &t);
    const float *target = fed(&t, "target"), *weights = fed(&t, "weights");
    for (int i = 0; i < BATCH; i++) {
        const struct place *place = &noised->places[i];
        double a = place->level.signal, s = place->level.noise;
        for (int k = 0; k < SIZE; k++) {
            /* the same state from noise that is 0.1 more, and the prediction that it makes */
            double clean = noised->clean[i * SIZE + k] - 0.1 * s / a;
            double noise = noised->noise[i * SIZE + k] + 0.1;
            struct prediction_target rule =
                path_target(noised->path, noised->prediction, &place->level);
            double guess = rule.of_clean * clean + rule.of_noise * noise;
            double error = guess - target[i * SIZE + k];
            double wanted = wanted_loss(weighting, place);
            double rounding = 4e-7 * (fabs(guess) + fabs(target[i * SIZE + k])) / fabs(error);
            CHECK_CLOSE(weights[i] * error * error, wanted, wanted * (1e-5 + 2 * rounding));
        }
    }
    training_end(&t);
}

static void weighted_losses_do_not_depend_on_what_is_predicted(void **state)
{
    scratch *room = *state;
    for (int path = 0; path < PATHS_COUNT; path++) {
        for (int prediction = 0; prediction < PREDICTIONS_COUNT; prediction++) {
            check(room->context, PATHS[path], PREDICTIONS[prediction], "snr");
            check(room->context, PATHS[path], PREDICTIONS[prediction], "min_snr");
            check(room->context, PATHS[path], PREDICTIONS[prediction], "sigma2");
            if (path > 0) check(room->context, PATHS[path], PREDICTIONS[prediction], "bound");
        }
    }
}

/* Song & Ermon 2019, eq. 5 and their lambda = sigma^2, on a ladder of ten levels. */
static void the_loss_over_noise_levels_is_that_of_the_paper(void **state)
{
    scratch *room = *state;
    struct training t;
    static const char *const settings[] = {"train.weighting=sigma2", "train.times=whole", NULL};
    training_begin(room->context, settings,
                   "{\"path\": \"ve\", \"prediction_type\": \"score\", \"sigma_min\": 0.01,"
                   " \"sigma_max\": 1, \"num_train_timesteps\": 10, \"clip_sample\": false}",
                   &t);
    const struct noised *noised = t.trainer->plans->objective.user;
    *scale_of(&t) = -0.7f;
    bool seen[10] = {false};
    for (int64_t step = 0; step < 3; step++) {
        loss_of(room->context, &t, step);
        const float *x = fed(&t, "x"), *times = fed(&t, "times"), *losses = item_losses(&t);
        for (int i = 0; i < BATCH; i++) {
            double sigma = 0.01 * pow(100, times[i] / 9), loss = 0;
            assert_true(times[i] == floorf(times[i]) && times[i] >= 0 && times[i] < 10);
            seen[(int)times[i]] = true;
            for (int k = 0; k < SIZE; k++) {
                double noised_x = x[i * SIZE + k], clean = noised->clean[i * SIZE + k];
                double score = -0.7 * noised_x;
                loss += 0.5 * pow(score + (noised_x - clean) / (sigma * sigma), 2) / SIZE;
            }
            CHECK_CLOSE(losses[i], sigma * sigma * loss, 2e-4 * (1 + sigma * sigma * loss));
        }
    }
    for (int i = 0; i < 10; i++) assert_true(seen[i]);
    training_end(&t);
}

/* Karras et al. 2022, eq. 8 and table 1: lambda(sigma) ||D(y + n; sigma) - y||^2 with
   D = c_skip x + c_out F(c_in x; c_noise), here of F = -0.7 times its input. */
static void the_loss_of_a_preconditioned_network_is_that_of_edm(void **state)
{
    scratch *room = *state;
    struct training t;
    static const char *const settings[] = {NULL};
    const double data = 0.5; /* sigma_data */
    training_begin(room->context, settings,
                   "{\"path\": \"edm\", \"sigma_data\": 0.5, \"clip_sample\": false}", &t);
    const struct noised *noised = t.trainer->plans->objective.user;
    *scale_of(&t) = -0.7f;
    for (int64_t step = 0; step < 3; step++) {
        loss_of(room->context, &t, step);
        const float *times = fed(&t, "times"), *losses = item_losses(&t);
        for (int i = 0; i < BATCH; i++) {
            double sigma = noised->places[i].level.noise, loss = 0;
            double both = sigma * sigma + data * data, lambda = both / pow(sigma * data, 2);
            double skip = data * data / both, out = sigma * data / sqrt(both), in = 1 / sqrt(both);
            CHECK_CLOSE(times[i], log(sigma) / 4, 1e-6);
            for (int k = 0; k < SIZE; k++) {
                double clean = noised->clean[i * SIZE + k];
                double x = clean + sigma * noised->noise[i * SIZE + k];
                loss += lambda * pow(skip * x - 0.7 * out * in * x - clean, 2) / SIZE;
            }
            CHECK_CLOSE(losses[i], loss, 1e-4 * (1 + loss));
        }
    }
    training_end(&t);
}

/* T L_{t-1} of a table of T betas beta(t) / T tends to g^2 / 2 for the score as T grows. */
static void the_bound_of_a_fine_table_is_likelihood_weighting(void **state)
{
    scratch *room = *state;
    struct schedule schedule;
    enum { FINE = 20000 };
    const struct schedule_options options = {.num_train_timesteps = FINE,
                                             .beta_start = 0.1 / FINE,
                                             .beta_end = 20.0 / FINE,
                                             .beta_schedule = "linear"};
    CHECK_OK(room->context, schedule_create(room->context, &options, &schedule));
    for (int64_t time = FINE / 20; time < FINE; time += FINE / 20) {
        double t = (double)time / FINE, integral = 0.1 * t + 19.9 * t * t / 2;
        double beta = 0.1 + 19.9 * t, s2 = 1 - exp(-integral); /* g^2 = beta, the score is -e/s */
        double found =
            FINE * schedule_bound_weight(&schedule, time, PREDICTION_EPSILON, VARIANCE_FIXED_SMALL);
        CHECK_CLOSE(found, 0.5 * beta / s2, 0.02 * found);
    }
    schedule_release(room->context, &schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(weighted_losses_do_not_depend_on_what_is_predicted),
        SCRATCH_TEST(the_loss_over_noise_levels_is_that_of_the_paper),
        SCRATCH_TEST(the_loss_of_a_preconditioned_network_is_that_of_edm),
        SCRATCH_TEST(the_bound_of_a_fine_table_is_likelihood_weighting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
