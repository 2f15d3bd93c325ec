/* SPDX-License-Identifier: Apache-2.0 */
/* The signal and noise coefficients at a time: the formulas of each path on each scale. */
#include "one_context.h"

#include <math.h>

/* A solver with up to two options. */
static sumi_solver *make(const char *name, const char *const options[2][2])
{
    sumi_solver *solver = NULL;
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    for (int i = 0; i < 2 && options[i][0]; i++)
        CHECK_OK(context, sumi_solver_set(solver, options[i][0], options[i][1]));
    return solver;
}

static void check_level(sumi_solver *solver, double time, double signal, double noise)
{
    double found_signal = NAN, found_noise = NAN;
    CHECK_OK(context, sumi_solver_level(solver, time, &found_signal, &found_noise));
    CHECK_CLOSE(found_signal, signal, 1e-6 * (1 + signal));
    CHECK_CLOSE(found_noise, noise, 1e-6 * (1 + noise));
}

/* Ho et al. 2020, section 4: betas from 1e-4 to 0.02. Each 1 - beta and each product is rounded to
   float32, by 2^-25. */
static void a_table_holds_the_roots_of_its_products(void **state)
{
    (void)state;
    sumi_solver *preserving = make("ddim", (const char *const[2][2]){{NULL}});
    sumi_solver *exploding = make("euler", (const char *const[2][2]){{NULL}});
    double product = 1, before = 0;
    for (int t = 0; t < 1000; t++) {
        double signal = 0, noise = 0, one = 0, sigma = 0;
        product *= 1 - (1e-4 + (0.02 - 1e-4) * t / 999);
        double rounding = 0x1p-25 * product * (t + 2);
        CHECK_OK(context, sumi_solver_level(preserving, t, &signal, &noise));
        CHECK_CLOSE(signal * signal, product, rounding);
        CHECK_CLOSE(noise * noise, 1 - product, rounding);
        CHECK_OK(context, sumi_solver_level(exploding, t, &one, &sigma));
        CHECK_CLOSE(1 / (1 + sigma * sigma), product, rounding);
        assert_true(one == 1);
        if (t > 0) check_level(exploding, t - 0.25, 1, before + 0.75 * (sigma - before));
        before = sigma;
    }
    sumi_solver_free(preserving);
    sumi_solver_free(exploding);
}

/* Song et al. 2021, eq. 29, with beta from 0.1 to 20; times are 0 to T - 1. */
static void vp_decays_with_the_integral_of_its_beta(void **state)
{
    (void)state;
    static const double times[] = {0, 1, 99.5, 500, 999};
    sumi_solver *preserving = make("ddim", (const char *const[2][2]){{"path", "vp"}});
    sumi_solver *exploding = make("euler", (const char *const[2][2]){{"path", "vp"}});
    for (int i = 0; i < 5; i++) {
        double t = times[i] / 999, integral = 0.1 * t + 19.9 * t * t / 2;
        double signal = exp(-integral / 2), noise = sqrt(-expm1(-integral));
        check_level(preserving, times[i], signal, noise);
        check_level(exploding, times[i], 1, noise / signal);
    }
    sumi_solver_free(preserving);
    sumi_solver_free(exploding);
}

/* Kept by each solver as it is: ddim's state is a x0 + s e with a^2 + s^2 = 1. */
static void a_flow_is_straight_from_data_to_noise(void **state)
{
    (void)state;
    sumi_solver *straight = make("flow-euler", (const char *const[2][2]){{NULL}});
    sumi_solver *preserving =
        make("ddim", (const char *const[2][2]){{"path", "flow"}, {"prediction_type", "velocity"}});
    for (int k = 0; k <= 8; k++) {
        double t = k / 8.0, length = hypot(1 - t, t);
        check_level(straight, 1000 * t, 1 - t, t);
        check_level(preserving, 1000 * t, (1 - t) / length, t / length);
    }
    sumi_solver_free(straight);
    sumi_solver_free(preserving);
}

/* Karras et al. 2022, table 1; the time input of the network is log(sigma) / 4. */
static void edm_keeps_the_data_and_adds_sigma(void **state)
{
    (void)state;
    static const double sigmas[] = {1e-5, 0.002, 0.3, 1, 17, 80};
    sumi_solver *exploding = make("edm-euler", (const char *const[2][2]){{NULL}});
    sumi_solver *straight = make("edm", (const char *const[2][2]){{"path", "edm"}});
    for (int i = 0; i < 6; i++) {
        double sigma = sigmas[i], time = log(sigma) / 4;
        check_level(exploding, time, 1, sigma);
        check_level(straight, time, 1 / (1 + sigma), sigma / (1 + sigma));
    }
    sumi_solver_free(exploding);
    sumi_solver_free(straight);
}

