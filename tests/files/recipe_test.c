/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes: what is accepted, and the messages about what is not. */
#include "recipes/keys.h"

#include <unistd.h>
#include "one_context.h"

static sumi_recipe *parse(const char *text)
{
    sumi_recipe *recipe = NULL;
    CHECK_OK(context, sumi_recipe_parse(context, text, "my.ini", &recipe));
    return recipe;
}

/* Fails unless the text is refused with a message that holds both parts. */
static void check_refused(const char *text, const char *place, const char *reason)
{
    sumi_recipe *recipe = NULL;
    assert_int_not_equal(sumi_recipe_parse(context, text, "my.ini", &recipe), SUMI_OK);
    assert_null(recipe);
    const char *message = sumi_context_message(context);
    if (!strstr(message, place) || !strstr(message, reason)) {
        fail_msg("'%s' lacks '%s' or '%s'", message, place, reason);
    }
}

static void defaults_fill_what_a_recipe_leaves_out(void **state)
{
    (void)state;
    sumi_recipe *recipe = parse("; a comment\n[train]\nsteps = 7 ; few\r\n\n[data]\nkind=idx\n");
    assert_int_equal(recipe_int(recipe, "train.steps"), 7);
    assert_true(recipe_is(recipe, "data.kind", "idx"));
    assert_true(recipe_number(recipe, "noise.beta_end") == 0.02);
    assert_true(recipe_flag(recipe, "noise.clip"));
    assert_null(sumi_recipe_get(recipe, "train.nothing"));
    sumi_recipe_free(recipe);
}

static void lists_are_read_item_by_item(void **state)
{
    (void)state;
    sumi_recipe *recipe = parse("[model]\nchannels = 16,32 ,\n  64\nattention = no, yes, no\n"
                                "down_blocks = DownBlock2D, AttnDownBlock2D\n");
    int64_t values[RECIPE_LIST_LIMIT];
    char words[RECIPE_LIST_LIMIT][RECIPE_WORD_SIZE];
    assert_int_equal(recipe_list(recipe, "model.channels", values), 3);
    assert_int_equal(values[0], 16);
    assert_int_equal(values[2], 64);
    assert_int_equal(recipe_list(recipe, "model.attention", values), 3);
    assert_int_equal(values[0], 0);
    assert_int_equal(values[1], 1);
    assert_int_equal(recipe_words(recipe, "model.down_blocks", words), 2);
    assert_string_equal(words[1], "AttnDownBlock2D");
    assert_int_equal(recipe_words(recipe, "model.up_blocks", words), 0);
    sumi_recipe_free(recipe);
}

static void misspelled_keys_are_refused_and_the_right_one_suggested(void **state)
{
    (void)state;
    check_refused("[train]\nsteps = 1\nlearnin_rate = 1\n", "my.ini, line 3",
                  "did you mean train.learning_rate?");
    check_refused("[trian]\nsteps = 1\n", "line 2", "did you mean train.steps?");
    check_refused("[train]\nschedule = cosine\n", "line 2", "did you mean noise.schedule?");
    check_refused("batch = 1\n", "line 1", "did you mean train.batch?");
    check_refused("[data]\nnois = 1\n", "line 2", "did you mean data.noise?");
}

static void values_of_the_wrong_type_are_refused(void **state)
{
    (void)state;
    check_refused("[train]\nsteps = many\n", "my.ini, line 2",
                  "train.steps must be a whole number from 1");
    check_refused("[train]\nsteps = -3\n", "line 2", "not '-3'");
    check_refused("[train]\nsteps =\n", "line 2", "not ''");
    check_refused("[train]\nlearning_rate = 0,1\n", "line 2", "must be a number from 0 to 10");
    check_refused("[noise]\nclip = maybe\n", "line 2", "must be yes or no");
    check_refused("[noise]\nschedule = linaer\n", "line 2", "one of linear, scaled_linear, cosine");
    check_refused("[noise]\nschedule = linear|cosine\n", "line 2", "one of linear");
    check_refused("[model]\nchannels = 32,,64\n", "line 2", "whole numbers");
    check_refused("[model]\nchannels = 1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8\n", "line 2", "at most");
}

static void lines_that_say_nothing_are_refused(void **state)
{
    (void)state;
    check_refused("[train]\nsteps 5\n", "my.ini, line 2", "neither [section] nor key = value");
    check_refused("[train\nsteps = 5\n", "line 1", "neither");
    check_refused("[train]\nsteps 5\nstpes = 5\n", "line 2", "neither");
    check_refused("[train]\nstpes = 5\nsteps 5\n", "line 2", "did you mean train.steps");
}

