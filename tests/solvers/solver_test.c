/* The table of solvers and the names under which configuration files know them. */
#include "check.h"

#include "solvers/solver.h"

static void every_solver_in_the_table_can_be_made(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    sumi_solver_info info;
    int count = 0;
    for (; sumi_solver_describe(count, &info); count++) {
        sumi_solver *solver = NULL;
        CHECK_OK(context, sumi_solver_create(context, info.name, &solver));
        assert_true(info.order >= 1 && info.evaluations >= 1 && info.paper[0]);
        assert_true(sumi_solver_initial_sigma(solver) == 1);
        sumi_solver_free(solver);
    }
    assert_true(count >= 2);
    assert_false(sumi_solver_describe(-1, &info));
    sumi_context_free(context);
}

static void an_unknown_name_gets_the_list_of_known_ones(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    assert_int_equal(sumi_solver_create(context, "ddmp", &solver), SUMI_ERROR_ARGUMENT);
    assert_null(solver);
    assert_non_null(strstr(sumi_context_message(context), "\"ddmp\"; there are ddpm, ddim"));
    assert_int_equal(sumi_solver_create(context, NULL, &solver), SUMI_ERROR_ARGUMENT);
    sumi_solver_free(NULL);
    sumi_context_free(context);
}

static void scheduler_classes_lead_to_their_solvers(void **state)
{
    (void)state;
    assert_string_equal(solver_name_for_class("DDPMScheduler"), "ddpm");
    assert_string_equal(solver_name_for_class("DDPMParallelScheduler"), "ddpm");
    assert_string_equal(solver_name_for_class("DDIMScheduler"), "ddim");
    assert_string_equal(solver_name_for_class("DDIMParallelScheduler"), "ddim");
    assert_null(solver_name_for_class("NoScheduler"));
}

static void training_sees_the_schedule_a_solver_is_set_to(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    const struct schedule *schedule = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_solver_create(context, "ddpm", &solver));
    CHECK_OK(context, sumi_solver_set(solver, "num_train_timesteps", "50"));
    CHECK_OK(context, solver_schedule(solver, &schedule));
    assert_int_equal(schedule->count, 50);
    CHECK_OK(context, sumi_solver_set(solver, "beta_end", "0"));
    assert_int_equal(solver_schedule(solver, &schedule), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "beta at time 49 is 0"));
    sumi_solver_free(solver);
    sumi_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_solver_in_the_table_can_be_made),
        cmocka_unit_test(an_unknown_name_gets_the_list_of_known_ones),
        cmocka_unit_test(scheduler_classes_lead_to_their_solvers),
        cmocka_unit_test(training_sees_the_schedule_a_solver_is_set_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
