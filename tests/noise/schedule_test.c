/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules against diffusers' tables, and the weights of the bound against closed forms. */

#include <json-c/json.h>

#include "noise/schedule.h"
#include "one_context.h"

static const struct schedule_options usual = {
    .num_train_timesteps = 1000, .beta_start = 0.0001, .beta_end = 0.02, .beta_schedule = "linear"};

static struct schedule make(struct schedule_options options)
{
    struct schedule schedule;
    CHECK_OK(context, schedule_create(context, &options, &schedule));
    return schedule;
}

static void check_entries(json_object *expected, const float *actual, double relative,
                          double absolute)
{
    json_object_object_foreach(expected, time, value)
    {
        double number = json_object_get_double(value);
        CHECK_CLOSE(actual[atoi(time)], number, relative * number + absolute);
    }
}

static void the_tables_are_diffusers(void **state)
{
    (void)state;
    json_object *file = json_object_from_file(TEST_DATA "/schedulers.json");
    assert_non_null(file);
    json_object_object_foreach(json_object_object_get(file, "beta_vectors"), name, row)
    {
        struct schedule_options options = usual;
        json_object *start = json_object_object_get(row, "beta_start");
        bool zero = strcmp(name, "linear_zero_snr") == 0;
        options.beta_schedule = zero ? "linear" : name;
        options.rescale_betas_zero_snr = zero;
        if (start) {
            options.beta_start = json_object_get_double(start);
            options.beta_end = json_object_get_double(json_object_object_get(row, "beta_end"));
        }
        struct schedule schedule = make(options);
        /* rescaling subtracts nearly equal float32 roots: near the end only an absolute bound */
        check_entries(json_object_object_get(row, "betas"), schedule.betas, zero ? 1e-6 : 2e-7,
                      zero ? 2e-7 : 0);
        check_entries(json_object_object_get(row, "alphas_cumprod"), schedule.alphas_cumprod, 1e-6,
                      zero ? 1e-10 : 0);
        schedule_release(context, &schedule);
    }
    json_object_put(file);
}

static void rescaling_ends_without_any_signal(void **state)
{
    (void)state;
    struct schedule_options options = usual;
    options.rescale_betas_zero_snr = true;
    struct schedule schedule = make(options);
    assert_true(schedule_signal(&schedule, 999) == 0);
    assert_true(schedule_noise(&schedule, 999) == 1);
    CHECK_CLOSE(schedule.alphas_cumprod[0], 0.9999, 1e-7);
    schedule_release(context, &schedule);
}

static void trained_betas_set_the_number_of_times(void **state)
{
    (void)state;
    struct schedule_options options = usual;
    options.trained_betas = (double[]){0.1, 0.5};
    options.trained_count = 2;
    struct schedule schedule = make(options);
    assert_int_equal(schedule.count, 2);
    CHECK_CLOSE(schedule_signal(&schedule, 1), sqrt(0.9 * 0.5), 1e-7);
    CHECK_CLOSE(schedule_noise(&schedule, 1), sqrt(1 - 0.9 * 0.5), 1e-7);
    schedule_release(context, &schedule);
}

static void impossible_betas_and_counts_are_refused(void **state)
{
    (void)state;
    struct schedule schedule;
    const double wrong[] = {0, -0.1, 1.5, NAN, INFINITY, 1e-60};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct schedule_options options = usual;
        options.trained_betas = &wrong[i];
        options.trained_count = 1;
        assert_int_equal(schedule_create(context, &options, &schedule), SUMI_ERROR_ARGUMENT);
        assert_non_null(strstr(sumi_context_message(context), "beta at time 0"));
    }
    const int64_t counts[] = {0, -5, 1000001, INT64_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct schedule_options options = usual;
        options.num_train_timesteps = counts[i];
        assert_int_equal(schedule_create(context, &options, &schedule), SUMI_ERROR_ARGUMENT);
    }
    struct schedule_options single = usual;
    single.num_train_timesteps = 1;
    single.rescale_betas_zero_snr = true;
    assert_int_equal(schedule_create(context, &single, &schedule), SUMI_ERROR_ARGUMENT);
}