static void a_key_may_be_given_only_once(void **state)
{
    (void)state;
    check_refused("[train]\nsteps = 5\n\nsteps = 6\n", "my.ini, line 4",
                  "train.steps is already set in line 2");
    check_refused("[train]\nsteps = 5\n[train]\n steps = 6\n", "line 4", "already set in line 2");
}

static void over_long_lines_are_refused_and_not_cut_in_two(void **state)
{
    (void)state;
    char text[6000] = "[data]\npath = ";
    memset(text + strlen(text), 'x', 5000);
    check_refused(text, "my.ini, line 2", "longer than");
}

static void zero_bytes_are_refused(void **state)
{
    (void)state;
    sumi_recipe *recipe = NULL;
    assert_int_equal(
        recipe_parse(context, &recipe_keys, "my.ini", "[train]\0steps = 5", 17, &recipe),
        SUMI_ERROR_FORMAT);
}

static void settings_change_an_open_recipe(void **state)
{
    (void)state;
    sumi_recipe *recipe = NULL;
    CHECK_OK(context, sumi_recipe_open(context, "digits", &recipe));
    CHECK_OK(context, sumi_recipe_set(recipe, "train.steps = 12"));
    CHECK_OK(context, sumi_recipe_set(recipe, "data.path=a=b"));
    assert_int_equal(recipe_int(recipe, "train.steps"), 12);
    assert_string_equal(sumi_recipe_get(recipe, "data.path"), "a=b");
    assert_int_equal(sumi_recipe_set(recipe, "train.stesp=12"), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "did you mean train.steps?"));
    assert_int_equal(sumi_recipe_set(recipe, "train.steps"), SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_recipe_set(recipe, "train.steps=x"), SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_recipe_set(recipe, "data.path=a\nb"), SUMI_ERROR_ARGUMENT);
    assert_int_equal(recipe_int(recipe, "train.steps"), 12);
    sumi_recipe_free(recipe);
}

static void a_written_recipe_reads_back_the_same(void **state)
{
    (void)state;
    char path[64], setting[700] = "data.path=";
    snprintf(path, sizeof path, "/tmp/sumi-recipe-%ld.ini", (long)getpid());
    for (size_t i = strlen(setting); i < 600; i++) setting[i] = i % 7 ? 'a' : i % 5 ? ' ' : '[';
    sumi_recipe *recipe = NULL, *again = NULL;
    CHECK_OK(context, sumi_recipe_open(context, "morlet-noisy", &recipe));
    CHECK_OK(context, sumi_recipe_set(recipe, setting));
    CHECK_OK(context, sumi_recipe_write(recipe, path));
    CHECK_OK(context, sumi_recipe_open(context, path, &again));
    sumi_recipe_key key = {.size = sizeof key};
    for (int i = 0; sumi_recipe_describe(i, &key); i++) {
        assert_string_equal(sumi_recipe_get(recipe, key.key), sumi_recipe_get(again, key.key));
    }
    sumi_recipe_free(recipe);
    sumi_recipe_free(again);
    unlink(path);
}

static void every_built_in_recipe_opens_and_has_a_summary(void **state)
{
    (void)state;
    int count = 0;
    for (const char *name; (name = sumi_recipe_name(count)) != NULL; count++) {
        sumi_recipe *recipe = NULL;
        CHECK_OK(context, sumi_recipe_open(context, name, &recipe));
        assert_true(strlen(sumi_recipe_summary(count)) > 10);
        assert_string_equal(sumi_recipe_summary(count), sumi_recipe_get(recipe, "recipe.summary"));
        sumi_recipe_free(recipe);
    }
    assert_true(count >= 7);
    assert_null(sumi_recipe_name(count + 5));
    assert_null(sumi_recipe_summary(-1));
}

static void every_default_is_allowed_by_its_own_range(void **state)
{
    (void)state;
    const struct option *row;
    for (int i = 0; (row = recipe_row(&recipe_keys, i)) != NULL; i++)
        CHECK_OK(context, recipe_check_value(context, "default", row, row->default_value));
}

static void unknown_names_and_missing_files_are_reported(void **state)
{
    (void)state;
    sumi_recipe *recipe = NULL;
    assert_int_equal(sumi_recipe_open(context, "digit", &recipe), SUMI_ERROR_ARGUMENT);
    assert_non_null(strstr(sumi_context_message(context), "did you mean digits"));
    assert_int_equal(sumi_recipe_open(context, "/nowhere/at-all.ini", &recipe), SUMI_ERROR_FILE);
    assert_non_null(strstr(sumi_context_message(context), "/nowhere/at-all.ini"));
    assert_null(recipe);
}

