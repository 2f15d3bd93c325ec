/* SPDX-License-Identifier: Apache-2.0 */
/* Options by name, as text and as a configuration file: what is accepted, what is refused, and what
   the refusal says. */
#include "check.h"

#include "solvers/solver.h"

static sumi_context *context;
static sumi_solver *solver;

static int open_solver(void **state)
{
    (void)state;
    return sumi_context_create(NULL, &context) != SUMI_OK
           || sumi_solver_create(context, "ddpm", &solver) != SUMI_OK;
}

static int close_solver(void **state)
{
    (void)state;
    sumi_solver_free(solver);
    sumi_context_free(context);
    return 0;
}

static void check_refused(const char *name, const char *value, const char *sentence)
{
    assert_int_equal(sumi_solver_set(solver, name, value), SUMI_ERROR_ARGUMENT);
    if (!strstr(sumi_context_message(context), sentence))
        fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), sentence);
}

static void defaults_are_diffusers(void **state)
{
    (void)state;
    const struct solver_options *options = solver_options(solver);
    assert_int_equal(options->num_train_timesteps, 1000);
    assert_true(options->beta_start == 0.0001 && options->beta_end == 0.02);
    assert_true(options->clip_sample && !options->thresholding && options->set_alpha_to_one);
    assert_true(options->dynamic_thresholding_ratio == 0.995);
    assert_int_equal(options->variance_type, VARIANCE_FIXED_SMALL);
    assert_int_equal(options->timestep_spacing, SPACING_LEADING);
    assert_int_equal(sumi_solver_times(solver, NULL, 0), 1000);
}

static void every_kind_of_value_is_read_from_text(void **state)
{
    (void)state;
    const struct solver_options *options = solver_options(solver);
    CHECK_OK(context, sumi_solver_set(solver, "beta_schedule", "squaredcos_cap_v2"));
    assert_string_equal(schedule_name(options->beta_schedule), "squaredcos_cap_v2");
    CHECK_OK(context, sumi_solver_set(solver, "variance_type", "\"learned_range\""));
    assert_int_equal(options->variance_type, VARIANCE_LEARNED_RANGE);
    CHECK_OK(context, sumi_solver_set(solver, "clip_sample", "false"));
    assert_false(options->clip_sample);
    CHECK_OK(context, sumi_solver_set(solver, "beta_end", "2e-2"));
    assert_true(options->beta_end == 0.02);
    CHECK_OK(context, sumi_solver_set(solver, "steps", "50"));
    assert_int_equal(options->steps, 50);
    CHECK_OK(context, sumi_solver_set(solver, "seed", "18446744073709551615"));
    assert_true(options->seed == UINT64_MAX);
    CHECK_OK(context, sumi_solver_set(solver, "trained_betas", "[0.1, 0.2, 1]"));
    assert_int_equal(options->trained_betas.count, 3);
    assert_true(options->trained_betas.values[1] == 0.2);
    CHECK_OK(context, sumi_solver_set(solver, "trained_betas", "null"));
    assert_null(options->trained_betas.values);
}

static void a_misspelled_name_gets_the_nearest_one(void **state)
{
    (void)state;
    check_refused("beta_shedule", "linear", "did you mean \"beta_schedule\"");
    check_refused("clip_samples", "true", "did you mean \"clip_sample\"");
    check_refused("ETA", "0", "there is no solver option \"ETA\"");
    check_refused("", "0", "there is no solver option");
}

static void values_of_the_wrong_kind_or_size_are_refused(void **state)
{
    (void)state;
    check_refused("steps", "fifty", "must be a whole number, not \"fifty\"");
    check_refused("steps", "50.5", "must be a whole number");
    check_refused("steps", "50 60", "must be a whole number");
    check_refused("steps", "", "must be a whole number");
    check_refused("steps", "-1", "must be from 0");
    check_refused("steps", "99999999999999999999", "whole number");
    check_refused("num_train_timesteps", "0", "must be from 1");
    check_refused("beta_start", "nan", "must be a number");
    check_refused("beta_end", "inf", "must be a number");
    check_refused("eta", "1.5", "must be from 0 to 1");
    check_refused("eta", "true", "must be a number");
    check_refused("clip_sample", "1", "must be true or false");
    check_refused("beta_schedule", "linaer", "it is one of linear, scaled_linear");
    check_refused("beta_schedule", "3", "must be a word");
    check_refused("variance_type", "huge", "fixed_large_log, learned, learned_range");
    check_refused("seed", "-1", "whole number from 0");
    check_refused("timesteps", "10", "must be a list of numbers");
    check_refused("timesteps", "[]", "from 1 to");
    check_refused("timesteps", "[1, \"a\"]", "must be a list of numbers");
    check_refused("trained_betas", "[0.1, 2]", "must be from 0 to 1");
    assert_int_equal(sumi_solver_set(solver, "trained_betas", "[0.1, 2"), SUMI_ERROR_FORMAT);
    assert_int_equal(sumi_solver_set(solver, "trained_betas", "[0.1] 2"), SUMI_ERROR_FORMAT);
    assert_int_equal(sumi_solver_set(solver, NULL, "1"), SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_solver_set(solver, "eta", NULL), SUMI_ERROR_ARGUMENT);
}

static void a_file_of_another_class_keeps_its_foreign_keys_to_itself(void **state)
{
    (void)state;
    CHECK_OK(context,
             sumi_solver_configure(
                 solver, "{\"_class_name\": \"PNDMScheduler\", \"_diffusers_version\": \"0.6.0\","
                         "\"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\","
                         "\"beta_start\": 0.00085, \"set_alpha_to_one\": false,"
                         "\"skip_prk_steps\": true, \"steps_offset\": 1, \"trained_betas\": null,"
                         "\"unheard_of\": {\"any\": [1, 2]}, \"clip_sample\": null}"));
    const struct solver_options *options = solver_options(solver);
    assert_true(options->beta_end == 0.012 && options->beta_start == 0.00085);
    assert_int_equal(options->steps_offset, 1);
    assert_false(options->set_alpha_to_one);
    assert_true(options->clip_sample);
}

static void a_file_is_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    CHECK_OK(context, sumi_solver_set(solver, "trained_betas", "[0.1, 0.2]"));
    assert_int_equal(sumi_solver_configure(solver, "{\"beta_end\": 0.5, \"trained_betas\": [0.3],"
                                                   "\"clip_sample\": \"no\"}"),
                     SUMI_ERROR_FORMAT);
    assert_non_null(strstr(sumi_context_message(context), "\"clip_sample\" must be true or false"));
    const struct solver_options *options = solver_options(solver);
    assert_true(options->beta_end == 0.02);
    assert_int_equal(options->trained_betas.count, 2);
    assert_int_equal(sumi_solver_configure(solver, "[1]"), SUMI_ERROR_FORMAT);
    assert_int_equal(sumi_solver_configure(solver, "{\"beta_end\""), SUMI_ERROR_FORMAT);
    assert_int_equal(sumi_solver_configure(solver, ""), SUMI_ERROR_FORMAT);
    assert_int_equal(sumi_solver_configure(solver, NULL), SUMI_ERROR_ARGUMENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_solver, close_solver)
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_diffusers),
        TEST(every_kind_of_value_is_read_from_text),
        TEST(a_misspelled_name_gets_the_nearest_one),
        TEST(values_of_the_wrong_kind_or_size_are_refused),
        TEST(a_file_of_another_class_keeps_its_foreign_keys_to_itself),
        TEST(a_file_is_taken_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
