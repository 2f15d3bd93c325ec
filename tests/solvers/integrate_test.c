/* SPDX-License-Identifier: Apache-2.0 */
/* The integrator, on equations with known solutions. */
#include "check.h"
#include "solvers/integrate.h"

static sumi_context *context;

static int open_context(void **state)
{
    (void)state;
    return sumi_context_create(NULL, &context) != SUMI_OK;
}

static int close_context(void **state)
{
    (void)state;
    sumi_context_free(context);
    return 0;
}

/* y1' = t y2, y2' = -t y1: the angle grows as t^2 / 2. `user` counts the calls. */
static sumi_status turn(void *user, double time, const double *y, double *slope)
{
    if (user) ++*(int64_t *)user;
    slope[0] = time * y[1];
    slope[1] = -time * y[0];
    return SUMI_OK;
}

static double turn_error(const struct ode_options *options, double to, struct ode_report *report)
{
    double y[2] = {0, 1};
    CHECK_OK(context, ode_integrate(context, options, turn, NULL, 2, y, 0, to, report));
    return hypot(y[0] - sin(to * to / 2), y[1] - cos(to * to / 2));
}

static void each_method_with_equal_steps_has_its_order(void **state)
{
    (void)state;
    static const int orders[] = {1, 2, 2, 4};
    for (int method = ODE_EULER; method <= ODE_RK4; method++) {
        struct ode_options options = {.method = (enum ode_method)method, .steps = 512};
        double coarse = turn_error(&options, 2, NULL);
        options.steps *= 2;
        double fine = turn_error(&options, 2, NULL);
        CHECK_CLOSE(log2(coarse / fine), orders[method], 0.05);
    }
}

static void the_adaptive_method_meets_its_tolerance_with_fewer_evaluations(void **state)
{
    (void)state;
    struct ode_report loose, tight;
    struct ode_options options = {ODE_RK45, 10, 1e-5, 1e-5, 0, NULL};
    assert_true(turn_error(&options, 4, &loose) < 5e-4);
    options.relative = options.absolute = 1e-10;
    double error = turn_error(&options, 4, &tight);
    assert_true(error < 5e-9);
    assert_true(error > 1e-13); /* it does not need an excessive number of steps */
    assert_true(loose.evaluations < 200 && tight.evaluations < 2500);
    assert_true(tight.evaluations > 3 * loose.evaluations);
    /* the fifth order: a tolerance a hundred thousand times smaller asks for ten times the steps */
    CHECK_CLOSE(log10((double)tight.steps / (double)loose.steps), 1, 0.25);
}

static void time_may_run_backwards(void **state)
{
    (void)state;
    for (int method = ODE_RK4; method <= ODE_RK45; method++) {
        struct ode_options options = {(enum ode_method)method, 200, 1e-9, 1e-9, 0, NULL};
        double y[2] = {sin(2.0), cos(2.0)};
        CHECK_OK(context, ode_integrate(context, &options, turn, NULL, 2, y, 2, 0, NULL));
        CHECK_CLOSE(y[0], 0, 1e-7);
        CHECK_CLOSE(y[1], 1, 1e-7);
    }
}

static void a_report_counts_every_evaluation(void **state)
{
    (void)state;
    static const int stages[] = {1, 2, 2, 4};
    for (int method = ODE_EULER; method <= ODE_RK45; method++) {
        struct ode_options options = {(enum ode_method)method, 7, 1e-6, 1e-6, 0, NULL};
        struct ode_report report;
        double y[2] = {0, 1};
        int64_t calls = 0;
        CHECK_OK(context, ode_integrate(context, &options, turn, &calls, 2, y, 0, 3, &report));
        assert_int_equal(calls, report.evaluations);
        if (method == ODE_RK45) {
            assert_int_equal(calls, 1 + 6 * (report.steps + report.rejected));
        } else {
            assert_int_equal(calls, 7 * stages[method]);
        }
    }
}

