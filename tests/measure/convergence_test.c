/* SPDX-License-Identifier: Apache-2.0 */
/* The orders that are measured are those that the methods have. */
#include "one_context.h"

enum { POINTS = 4 };
static const int64_t STEPS[POINTS] = {8, 16, 32, 64};

static sumi_solver *prepared(const char *name)
{
    sumi_solver *solver = NULL;
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    CHECK_OK(context, sumi_convergence_prepare(solver));
    return solver;
}

static void methods_have_the_order_of_their_papers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double order;
    } methods[] = {{"ddim", 1},     {"euler", 1},    {"heun", 2},
                   {"dpmpp-2m", 2}, {"dpmpp-3m", 3}, {"rk4", 4}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        static const int64_t many[] = {64, 128, 256};
        static const int64_t few[] = {16, 32, 64}; /* later float32 rounds off */
        double errors[3], order = 0;
        sumi_solver *solver = prepared(methods[i].name);
        CHECK_OK(context, sumi_convergence_measure(solver, 3, methods[i].order > 3 ? few : many,
                                                   errors, &order));
        CHECK_CLOSE(order, methods[i].order, methods[i].order > 3 ? 0.4 : 0.2);
        assert_true(errors[0] > errors[1] && errors[1] > errors[2]);
        sumi_solver_free(solver);
    }
}

static void options_between_the_calls_count(void **state)
{
    (void)state;
    double errors[POINTS], first = 0, second = 0;
    sumi_solver *solver = prepared("dpmpp-2m");
    CHECK_OK(context, sumi_convergence_measure(solver, POINTS, STEPS, errors, &second));
    CHECK_OK(context, sumi_solver_set(solver, "solver_order", "1"));
    CHECK_OK(context, sumi_convergence_measure(solver, POINTS, STEPS, errors, &first));
    assert_true(second - first > 0.7);
    sumi_solver_free(solver);
}

/* One solver that measures often is as good as a new one each time. */
static void a_measurement_leaves_nothing_behind(void **state)
{
    (void)state;
    double errors[POINTS], again[POINTS];
    sumi_solver *solver = prepared("dpmpp-3m");
    CHECK_OK(context, sumi_convergence_measure(solver, POINTS, STEPS, errors, NULL));
    for (int i = POINTS - 1; i >= 0; i--)
        CHECK_OK(context, sumi_convergence_measure(solver, 1, &STEPS[i], &again[i], NULL));
    assert_memory_equal(errors, again, sizeof errors);
    sumi_solver_free(solver);
}

static void one_error_has_no_order(void **state)
{
    (void)state;
    double error, order = 0;
    sumi_solver *solver = prepared("euler");
    CHECK_OK(context, sumi_convergence_measure(solver, 1, STEPS, &error, &order));
    assert_true(isnan(order) && error > 0);
    sumi_solver_free(solver);
}

static void solvers_without_an_order_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"ddpm", "rk45", "ddim-inverse", "dpmpp-inverse"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double error;
        sumi_solver *solver = NULL;
        CHECK_OK(context, sumi_solver_create(context, names[i], &solver));
        assert_int_equal(sumi_convergence_prepare(solver), SUMI_ERROR_ARGUMENT);
        assert_non_null(strstr(sumi_context_message(context), names[i]));
        assert_int_equal(sumi_convergence_measure(solver, 1, STEPS, &error, NULL),
                         SUMI_ERROR_ARGUMENT);
        sumi_solver_free(solver);
    }
}

static void numbers_of_steps_grow_from_one(void **state)
{
    (void)state;
    static const int64_t wrong[][2] = {{0, 8}, {-4, 8}, {8, 8}, {16, 8}};
    sumi_solver *solver = prepared("euler");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double errors[2];
        assert_int_equal(sumi_convergence_measure(solver, 2, wrong[i], errors, NULL),
                         SUMI_ERROR_ARGUMENT);
        assert_non_null(strstr(sumi_context_message(context), "steps"));
    }
    sumi_solver_free(solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_have_the_order_of_their_papers),
        cmocka_unit_test(options_between_the_calls_count),
        cmocka_unit_test(a_measurement_leaves_nothing_behind),
        cmocka_unit_test(one_error_has_no_order),
        cmocka_unit_test(solvers_without_an_order_are_refused),
        cmocka_unit_test(numbers_of_steps_grow_from_one),
    };
    return cmocka_run_group_tests(tests, make_context, leave_context);
}
