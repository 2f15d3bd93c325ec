/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: their closed forms, the maps between time and ratio, slopes compared with differences, and
   the SDE compared with its effect on a Gaussian. */
#include "check.h"

#include "noise/path.h"
#include "solvers/solver.h"

static const struct noise_path paths[] = {
    {.kind = PATH_VP, .count = 1000, .beta_min = 0.1, .beta_max = 20, .eps = 1e-3},
    {.kind = PATH_SUB_VP, .count = 1000, .beta_min = 0.1, .beta_max = 20, .eps = 1e-3},
    {.kind = PATH_VE, .count = 10, .sigma_min = 0.01, .sigma_max = 50, .eps = 1e-5},
    {.kind = PATH_EDM, .count = 1000, .sigma_min = 0.002, .sigma_max = 80, .sigma_data = 0.5},
    {.kind = PATH_FLOW, .count = 1000},
    {.kind = PATH_COSINE, .count = 1000},
};
enum { PATHS = sizeof paths / sizeof *paths };

static double at(const struct noise_path *path, double share)
{
    double first = path_first(path), last = path_last(path);
    return first + share * (last - first);
}

static void ratios_and_times_lead_to_each_other(void **state)
{
    (void)state;
    for (int k = 0; k < PATHS; k++) {
        const struct noise_path *path = &paths[k];
        for (double share = 0.01; share < 1; share += 0.07) {
            double time = at(path, share), sigma = path_sigma(path, time);
            struct noise_level level = path_level(path, time), again = path_level_at(path, sigma);
            CHECK_CLOSE(path_time(path, sigma), time, 1e-9 * fmax(1, fabs(time)));
            CHECK_CLOSE(level.noise / level.signal, sigma, 1e-9 * sigma);
            CHECK_CLOSE(again.signal, level.signal, 1e-9);
            CHECK_CLOSE(again.noise_slope, level.noise_slope, 1e-7 * fabs(level.noise_slope));
            CHECK_CLOSE(path_time_of(path, path_own_time(path, time)), time,
                        1e-9 * fmax(1, fabs(time)));
        }
    }
}

static void slopes_are_those_of_signal_and_noise(void **state)
{
    (void)state;
    for (int k = 0; k < PATHS; k++) {
        const struct noise_path *path = &paths[k];
        for (double share = 0.1; share < 1; share += 0.2) {
            double t = path_own_time(path, at(path, share)), step = 1e-4 * t;
            struct noise_level low = path_level(path, path_time_of(path, t - step));
            struct noise_level level = path_level(path, path_time_of(path, t));
            struct noise_level high = path_level(path, path_time_of(path, t + step));
            CHECK_CLOSE((high.signal - low.signal) / (2 * step), level.signal_slope,
                        1e-5 * (1 + fabs(level.signal_slope)));
            CHECK_CLOSE((high.noise - low.noise) / (2 * step), level.noise_slope,
                        1e-5 * (1 + fabs(level.noise_slope)));
        }
    }
}

/* Song et al. 2021, section 3.4 and eq. 29; Karras et al. 2022, table 1; a known place of each. */
static void paths_have_their_closed_forms(void **state)
{
    (void)state;
    struct noise_level level = path_level(&paths[0], 999); /* vp: B(1) = 10.05 */
    CHECK_CLOSE(level.signal * level.signal, exp(-10.05), 1e-12);
    CHECK_CLOSE(level.noise * level.noise, 1 - exp(-10.05), 1e-12);
    level = path_level(&paths[1], 999);
    CHECK_CLOSE(level.noise, 1 - exp(-10.05), 1e-12);
    level = path_level(&paths[2], 0); /* ten levels of NCSN, a geometric row */
    CHECK_CLOSE(level.noise, 0.01, 1e-12);
    CHECK_CLOSE(path_level(&paths[2], 9).noise, 50, 1e-9);
    CHECK_CLOSE(path_level(&paths[2], 4).noise, 0.01 * pow(5000, 4. / 9), 1e-9);
    CHECK_CLOSE(path_level(&paths[3], log(3) / 4).noise, 3, 1e-9);
    CHECK_CLOSE(path_level(&paths[4], 250).signal, 0.75, 1e-12);
    CHECK_CLOSE(path_level(&paths[5], 0.5).signal, sqrt(0.5), 1e-12);
    CHECK_CLOSE(path_shift(3, 0.5), 0.75, 1e-12);
}

/* The forward SDE carries a Gaussian from its level at one time to that at the next: the variance
   of x obeys dV/dt = 2 f V + g^2, with V = a^2 D + s^2. */
