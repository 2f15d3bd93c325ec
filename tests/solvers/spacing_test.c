/* SPDX-License-Identifier: Apache-2.0 */
/* The times that a solver visits, against lists that diffusers gives. */
#include "check.h"

static sumi_context *context;
static sumi_solver *solver;

static int open_solver(void **state)
{
    (void)state;
    return sumi_context_create(NULL, &context) != SUMI_OK
           || sumi_solver_create(context, "ddim", &solver) != SUMI_OK;
}

static int close_solver(void **state)
{
    (void)state;
    sumi_solver_free(solver);
    sumi_context_free(context);
    return 0;
}

static void set(const char *name, const char *value)
{
    CHECK_OK(context, sumi_solver_set(solver, name, value));
}

static void check_times(int64_t count, const double *expected)
{
    double times[1000];
    assert_int_equal(sumi_solver_times(solver, times, 1000), count);
    for (int64_t i = 0; i < count; i++) assert_true(times[i] == expected[i]);
}

static void leading_counts_up_from_the_offset(void **state)
{
    (void)state;
    set("steps", "5");
    set("steps_offset", "1");
    check_times(5, (double[]){801, 601, 401, 201, 1});
}

static void linspace_holds_both_ends_and_rounds_halves_to_even(void **state)
{
    (void)state;
    set("timestep_spacing", "linspace");
    set("steps", "5");
    check_times(5, (double[]){999, 749, 500, 250, 0}); /* 749.25, 499.5, 249.75 */
}

static void trailing_counts_down_from_the_end(void **state)
{
    (void)state;
    set("timestep_spacing", "trailing");
    set("steps", "3");
    check_times(3, (double[]){999, 666, 332});
}

static void every_number_of_trailing_steps_gives_as_many_times(void **state)
{
    (void)state;
    set("timestep_spacing", "trailing");
    for (int steps = 1; steps <= 1000; steps++) {
        char text[16];
        snprintf(text, sizeof text, "%d", steps);
        set("steps", text);
        assert_int_equal(sumi_solver_times(solver, NULL, 0), steps);
    }
}

static void given_times_are_visited_and_a_start_index_skips(void **state)
{
    (void)state;
    set("timesteps", "[900, 700, 10, 0]");
    check_times(4, (double[]){900, 700, 10, 0});
    set("start_index", "2");
    check_times(2, (double[]){10, 0});
}

static void lists_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const char *const wrong[][2] = {
        {"timesteps", "[900, 900]"}, {"timesteps", "[1, 2]"}, {"timesteps", "[1000]"},
        {"timesteps", "[0.5]"},      {"steps", "1001"},       {"start_index", "1000"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sumi_solver *fresh = NULL;
        CHECK_OK(context, sumi_solver_create(context, "ddpm", &fresh));
        CHECK_OK(context, sumi_solver_set(fresh, wrong[i][0], wrong[i][1]));
        assert_int_equal(sumi_solver_times(fresh, NULL, 0), 0);
        assert_true(strlen(sumi_context_message(context)) > 20);
        sumi_solver_free(fresh);
    }
    set("steps", "1000");
    set("steps_offset", "1");
    assert_int_equal(sumi_solver_times(solver, NULL, 0), 0);
    assert_non_null(strstr(sumi_context_message(context), "time 1000"));
}

/* On a table of 20 times: as many steps visit each time, noisiest first or, of an inversion, last.
 */
static void as_many_steps_as_times_visit_every_time(void **state)
{
    (void)state;
    static const char *const spacings[] = {"leading", "linspace", "trailing"};
    sumi_solver_info info = {.size = sizeof info};
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        bool chooses = strcmp(info.name, "lcm") == 0 || strcmp(info.name, "tcd") == 0
                       || strcmp(info.name, "langevin") == 0 || strcmp(info.name, "rk45") == 0;
        for (int k = 0; k < 3 && !chooses; k++) {
            sumi_solver *fresh = NULL;
            double times[2100], last = -1;
            int64_t different = 0;
            CHECK_OK(context, sumi_solver_create(context, info.name, &fresh));
            CHECK_OK(context, sumi_solver_set(fresh, "path", "table"));
            if (strcmp(info.name, "binomial") != 0)
                CHECK_OK(context, sumi_solver_set(fresh, "prediction_type", "v_prediction"));
            if (strcmp(info.name, "pc") == 0 || strcmp(info.name, "consistency") == 0)
                CHECK_OK(context, sumi_solver_set(fresh, "timestep_type", "discrete"));
            CHECK_OK(context, sumi_solver_set(fresh, "num_train_timesteps", "20"));
            CHECK_OK(context, sumi_solver_set(fresh, "timestep_spacing", spacings[k]));
            CHECK_OK(context, sumi_solver_set(fresh, "steps", "20"));
            int64_t count = sumi_solver_times(fresh, times, 2100);
            if (count == 0) fail_msg("%s: %s", info.name, sumi_context_message(context));
            for (int64_t j = 0; j < count; j++)
                if (times[j] == floor(times[j]) && times[j] != last) different++, last = times[j];
            if (different < 20) fail_msg("%s, %s: %d", info.name, spacings[k], (int)different);
            assert_true(fmax(times[0], times[count - 1]) == 19);
            CHECK_OK(context, sumi_solver_set(fresh, "steps", "21"));
            if (k != 1 && sumi_solver_times(fresh, NULL, 0) == 0)
                assert_non_null(strstr(sumi_context_message(context), "20 times"));
            sumi_solver_free(fresh);
        }
    }
}

static char warned[512];

static void keep_warning(void *user, const char *sentence)
{
    (void)user;
    snprintf(warned, sizeof warned, "%s", sentence);
}

/* 334 steps of 1000 times are of 2 times each with "leading", which is as diffusers has it. */
static void steps_that_begin_in_the_middle_cause_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *spacing, *steps, *warning;
    } cases[] = {{"leading", "334", "begins at time 666,"},
                 {"leading", "1", "begins at time 0,"},
                 {"leading", "50", ""},
                 {"trailing", "334", ""},
                 {"trailing", "1", ""},
                 {"linspace", "334", ""}};
    const int64_t shape[] = {4};
    float x[4];
    sumi_context_set_warning(context, keep_warning, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        warned[0] = 0;
        set("timestep_spacing", cases[i].spacing);
        set("steps", cases[i].steps);
        CHECK_OK(context, sumi_solver_start(solver, 1, shape, x));
        assert_int_equal(warned[0] != 0, cases[i].warning[0] != 0);
        assert_non_null(strstr(warned, cases[i].warning));
    }
    set("timestep_spacing", "leading");
    set("steps", "3");
    set("start_index", "1"); /* not from pure noise */
    warned[0] = 0;
    CHECK_OK(context, sumi_solver_start(solver, 1, shape, x));
    assert_string_equal(warned, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_solver, close_solver)
    const struct CMUnitTest tests[] = {
        TEST(leading_counts_up_from_the_offset),
        TEST(linspace_holds_both_ends_and_rounds_halves_to_even),
        TEST(trailing_counts_down_from_the_end),
        TEST(every_number_of_trailing_steps_gives_as_many_times),
        TEST(given_times_are_visited_and_a_start_index_skips),
        TEST(lists_that_make_no_sense_are_refused),
        TEST(as_many_steps_as_times_visit_every_time),
        TEST(steps_that_begin_in_the_middle_cause_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