static void a_key_without_its_section_gets_every_key_of_that_name(void **state)
{
    (void)state;
    static const char *const bare[][2] = {
        {"steps=5", "no key steps; did you mean noise.steps, train.steps or sample.steps?"},
        {"seed=5", "did you mean data.seed or train.seed?"},
        {"lr=0.1", "did you mean train.learning_rate?"},
        {"learning_rate=0.1", "did you mean train.learning_rate?"},
        {"epochs=3", "did you mean train.steps (optimizer steps: epochs times items"},
        {"batch_size=3", "did you mean train.batch?"},
        {"model.steps=3", "did you mean noise.steps, train.steps or sample.steps?"},
        {"tarin.steps=3", "did you mean train.steps?"},
    };
    sumi_recipe *recipe = parse("");
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++) {
        assert_int_equal(sumi_recipe_set(recipe, bare[i][0]), SUMI_ERROR_ARGUMENT);
        if (!strstr(sumi_context_message(context), bare[i][1]))
            fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), bare[i][1]);
    }
    sumi_recipe_free(recipe);
}

static void flags_are_yes_or_no_and_true_or_false(void **state)
{
    (void)state;
    sumi_recipe *recipe = parse("[noise]\nclip = false\n[model]\nattention = true, false\n");
    int64_t values[RECIPE_LIST_LIMIT];
    assert_string_equal(sumi_recipe_get(recipe, "noise.clip"), "no");
    assert_int_equal(recipe_list(recipe, "model.attention", values), 2);
    assert_true(values[0] == 1 && values[1] == 0);
    CHECK_OK(context, sumi_recipe_set(recipe, "noise.clip=true"));
    assert_true(recipe_flag(recipe, "noise.clip"));
    assert_int_equal(sumi_recipe_set(recipe, "noise.clip=1"), SUMI_ERROR_ARGUMENT);
    sumi_recipe_free(recipe);
}

static void seeds_have_sixty_four_bits(void **state)
{
    (void)state;
    sumi_recipe *recipe = parse("[train]\nseed = 18446744073709551615\n");
    assert_true(recipe_seed(recipe, "train.seed") == UINT64_MAX);
    assert_int_equal(sumi_recipe_set(recipe, "data.seed=18446744073709551616"),
                     SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_recipe_set(recipe, "data.seed=-1"), SUMI_ERROR_ARGUMENT);
    assert_int_equal(sumi_recipe_set(recipe, "data.seed=1e3"), SUMI_ERROR_ARGUMENT);
    sumi_recipe_free(recipe);
}

static const char *const all_sections[] = {"data", "model", "noise", "train", NULL};

static void what_is_not_read_is_refused_by_the_name_of_the_kind(void **state)
{
    (void)state;
    static const char *const unread[][2] = {
        {"[data]\nkind = idx\nbits = 30\n", "line 3: data.bits = 30: data.kind = idx does not read "
                                            "it, but data.kind = heartbeat does"},
        {"[data]\nkind = moons\npath = x\n", "data.kind = moons does not read it"},
        {"[model]\nkind = mlp\nchannels = 8, 8\n", "model.kind = mlp does not read it"},
        {"[model]\nwidth = 8\n", "model.kind = unet2d does not read it"},
        {"[noise]\npath = flow\nbeta_max = 5\n", "noise.path = flow does not read it"},
        {"[noise]\nschedule = cosine\nbeta_end = 0.5\n",
         "noise.schedule = cosine does not read it"},
        {"[noise]\nthreshold_max = 2\n", "noise.thresholding = no does not read it"},
        {"[train]\nsegments = 3\n", "train.objective = denoising does not read it"},
        {"[train]\ngamma = 3\n", "train.weighting = simple does not read it"},
        {"[train]\nfinal_learning_rate = 1e-5\n", "train.decay = constant does not read it"},
    };
    for (size_t i = 0; i < sizeof unread / sizeof *unread; i++) {
        sumi_recipe *recipe = parse(unread[i][0]);
        assert_int_equal(recipe_check_read(context, recipe, all_sections), SUMI_ERROR_ARGUMENT);
        if (!strstr(sumi_context_message(context), unread[i][1]))
            fail_msg("\"%s\" does not say \"%s\"", sumi_context_message(context), unread[i][1]);
        sumi_recipe_free(recipe);
    }
}

