/* SPDX-License-Identifier: Apache-2.0 */
/* The table of solvers and the names under which configuration files know them. */
#include "check.h"

#include "solvers/solver.h"

static void every_solver_in_the_table_can_be_made(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    sumi_solver_info info = {.size = sizeof info};
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

static void a_class_of_diffusers_names_a_solver_too(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_solver_create(context, "UniPCMultistepScheduler", &solver));
    assert_string_equal(sumi_solver_name(solver), "unipc");
    sumi_solver_free(solver);
    sumi_context_free(context);
}

static void an_unknown_name_gets_the_nearest_one(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    assert_int_equal(sumi_solver_create(context, "ddmp", &solver), SUMI_ERROR_ARGUMENT);
    assert_null(solver);
    assert_non_null(strstr(sumi_context_message(context), "\"ddmp\"; did you mean \"ddpm\"?"));
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
    assert_string_equal(solver_name_for_class("EulerDiscreteScheduler"), "euler");
    assert_string_equal(solver_name_for_class("DPMSolverMultistepScheduler"), "dpmpp-2m");
    assert_string_equal(solver_name_for_class("UniPCMultistepScheduler"), "unipc");
    assert_string_equal(solver_name_for_class("FlowMatchEulerDiscreteScheduler"), "flow-euler");
    assert_null(solver_name_for_class("NoScheduler"));
}

/* Checks that a solver with these options refuses with a sentence that holds `reason`. */
static void check_refusal(const char *name, const char *const (*options)[2], const char *reason)
{
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_solver_create(context, name, &solver));
    for (; (*options)[0]; options++)
        CHECK_OK(context, sumi_solver_set(solver, (*options)[0], (*options)[1]));
    assert_int_equal(sumi_solver_times(solver, NULL, 0), 0);
    if (!strstr(sumi_context_message(context), reason))
        fail_msg("%s: %s", name, sumi_context_message(context));
    sumi_solver_free(solver);
    sumi_context_free(context);
}

static void combinations_that_make_no_sense_are_refused(void **state)
{
    (void)state;
#define GIVEN(...)                                                                                 \
    (const char *const[][2])                                                                       \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }
    check_refusal("dpmpp-2m", GIVEN({"algorithm_type", "dpmsolver"}), "undefined at clean data");
    check_refusal("unipc", GIVEN({"predict_x0", "false"}), "undefined at clean data");
    check_refusal("euler", GIVEN({"use_karras_sigmas", "true"}, {"use_beta_sigmas", "true"}),
                  "set only one of them");
    check_refusal("heun", GIVEN({"rescale_betas_zero_snr", "true"}), "no signal is left");
    check_refusal("pndm", GIVEN({"steps", "3"}), "at least four times");
    check_refusal("ipndm", GIVEN({"prediction_type", "epsilon"}, {"timesteps", "[1,0.5]"}),
                  "no signal is left");
    check_refusal("edm-euler", GIVEN({"sigma_min", "90"}), "below sigma_max");
    check_refusal("lcm", GIVEN({"path", "edm"}), "whole times from 0 to T - 1");
    check_refusal("ddim", GIVEN({"path", "vp"}, {"beta_max", "0.01"}), "not above beta_max");
    check_refusal("heun", GIVEN({"path", "vp"}, {"timesteps", "[2000,20]"}), "are from 0 to 999");
    check_refusal("euler", GIVEN({"timesteps", "[10,20]"}), "must decrease");
    check_refusal("flow-euler", GIVEN({"prediction_type", "epsilon"}, {"timesteps", "[1000,500]"}),
                  "no signal is left");
    check_refusal("flow-euler", GIVEN({"timesteps", "[2000,20]"}), "at most 1000");
    check_refusal("lcm", GIVEN({"steps", "60"}), "too few for 60 steps");
    check_refusal("dpmpp-2s", GIVEN({"steps", "2000"}), "are more than the schedule's 1000 times");
}

/* A configuration of diffusers leaves out what its class means by default. */
static void a_configuration_of_another_class_keeps_its_path(void **state)
{
    (void)state;
    sumi_context *context = NULL;
    sumi_solver *solver = NULL;
    const struct noise_path *path = NULL;
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, sumi_solver_create(context, "heun", &solver));
    CHECK_OK(context, sumi_solver_configure(
                          solver, "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}"));
    CHECK_OK(context, solver_path(solver, &path));
    assert_int_equal(path->kind, PATH_FLOW);
    assert_int_equal(solver_options(solver)->prediction_type, PREDICTION_FLOW);
    CHECK_OK(context, sumi_solver_configure(
                          solver, "{\"_class_name\": \"EDMEulerScheduler\", \"sigma_max\": 70}"));
    CHECK_OK(context, solver_path(solver, &path));
    assert_int_equal(path->kind, PATH_EDM);
    CHECK_CLOSE(path->sigma_max, 70, 0);
    sumi_solver_free(solver);
    sumi_context_free(context);
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
        cmocka_unit_test(a_class_of_diffusers_names_a_solver_too),
        cmocka_unit_test(an_unknown_name_gets_the_nearest_one),
        cmocka_unit_test(scheduler_classes_lead_to_their_solvers),
        cmocka_unit_test(combinations_that_make_no_sense_are_refused),
        cmocka_unit_test(a_configuration_of_another_class_keeps_its_path),
        cmocka_unit_test(training_sees_the_schedule_a_solver_is_set_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