static void noise_is_added_at_that_level_by_every_solver_at_each_of_its_times(void **state)
{
    (void)state;
    const float ends[] = {1, 0, 1};
    sumi_solver_info info = {.size = sizeof info};
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        double times[1000], signal = 0, noise = 0;
        float noised[2];
        if (strcmp(info.name, "binomial") == 0) continue;
        sumi_solver *solver = make(info.name, (const char *const[2][2]){{"steps", "10"}});
        int64_t count = sumi_solver_times(solver, times, 1000);
        assert_true(count > 0);
        for (int64_t k = 0; k < count; k++) {
            CHECK_OK(context, sumi_solver_level(solver, times[k], &signal, &noise));
            CHECK_OK(context, sumi_solver_add_noise(solver, 2, ends, ends + 1, times[k], noised));
            assert_true(signal >= 0 && noise >= 0 && signal + noise >= 1 - 1e-9);
            CHECK_CLOSE(noised[0], signal, 1e-6 * signal);
            CHECK_CLOSE(noised[1], noise, 1e-6 * noise);
        }
        sumi_solver_free(solver);
    }
}

/* Checks that neither a level nor noise is given at a time, and the sentence. */
static void check_refusal(sumi_solver *solver, double time, const char *sentence)
{
    const float zero = 0;
    double signal = 3, noise = 4;
    float noised = 5;
    assert_int_equal(sumi_solver_level(solver, time, &signal, &noise), SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(context), sentence);
    assert_int_equal(sumi_solver_add_noise(solver, 1, &zero, &zero, time, &noised),
                     SUMI_ERROR_ARGUMENT);
    assert_string_equal(sumi_context_message(context), sentence);
    assert_true(signal == 3 && noise == 4 && noised == 5);
}

static void times_outside_of_the_schedule_are_refused(void **state)
{
    (void)state;
    sumi_solver *solver = make("ddpm", (const char *const[2][2]){{NULL}});
#define WHOLE " is outside this schedule, whose times are whole numbers from 0 to 999"
    check_refusal(solver, 1000, "time 1000" WHOLE);
    check_refusal(solver, -1, "time -1" WHOLE);
    check_refusal(solver, 0.5, "time 0.5" WHOLE);
    check_refusal(solver, NAN, "time nan" WHOLE);
    sumi_solver_free(solver);
    solver = make("euler", (const char *const[2][2]){{NULL}});
    check_refusal(solver, 999.5,
                  "time 999.5 is outside this schedule, whose times are from 0 to 999");
    check_refusal(solver, INFINITY,
                  "time inf is outside this schedule, whose times are from 0 to 999");
    sumi_solver_free(solver);
    solver = make("heun", (const char *const[2][2]){{"path", "vp"}});
    check_refusal(solver, -3, "time -3 is outside this schedule, whose times are from 0 to 999");
    check_refusal(solver, 2000,
                  "time 2000 is outside this schedule, whose times are from 0 to 999");
    sumi_solver_free(solver);
    solver = make("flow-euler", (const char *const[2][2]){{NULL}});
    check_refusal(solver, 1001,
                  "time 1001 is outside this schedule, whose times are from 0 to 1000");
    sumi_solver_free(solver);
    solver = make("edm-euler", (const char *const[2][2]){{"sigma_max", "1"}});
    check_refusal(solver, 1,
                  "time 1 is outside this schedule, whose times are finite and at most 0");
    check_refusal(solver, -INFINITY,
                  "time -inf is outside this schedule, whose times are finite and at most 0");
    sumi_solver_free(solver);
}

static void what_has_no_signal_or_no_sum_is_refused(void **state)
{
    (void)state;
    double signal = 0, noise = 0;
    sumi_solver *solver =
        make("euler", (const char *const[2][2]){{"path", "flow"}, {"timesteps", "[900,500]"}});
    check_refusal(solver, 1000,
                  "no signal is left at time 1000, but the state of the solver euler is x0 + sigma "
                  "e, with the full signal");
    assert_int_equal(sumi_solver_level(solver, 500, NULL, &noise), SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_solver_level(solver, 500, &signal, NULL), SUMI_ERROR_ARGUMENT);
    sumi_solver_free(solver);
    solver = make("binomial", (const char *const[2][2]){{NULL}});
    assert_int_equal(sumi_solver_level(solver, 5, &signal, &noise), SUMI_ERROR_ARGUMENT);
    assert_string_equal(
        sumi_context_message(context),
        "the solver binomial flips bits, so its state is not a sum of data and noise");
    sumi_solver_free(solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTEXT_TEST(a_table_holds_the_roots_of_its_products),
        CONTEXT_TEST(vp_decays_with_the_integral_of_its_beta),
        CONTEXT_TEST(a_flow_is_straight_from_data_to_noise),
        CONTEXT_TEST(edm_keeps_the_data_and_adds_sigma),
        CONTEXT_TEST(noise_is_added_at_that_level_by_every_solver_at_each_of_its_times),
        CONTEXT_TEST(times_outside_of_the_schedule_are_refused),
        CONTEXT_TEST(what_has_no_signal_or_no_sum_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