static void a_default_may_be_written_down_where_it_is_not_read(void **state)
{
    (void)state;
    sumi_recipe *recipe = parse("[data]\nkind = idx\nbits = 20\n[noise]\npath = flow\n"
                                "beta_max = 20\n");
    CHECK_OK(context, recipe_check_read(context, recipe, all_sections));
    sumi_recipe_free(recipe);
}

static void built_in_recipes_say_nothing_that_is_not_read(void **state)
{
    (void)state;
    for (int i = 0; sumi_recipe_name(i); i++) {
        sumi_recipe *recipe = parse(built_in_recipes[i].text);
        CHECK_OK(context, recipe_check_read(context, recipe, all_sections));
        sumi_recipe_free(recipe);
    }
}

static void a_built_in_recipe_takes_another_kind_of_data(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/tmp/sumi-recipe-%ld.ini", (long)getpid());
    sumi_recipe *recipe = NULL, *again = NULL;
    CHECK_OK(context, sumi_recipe_open(context, "morlet-noisy", &recipe));
    CHECK_OK(context, sumi_recipe_set(recipe, "data.kind=npy"));
    CHECK_OK(context, recipe_check_read(context, recipe, all_sections));
    CHECK_OK(context, sumi_recipe_write(recipe, path));
    CHECK_OK(context, sumi_recipe_open(context, path, &again));
    CHECK_OK(context, recipe_check_read(context, again, all_sections));
    assert_string_equal(sumi_recipe_get(again, "data.noise"), "0"); /* was left out */
    CHECK_OK(context, sumi_recipe_set(recipe, "data.noise=0.2"));
    assert_int_equal(recipe_check_read(context, recipe, all_sections), SUMI_ERROR_ARGUMENT);
    sumi_recipe_free(recipe);
    sumi_recipe_free(again);
    unlink(path);
}

static void keys_are_listed_with_what_lets_them_count(void **state)
{
    (void)state;
    sumi_recipe *recipe = parse("[data]\nkind = heartbeat\n");
    sumi_option option = {.size = sizeof option};
    int found = 0, number = 0;
    for (; sumi_recipe_option(recipe, number, &option); number++) {
        assert_true(option.meaning[0] && option.type[0] && option.when);
        if (strcmp(option.name, "data.bits") == 0) found += option.read;
        if (strcmp(option.name, "data.path") == 0)
            found += !option.read && strstr(option.when, "idx");
    }
    assert_int_equal(found, 2);
    assert_int_equal(number, recipe_key_count(&recipe_keys));
    CHECK_OK(context, sumi_recipe_set_number(recipe, "train.steps", 12));
    CHECK_OK(context, sumi_recipe_set_text(recipe, "data.kind", "idx"));
    assert_string_equal(sumi_recipe_get(recipe, "train.steps"), "12");
    assert_int_equal(sumi_recipe_set_number(recipe, "train.steps", 0.5), SUMI_ERROR_ARGUMENT);
    sumi_recipe_free(recipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_what_a_recipe_leaves_out),
        cmocka_unit_test(lists_are_read_item_by_item),
        cmocka_unit_test(misspelled_keys_are_refused_and_the_right_one_suggested),
        cmocka_unit_test(values_of_the_wrong_type_are_refused),
        cmocka_unit_test(lines_that_say_nothing_are_refused),
        cmocka_unit_test(a_key_may_be_given_only_once),
        cmocka_unit_test(over_long_lines_are_refused_and_not_cut_in_two),
        cmocka_unit_test(zero_bytes_are_refused),
        cmocka_unit_test(settings_change_an_open_recipe),
        cmocka_unit_test(a_written_recipe_reads_back_the_same),
        cmocka_unit_test(every_built_in_recipe_opens_and_has_a_summary),
        cmocka_unit_test(every_default_is_allowed_by_its_own_range),
        cmocka_unit_test(unknown_names_and_missing_files_are_reported),
        cmocka_unit_test(a_key_without_its_section_gets_every_key_of_that_name),
        cmocka_unit_test(flags_are_yes_or_no_and_true_or_false),
        cmocka_unit_test(seeds_have_sixty_four_bits),
        cmocka_unit_test(what_is_not_read_is_refused_by_the_name_of_the_kind),
        cmocka_unit_test(a_default_may_be_written_down_where_it_is_not_read),
        cmocka_unit_test(built_in_recipes_say_nothing_that_is_not_read),
        cmocka_unit_test(a_built_in_recipe_takes_another_kind_of_data),
        cmocka_unit_test(keys_are_listed_with_what_lets_them_count),
    };
    return cmocka_run_group_tests(tests, make_context, leave_context);
}