static void the_sde_keeps_to_the_marginals(void **state)
{
    (void)state;
    const double data = 0.7;
    for (int k = 0; k < PATHS; k++) {
        const struct noise_path *path = &paths[k];
        for (double share = 0.1; share < 1; share += 0.2) {
            struct noise_level l = path_level(path, at(path, share));
            struct path_sde sde = path_sde(&l);
            double variance = l.signal * l.signal * data + l.noise * l.noise;
            double slope = 2 * l.signal * l.signal_slope * data + 2 * l.noise * l.noise_slope;
            CHECK_CLOSE(2 * sde.drift * variance + sde.diffusion, slope, 1e-9 * (1 + fabs(slope)));
            assert_true(sde.diffusion > 0);
        }
    }
    struct noise_level level = path_level(&paths[0], 999 * 0.5); /* Song et al., eq. 11 */
    CHECK_CLOSE(path_sde(&level).diffusion, 0.1 + 0.5 * 19.9, 1e-9);
    CHECK_CLOSE(path_sde(&level).drift, -0.5 * (0.1 + 0.5 * 19.9), 1e-9);
    level = path_level(&paths[1], 999 * 0.5); /* eq. 13 */
    double integral = 0.1 * 0.5 + 0.125 * 19.9;
    CHECK_CLOSE(path_sde(&level).diffusion, 10.05 * (1 - exp(-2 * integral)), 1e-9);
}

static void a_table_is_a_path_too(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    struct schedule schedule;
    struct solver_options options;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    settings_default(&solver_ddpm, &options);
    struct schedule_options asked = options_schedule(&options);
    CHECK_OK(context, schedule_create(context, &asked, &schedule));
    struct noise_path path = options_path(&options, &schedule);
    CHECK_OK(context, path_check(context, &path));
    struct noise_level level = path_level(&path, 300), before = path_level(&path, 299);
    CHECK_CLOSE(level.signal, schedule_signal(&schedule, 300), 0);
    CHECK_CLOSE(level.noise_slope, 1000 * (level.noise - before.noise), 1e-12);
    CHECK_CLOSE(path_time(&path, path_sigma(&path, 300)), 300, 1e-9);
    CHECK_CLOSE(path_sigma(&path, 300.5), (path_sigma(&path, 300) + path_sigma(&path, 301)) / 2,
                1e-12);
    path.time_kind = TIME_CONTINUOUS;
    CHECK_CLOSE(path_level(&path, log(2) / 4).signal, 1 / sqrt(5), 1e-12);
    schedule_release(context, &schedule);
    sumi_context_free(context);
}

/* Karras et al. 2022, eq. 8: F's target has unit variance for data of deviation sigma_data, and F
   gives the data back. */
static void a_preconditioned_target_has_unit_variance(void **state)
{
    (void)state;
    const struct noise_path *path = &paths[3];
    for (int sign = 0; sign < 2; sign++) {
        enum prediction_type type = sign ? PREDICTION_V : PREDICTION_EPSILON;
        for (double share = 0.05; share < 1; share += 0.1) {
            struct noise_level level = path_level(path, at(path, share));
            struct prediction_target target = path_target(path, type, &level);
            struct prediction_map map = path_map(path, type, &level);
            double variance =
                target.of_clean * target.of_clean * 0.25 + target.of_noise * target.of_noise;
            CHECK_CLOSE(variance, 1, 1e-9);
            double x0 = 0.3, e = -1.2, x = x0 + level.noise * e;
            double f = target.of_clean * x0 + target.of_noise * e;
            CHECK_CLOSE(map.clean_state * x + map.clean_prediction * f, x0, 1e-9);
            CHECK_CLOSE(map.noise_state * x + map.noise_prediction * f, e, 1e-9);
        }
    }
}

static void numbers_that_are_no_path_are_refused(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    struct noise_path wrong = paths[2];
    wrong.sigma_max = 0.001;
    assert_int_equal(path_check(context, &wrong), SUMI_ERROR_ARGUMENT);
    wrong = paths[0];
    wrong.beta_max = 0.01;
    assert_int_equal(path_check(context, &wrong), SUMI_ERROR_ARGUMENT);
    wrong = paths[1];
    wrong.eps = 0;
    assert_int_equal(path_check(context, &wrong), SUMI_ERROR_ARGUMENT);
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios_and_times_lead_to_each_other),
        cmocka_unit_test(slopes_are_those_of_signal_and_noise),
        cmocka_unit_test(paths_have_their_closed_forms),
        cmocka_unit_test(the_sde_keeps_to_the_marginals),
        cmocka_unit_test(a_table_is_a_path_too),
        cmocka_unit_test(a_preconditioned_target_has_unit_variance),
        cmocka_unit_test(numbers_that_are_no_path_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
