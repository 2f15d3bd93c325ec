/* SPDX-License-Identifier: Apache-2.0 */
/* Options by name, as text and as a configuration file: what is accepted, what is refused, and with
   which message. */
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
    assert_true(options->clip_sample && !options->thresholding);
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
    check_refused("steps", "fifty", "must be a whole number from 0 to 1000000, not 'fifty'");
    check_refused("steps", "50.5", "must be a whole number");
    check_refused("steps", "50 60", "must be a whole number");
    check_refused("steps", "", "must be a whole number");
    check_refused("steps", "-1", "must be a whole number from 0");
    check_refused("steps", "99999999999999999999", "whole number");
    check_refused("num_train_timesteps", "0", "must be a whole number from 1");
    check_refused("beta_start", "nan", "must be a number");
    check_refused("beta_end", "inf", "must be a number");
    check_refused("beta_end", "1.5", "must be a number from 0 to 1, not '1.5'");
    check_refused("beta_end", "true", "must be a number");
    check_refused("clip_sample", "1", "must be true or false");
    check_refused("beta_schedule", "linaer", "must be one of linear, scaled_linear");
    check_refused("beta_schedule", "3", "must be one of linear");
    check_refused("variance_type", "huge", "fixed_large_log, learned, learned_range");
    check_refused("seed", "-1", "whole number from 0 to 18446744073709551615");
    check_refused("seed", "18446744073709551616", "whole number from 0 to 18446744073709551615");
    check_refused("timesteps", "10", "must be a list of numbers");
    check_refused("timesteps", "[]", "from 1 to");
    check_refused("timesteps", "[1, \"a\"]", "must be a list of numbers");
    check_refused("trained_betas", "[0.1, 2]", "must be a list of numbers from 0 to 1");
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

/* A solver of another name with the given options; `count` of them are set. */
static sumi_solver *open_with(const char *name, int count, const char *const (*options)[2])
{
    sumi_solver *made = NULL;
    CHECK_OK(context, sumi_solver_create(context, name, &made));
    for (int i = 0; i < count; i++)
        CHECK_OK(context, sumi_solver_set(made, options[i][0], options[i][1]));
    return made;
}

static void an_option_that_the_solver_never_reads_is_refused_by_its_name(void **state)
{
    (void)state;
    static const char *const unread[][3] = {
        {"ddim", "snr", "ddim does not read \"snr\"; pc does"},
        {"pc", "eta", "pc does not read \"eta\"; ddim, tcd do"},
        {"euler", "rtol", "euler does not read \"rtol\"; rk45 does"},
        {"ddpm", "s_noise", "ddpm does not read \"s_noise\"; euler, heun, dpmpp-sde and others do"},
        {"tcd", "clip_sample_range", "tcd does not read \"clip_sample_range\""},
    };
    for (size_t i = 0; i < sizeof unread / sizeof *unread; i++) {
        sumi_solver *made = open_with(unread[i][0], 0, NULL);
        assert_int_equal(sumi_solver_set(made, unread[i][1], "0.25"), SUMI_ERROR_ARGUMENT);
        if (!strstr(sumi_context_message(context), unread[i][2]))
            fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), unread[i][2]);
        sumi_solver_free(made);
    }
}

static void an_option_that_others_leave_without_effect_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *solver, *options[2][2], *reason;
    } cases[] = {
        {"ddim", {{"use_karras_sigmas", "true"}}, "only with path other than table"},
        {"ddim", {{"beta_min", "0.5"}}, "only with path = vp or sub_vp"},
        {"euler", {{"rho", "3"}}, "only with use_karras_sigmas = true"},
        {"euler", {{"s_noise", "1.1"}}, "only with s_churn other than 0"},
        {"ddpm",
         {{"beta_end", "0.03"}, {"beta_schedule", "cosine"}},
         "reads \"beta_end\" only with"},
        {"ddpm", {{"steps", "20"}, {"timesteps", "[9,5,1]"}}, "steps = 20 contradicts timesteps"},
        {"heun", {{"sigmas", "[3,1]"}, {"timesteps", "[9,5]"}}, "both list the places"},
        {"pc", {{"snr", "0.2"}, {"correct_steps", "0"}}, "only with correct_steps other than 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int count = cases[i].options[1][0] ? 2 : 1;
        sumi_solver *made = open_with(cases[i].solver, count, cases[i].options);
        assert_int_equal(sumi_solver_times(made, NULL, 0), 0);
        if (!strstr(sumi_context_message(context), cases[i].reason))
            fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), cases[i].reason);
        sumi_solver_free(made);
    }
}