/* The standard deviations and variances that diffusers' tests of its schedulers assert. */
static void posterior_variances_are_those_of_diffusers(void **state)
{
    (void)state;
    struct schedule linear = make(usual);
    const float *products = linear.alphas_cumprod;
    CHECK_CLOSE(posterior_between(products[487], products[486]).variance, 0.00979, 1e-5);
    CHECK_CLOSE(posterior_between(products[999], products[998]).variance, 0.02, 1e-5);
    CHECK_CLOSE(posterior_between(products[420], products[400]).variance, 0.14771, 1e-5);
    CHECK_CLOSE(posterior_between(products[980], products[960]).variance, 0.32460, 1e-5);
    CHECK_CLOSE(posterior_between(products[0], 1).variance, 0, 1e-12);
    schedule_release(context, &linear);

    struct schedule_options options = usual;
    options.beta_schedule = "squaredcos_cap_v2";
    struct schedule cosine = make(options);
    products = cosine.alphas_cumprod;
    CHECK_CLOSE(sqrt(posterior_between(products[487], products[486]).variance), 0.0549625, 1e-5);
    CHECK_CLOSE(sqrt(posterior_between(products[999], products[998]).variance), 0.9994987, 1e-5);
    /* Nichol & Dhariwal 2021, eq. 15, at v = 0.5; UnCLIP takes beta from the table */
    double small = posterior_between(products[487], products[486]).variance;
    CHECK_CLOSE(0.75 * log(cosine.betas[487]) + 0.25 * log(small), -5.7998052, 1e-5);
    schedule_release(context, &cosine);
}

/* Ho et al. 2020, eqs. 6 and 7, must agree with Bayes' rule for two Gaussians:
   precision = alpha / beta + 1 / (1 - abar_previous). */
static void the_posterior_follows_from_bayes_rule(void **state)
{
    (void)state;
    double previous = 0.7, alpha = 0.8, beta = 0.2;
    struct posterior posterior = posterior_between((float)(previous * alpha), (float)previous);
    double variance = 1 / (alpha / beta + 1 / (1 - previous));
    CHECK_CLOSE(posterior.variance, variance, 1e-6);
    CHECK_CLOSE(posterior.state, variance * sqrt(alpha) / beta, 1e-6);
    CHECK_CLOSE(posterior.clean, variance * sqrt(previous) / (1 - previous), 1e-6);
}

static double signal_to_noise(const struct schedule *schedule, int64_t time)
{
    return schedule->alphas_cumprod[time] / (1.0 - schedule->alphas_cumprod[time]);
}

static void bound_weights_agree_with_the_papers(void **state)
{
    (void)state;
    struct schedule schedule = make(usual);
    for (int64_t t = 1; t < 1000; t += 37) {
        double beta = schedule.betas[t], product = schedule.alphas_cumprod[t];
        /* Ho et al. 2020, eq. 12, with sigma^2 = beta */
        double eps = beta * beta / (2 * beta * (1 - beta) * (1 - product));
        /* Kingma et al. 2021, eq. 14: half the loss of signal-to-noise, with sigma^2 = btilde */
        double clean = 0.5 * (signal_to_noise(&schedule, t - 1) - signal_to_noise(&schedule, t));
        CHECK_CLOSE(schedule_bound_weight(&schedule, t, PREDICTION_EPSILON, VARIANCE_FIXED_LARGE),
                    eps, 1e-3 * eps);
        CHECK_CLOSE(schedule_bound_weight(&schedule, t, PREDICTION_SAMPLE, VARIANCE_FIXED_SMALL),
                    clean, 1e-9 * clean);
        CHECK_CLOSE(schedule_bound_weight(&schedule, t, PREDICTION_V, VARIANCE_FIXED_SMALL),
                    clean * (1 - product), 1e-9 * clean);
        CHECK_CLOSE(schedule_bound_weight(&schedule, t, PREDICTION_EPSILON, VARIANCE_FIXED_SMALL),
                    clean * (1 - product) / product, 1e-9 * clean);
    }
    double first = 1 / (2 * (double)schedule.betas[0]);
    CHECK_CLOSE(schedule_bound_weight(&schedule, 0, PREDICTION_SAMPLE, VARIANCE_FIXED_SMALL), first,
                1e-3 * first);
    schedule_release(context, &schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_are_diffusers),
        cmocka_unit_test(rescaling_ends_without_any_signal),
        cmocka_unit_test(trained_betas_set_the_number_of_times),
        cmocka_unit_test(impossible_betas_and_counts_are_refused),
        cmocka_unit_test(posterior_variances_are_those_of_diffusers),
        cmocka_unit_test(the_posterior_follows_from_bayes_rule),
        cmocka_unit_test(bound_weights_agree_with_the_papers),
    };
    return cmocka_run_group_tests(tests, make_context, leave_context);
}