static void no_time_is_no_work(void **state)
{
    (void)state;
    struct ode_options options = {ODE_RK45, 1, 1e-6, 1e-6, 0, NULL};
    struct ode_report report;
    double y[2] = {3, 4};
    CHECK_OK(context, ode_integrate(context, &options, turn, NULL, 2, y, 1, 1, &report));
    assert_true(y[0] == 3 && y[1] == 4 && report.evaluations == 0);
}

/* Reaches infinity at time 1. */
static sumi_status explode(void *user, double time, const double *y, double *slope)
{
    (void)user, (void)time;
    slope[0] = y[0] * y[0];
    return SUMI_OK;
}

static sumi_status refuse(void *user, double time, const double *y, double *slope)
{
    (void)y;
    slope[0] = 1;
    return time > 0.5 ? context_fail(context, SUMI_STOPPED, "%s", (const char *)user) : SUMI_OK;
}

static void an_interval_that_rounding_left_is_crossed_in_one_step(void **state)
{
    (void)state;
    const struct ode_options options = {.method = ODE_RK45, .steps = 20, .relative = 1e-6};
    struct ode_report report;
    double y[2] = {0, 1};
    CHECK_OK(context, ode_integrate(context, &options, turn, NULL, 2, y, 3, 3 + 0x1p-50, &report));
    assert_int_equal(report.steps, 1);
}

static void failures_are_reported(void **state)
{
    (void)state;
    double y[2] = {1, 0};
    struct ode_options options = {ODE_RK45, 10, 1e-6, 1e-6, 0, NULL};
    assert_int_equal(ode_integrate(context, &options, explode, NULL, 1, y, 0, 2, NULL),
                     SUMI_ERROR_NUMBER);
    options.most_evaluations = 20;
    y[0] = 1;
    assert_int_equal(ode_integrate(context, &options, turn, NULL, 2, y, 0, 9, NULL),
                     SUMI_ERROR_NUMBER);
    assert_non_null(strstr(sumi_context_message(context), "raise the tolerance"));
    options = (struct ode_options){.method = ODE_EULER, .steps = 60};
    y[0] = 1;
    assert_int_equal(ode_integrate(context, &options, explode, NULL, 1, y, 0, 6, NULL),
                     SUMI_ERROR_NUMBER);
    assert_int_equal(ode_integrate(context, &options, refuse, "enough", 1, y, 0, 1, NULL),
                     SUMI_STOPPED);
    assert_string_equal(sumi_context_message(context), "enough");
}

static void options_without_meaning_are_refused(void **state)
{
    (void)state;
    double y[2] = {0, 1};
    struct ode_options options = {.method = ODE_RK4};
    assert_int_equal(ode_integrate(context, &options, turn, NULL, 2, y, 0, 1, NULL),
                     SUMI_ERROR_ARGUMENT);
    options = (struct ode_options){.method = ODE_RK45, .steps = 1};
    assert_int_equal(ode_integrate(context, &options, turn, NULL, 2, y, 0, 1, NULL),
                     SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "tolerance"));
}

static void methods_go_by_name(void **state)
{
    (void)state;
    assert_string_equal(ode_method_name(ODE_EULER), "euler");
    assert_string_equal(ode_method_name(ODE_RK45), "rk45");
    assert_null(ode_method_name(ODE_RK45 + 1));
    assert_null(ode_method_name(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_with_equal_steps_has_its_order),
        cmocka_unit_test(the_adaptive_method_meets_its_tolerance_with_fewer_evaluations),
        cmocka_unit_test(time_may_run_backwards),
        cmocka_unit_test(a_report_counts_every_evaluation),
        cmocka_unit_test(no_time_is_no_work),
        cmocka_unit_test(an_interval_that_rounding_left_is_crossed_in_one_step),
        cmocka_unit_test(failures_are_reported),
        cmocka_unit_test(options_without_meaning_are_refused),
        cmocka_unit_test(methods_go_by_name),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