static void an_option_counts_again_when_others_let_it(void **state)
{
    (void)state;
    sumi_solver *made =
        open_with("ddim", 1, (const char *const[][2]){{"use_karras_sigmas", "true"}});
    assert_int_equal(sumi_solver_times(made, NULL, 0), 0);
    CHECK_OK(context, sumi_solver_set(made, "path", "vp"));
    assert_true(sumi_solver_times(made, NULL, 0) > 0);
    CHECK_OK(context, sumi_solver_set(made, "path", "table"));
    CHECK_OK(context, sumi_solver_set(made, "use_karras_sigmas", "false"));
    assert_true(sumi_solver_times(made, NULL, 0) > 0);
    sumi_solver_free(made);
}

static void a_configuration_may_say_what_is_not_read(void **state)
{
    (void)state;
    CHECK_OK(context, sumi_solver_configure(solver, "{\"snr\": 3, \"use_karras_sigmas\": true}"));
    assert_int_equal(sumi_solver_times(solver, NULL, 0), 1000);
}

static void every_option_can_be_listed_got_and_set_to_its_default(void **state)
{
    (void)state;
    sumi_solver_info info = {.size = sizeof info};
    for (int i = 0; sumi_solver_describe(i, &info); i++) {
        sumi_solver *made = open_with(info.name, 0, NULL);
        sumi_option option = {.size = sizeof option};
        int number = 0;
        for (; sumi_solver_option(made, number, &option); number++) {
            char value[64];
            snprintf(value, sizeof value, "%s", option.default_value);
            assert_true(option.meaning[0] && option.type[0]);
            const char *now = sumi_solver_get(made, option.name);
            assert_non_null(now);
            assert_string_equal(now, value);
            if (value[0]) CHECK_OK(context, sumi_solver_set(made, option.name, value));
        }
        assert_true(number > 10);
        assert_false(sumi_solver_option(made, -1, &option));
        if (sumi_solver_times(made, NULL, 0) == 0)
            fail_msg("%s: %s", info.name, sumi_context_message(context));
        sumi_solver_free(made);
    }
}

static void typed_setters_set_the_same(void **state)
{
    (void)state;
    CHECK_OK(context, sumi_solver_set_number(solver, "beta_end", 0.1));
    assert_string_equal(sumi_solver_get(solver, "beta_end"), "0.1");
    CHECK_OK(context, sumi_solver_set_number(solver, "steps", 50));
    assert_string_equal(sumi_solver_get(solver, "steps"), "50");
    assert_int_equal(sumi_solver_set_number(solver, "steps", 1.5), SUMI_ERROR_ARGUMENT);
    CHECK_OK(context, sumi_solver_set_flag(solver, "clip_sample", false));
    assert_string_equal(sumi_solver_get(solver, "clip_sample"), "false");
    CHECK_OK(context, sumi_solver_set(solver, "clip_sample", "yes"));
    assert_string_equal(sumi_solver_get(solver, "clip_sample"), "true");
    CHECK_OK(context, sumi_solver_set_list(solver, "timesteps", 2, (double[]){900, 0.1}));
    assert_string_equal(sumi_solver_get(solver, "timesteps"), "[900, 0.1]");
    CHECK_OK(context, sumi_solver_set_list(solver, "timesteps", 0, NULL));
    assert_string_equal(sumi_solver_get(solver, "timesteps"), "");
    assert_null(sumi_solver_get(solver, "snr"));
}

static void schedules_have_the_names_of_their_option(void **state)
{
    (void)state;
    sumi_option option = {.size = sizeof option};
    char words[256] = "";
    for (int i = 0; schedule_name(i); i++) {
        if (i) strcat(words, "|");
        strcat(words, schedule_name(i));
    }
    for (int i = 0; sumi_solver_option(solver, i, &option); i++)
        if (strcmp(option.name, "beta_schedule") == 0) assert_string_equal(option.choices, words);
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
        TEST(an_option_that_the_solver_never_reads_is_refused_by_its_name),
        TEST(an_option_that_others_leave_without_effect_is_refused),
        TEST(an_option_counts_again_when_others_let_it),
        TEST(a_configuration_may_say_what_is_not_read),
        TEST(every_option_can_be_listed_got_and_set_to_its_default),
        TEST(typed_setters_set_the_same),
        TEST(schedules_have_the_names_of_their_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
