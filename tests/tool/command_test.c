/* SPDX-License-Identifier: Apache-2.0 */
/* What the command says: help, lists, wrong usage, exit codes. */
#include <json-c/json.h>

#include "running.h"

static void no_command_is_wrong_usage(void **state)
{
    run(*state, "sumi");
    CHECK_FAILED((place *)*state, 2, "sumi: which command? `sumi --help` lists all");
}

static void an_unknown_command_suggests_the_nearest(void **state)
{
    run(*state, "sumi recipies");
    CHECK_FAILED((place *)*state, 2,
                 "sumi: there is no command 'recipies'; did you mean 'recipes'?");
    run(*state, "sumi help ftech");
    CHECK_FAILED((place *)*state, 2, "sumi: there is no command 'ftech'; did you mean 'fetch'?");
    run(*state, "sumi xyzzy");
    CHECK_FAILED((place *)*state, 2, "sumi: there is no command 'xyzzy'; `sumi --help` lists all");
}

static void messages_do_not_steer_the_terminal(void **state)
{
    run(*state, "sumi \"$(printf '\\033[31mxyzzy')\"");
    CHECK_FAILED((place *)*state, 2,
                 "sumi: there is no command '?[31mxyzzy'; `sumi --help` lists all");
}

static void a_recipe_that_is_a_pipe_is_refused_at_once(void **state)
{
    run(*state, "mkfifo pipe.ini; timeout -k 1 20 \"$SUMI\" recipes pipe.ini");
    CHECK_FAILED((place *)*state, 1, "sumi: pipe.ini: is a device or pipe, not a regular file");
}

static void an_unknown_option_suggests_the_nearest(void **state)
{
    run(*state, "sumi recipes --jsn");
    CHECK_FAILED((place *)*state, 2, "sumi: recipes has no option --jsn; did you mean --json?");
    run(*state, "sumi recipes -x");
    CHECK_FAILED((place *)*state, 2,
                 "sumi: recipes has no option -x; `sumi recipes --help` lists all");
}

static void values_of_options_are_checked(void **state)
{
    run(*state, "sumi fetch mnist --from");
    CHECK_FAILED((place *)*state, 2, "sumi: fetch: --from needs a value, URL|FOLDER");
    run(*state, "sumi fetch mnist --from --json");
    CHECK_FAILED((place *)*state, 2, "sumi: fetch: --from needs a value, URL|FOLDER");
    run(*state, "sumi recipes --json=yes");
    CHECK_FAILED((place *)*state, 2, "sumi: recipes: --json takes no value");
}

static void arguments_are_counted(void **state)
{
    run(*state, "sumi recipes digits points");
    CHECK_FAILED((place *)*state, 2,
                 "sumi: recipes: 'points' is one argument too many; see `sumi recipes --help`");
    run(*state, "sumi fetch");
    CHECK_FAILED((place *)*state, 2,
                 "sumi: fetch needs the name of a data set (mnist, fashion-mnist, cifar10, "
                 "clip-vocabulary or emoji); see `sumi fetch --help`");
    run(*state, "sumi version 2");
    CHECK_FAILED((place *)*state, 2,
                 "sumi: version: '2' is one argument too many; see `sumi version --help`");
    run(*state, "sumi help train sample");
    CHECK_FAILED((place *)*state, 2,
                 "sumi: help: 'sample' is one argument too many; see `sumi help --help`");
}

/* As --label 1 2 3 does, one --set takes all assignments that follow it, and stops at an argument.
 */
static void one_set_takes_several_assignments(void **state)
{
    place *here = *state;
    run(here,
        "sumi train points --set train.steps=1 train.batch=4 data.count=8 model.width=16 "
        "--set sample.steps=3 sample.count=2 --threads 1 -q --out points"
        " && grep -E '^(steps|batch|count|width) = ' points/recipe.ini | tr '\n' ' '"
        " && sumi sample -n 2 --set eta=0.5 clip_sample=false points --solver ddim -q -o a.npy"
        " && sumi sample points -n 2 --set eta=0.5 --set clip_sample=false --solver ddim -q"
        " -o b.npy && cmp a.npy b.npy && sumi info ./a.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "count = 8 ");
    CHECK_HOLDS(here->out, "width = 16 ");
    CHECK_HOLDS(here->out, "steps = 1 ");
    CHECK_HOLDS(here->out, "batch = 4 ");
    CHECK_HOLDS(here->out, "steps = 3 ");
    CHECK_HOLDS(here->out, "count = 2 ");
    run(here, "sumi sample points --set=eta=0.5 eta=1 -o a.npy");
    CHECK_FAILED(here, 2,
                 "sumi: sample: 'eta=1' is one argument too many; see `sumi sample --help`");
    run(here, "sumi train points --set train.steps=1 --set");
    CHECK_FAILED(here, 2, "sumi: train: --set needs a value, KEY=VALUE ...");
}

static void tuning_is_switched_by_the_usual_words(void **state)
{
    place *here = *state;
    run(here,
        "sumi train points --set train.steps=1 train.batch=4 data.count=8 model.width=16 "
        "sample.count=2 --threads 1 -q --out points; for word in on yes true off no false; do "
        "sumi sample points --tune $word --steps 2 -n 1 -q -o a.npy || exit 1; done");
    CHECK_DONE(here);
    run(here, "sumi sample points --tune maybe -o a.npy");
    CHECK_FAILED(here, 2,
                 "sumi: sample: --tune must be one of on, off, yes, no, true, false, not 'maybe'");
}

static void options_may_precede_and_follow_arguments_until_two_dashes(void **state)
{
    place *here = *state;
    run(here, "sumi recipes --json digits");
    CHECK_DONE(here);
    char *first = strdup(here->out);
    run(here, "sumi recipes digits --json");
    assert_string_equal(here->out, first);
    free(first);
    run(here, "sumi recipes -- --json");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "sumi: there is no built-in recipe '--json'; did you mean ");
}

static void every_command_explains_itself(void **state)
{
    place *here = *state;
    run(here, "sumi --help | sed -n '/^commands:/,/^$/s/^  \\([a-z]*\\) .*/\\1/p'");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "recipes\n");
    CHECK_HOLDS(here->out, "version\nhelp\n");
    char *names = strdup(here->out), *rest = names, *name;
    while ((name = strsep(&rest, "\n")) != NULL) {
        if (!*name) continue;
        char line[128], usage[64];
        snprintf(line, sizeof line, "sumi help %s >one && sumi %s --help | cmp - one && cat one",
                 name, name);
        run(here, line);
        CHECK_DONE(here);
        snprintf(usage, sizeof usage, "usage: sumi %s", name);
        assert_memory_equal(here->out, usage, strlen(usage));
        assert_non_null(strchr(" \n", here->out[strlen(usage)]));
        CHECK_HOLDS(here->out, "\nexample");
        CHECK_HOLDS(here->out, "\noptions:\n");
        CHECK_HOLDS(here->out, "-h, --help");
        assert_null(strchr(here->out, '\033'));
        run(here, "awk 'length > 100' one");
        assert_string_equal(here->out, "");
    }
    free(names);
}

static void the_version_is_the_library_s(void **state)
{
    place *here = *state;
    run(here, "sumi --version");
    char expected[64];
    snprintf(expected, sizeof expected, "sumi %s\n", sumi_version());
    assert_string_equal(here->out, expected);
    run(here, "sumi version");
    assert_string_equal(here->out, expected);
}

static void recipes_list_names_and_summaries(void **state)
{
    place *here = *state;
    run(here, "sumi recipes");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "  digits            built-in handwriting-like digits");
    CHECK_HOLDS(here->out, "  ddpm-mnist        DDPM on MNIST, 28x28\n");
    run(here, "sumi recipes --json");
    struct json_object *all = json_tokener_parse(here->out);
    assert_true(json_object_is_type(all, json_type_array));
    assert_true(json_object_array_length(all) >= 7);
    json_object_put(all);
    run(here, "sumi recipes --keys --json");
    all = json_tokener_parse(here->out);
    assert_true(json_object_array_length(all) > 50);
    json_object_put(all);
}

static void a_printed_recipe_reads_back_the_same(void **state)
{
    place *here = *state;
    run(here, "for name in ddpm-mnist digits morlet-cosine points; do\n"
              "sumi recipes $name >mine.ini && sumi recipes mine.ini --json >mine.json"
              " && sumi recipes $name --json | cmp - mine.json || exit 1; done; cat mine.json");
    CHECK_DONE(here);
    struct json_object *all = json_tokener_parse(here->out), *steps;
    assert_true(json_object_object_get_ex(all, "train.steps", &steps));
    assert_string_equal(json_object_get_string(steps), "5000");
    json_object_put(all);
}

static void an_unknown_recipe_suggests_the_nearest(void **state)
{
    run(*state, "sumi recipes digit");
    CHECK_FAILED((place *)*state, 2,
                 "sumi: there is no built-in recipe 'digit'; did you mean digits, or the file "
                 "./digit?");
    run(*state, "sumi recipes ./digit.ini");
    assert_int_equal(((place *)*state)->code, 1);
}

static void what_is_wrong_in_a_recipe_is_wrong_usage_and_a_missing_file_is_not(void **state)
{
    place *here = *state;
    static const char *const wrong[] = {
        "printf '[train]\\nsteps\\n' >a.ini; sumi train a.ini",
        "printf '[train]\\nsteps = 1\\nsteps = 2\\n' >a.ini; sumi train a.ini",
        "printf '[train]\\nstepps = 1\\n' >a.ini; sumi train a.ini",
        "printf '[train]\\nsteps = x\\n' >a.ini; sumi recipes a.ini",
        "printf 'steps\\n' >a.ini; sumi recipes a.ini",
        "sumi train digits --set model.time_embedding=fourier --out r",
        "sumi train digits --set noise.variance=learned --out r",
        "sumi train digits --set noise.variance=learned_range --set train.objective=denoising"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        run(here, wrong[i]);
        if (here->code != 2) fail_msg("%s: exit code %d: %s", wrong[i], here->code, here->err);
    }
    run(here, "sumi train digits --set data.kind=npy --set data.path=nowhere.npy --out r");
    if (here->code != 1) fail_msg("exit code %d: %s", here->code, here->err);
    run(here, "test ! -e r");
    CHECK_DONE(here);
}

static void solvers_list_their_papers(void **state)
{
    place *here = *state;
    run(here, "sumi solvers");
    CHECK_HOLDS(here->out, "\nddpm                  1  1            fresh  Ho, Jain, Abbeel 2020");
    run(here, "sumi solvers --json");
    struct json_object *all = json_tokener_parse(here->out);
    struct json_object *first = json_object_array_get_idx(all, 0), *name;
    assert_true(json_object_object_get_ex(first, "name", &name));
    assert_string_equal(json_object_get_string(name), "ddpm");
    json_object_put(all);
}

static void a_solver_lists_its_options(void **state)
{
    place *here = *state;
    run(here, "sumi solvers ddim");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "\neta                         number   0 ");
    assert_null(strstr(here->out, "\nsnr "));
    run(here, "sumi solvers pc --json");
    struct json_object *all = json_tokener_parse(here->out), *name;
    assert_true(json_object_array_length(all) > 20);
    assert_true(json_object_object_get_ex(json_object_array_get_idx(all, 0), "name", &name));
    assert_string_equal(json_object_get_string(name), "predictor");
    json_object_put(all);
    run(here, "sumi solvers hoen");
    CHECK_FAILED(here, 2,
                 "sumi: there is no solver \"hoen\"; did you mean \"heun\"? `sumi solvers` lists "
                 "all 41");
}

static void keys_that_mean_nothing_are_refused_before_training(void **state)
{
    place *here = *state;
    run(here, "sumi train points --set steps=5 --out run");
    CHECK_FAILED(here, 2,
                 "sumi: setting 'steps=5': there is no key steps; did you mean noise.steps, "
                 "train.steps or sample.steps?");
    run(here, "sumi train points --set data.bits=9 --out run");
    CHECK_FAILED(here, 2,
                 "sumi: data.bits = 9: data.kind = swissroll does not read it, but "
                 "data.kind = heartbeat does; leave it out");
    run(here, "sumi train points --set model.kind=unet2d --out run");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "use model.kind = mlp for those");
    run(here, "sumi train points --set train.label_dropout=0.1 --out run");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "model.class_conditional = no does not read it");
    run(here, "sumi recipes --keys");
    CHECK_HOLDS(here->out, "bits of a heartbeat (read with data.kind=heartbeat)");
}

static void a_data_set_comes_from_a_folder_or_an_error_says_why(void **state)
{
    place *here = *state;
    run(here, "XDG_CACHE_HOME=$PWD/cache sumi fetch mnits");
    CHECK_FAILED(here, 2,
                 "sumi: mnits: no such data set; choose mnist, "
                 "fashion-mnist, cifar10, clip-vocabulary or emoji");
    run(here, "XDG_CACHE_HOME=$PWD/cache sumi fetch mnist --from nowhere");
    CHECK_FAILED(here, 1, "sumi: nowhere: neither a folder nor an address such as https://...");
}

static void a_closed_pipe_is_no_catastrophe(void **state)
{
    place *here = *state;
    run(here, "{ sumi recipes --keys; echo $? >code; } | true; cat code");
    assert_string_equal(here->err, "");
    assert_true(strcmp(here->out, "0\n") == 0 || strcmp(here->out, "1\n") == 0);
    run(here, "{ sumi recipes --keys --json; echo $? >code; } | head -c 1 >/dev/null; cat code");
    assert_string_equal(here->err, "");
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
    place *here = *state;
    if (access("/dev/full", W_OK) != 0) {
        print_message("skipped: there is no /dev/full\n");
        skip();
    }
    run(here, "sumi recipes --keys --json >/dev/full"); /* refused on the way, and nothing left */
    CHECK_FAILED(here, 1, "sumi: cannot write to standard output: No space left on device");
    run(here, "sumi recipes --keys >/dev/full");
    CHECK_FAILED(here, 1, "sumi: cannot write to standard output: No space left on device");
    run(here, "sumi version >/dev/full"); /* less: refused at the end */
    CHECK_FAILED(here, 1, "sumi: cannot write to standard output: No space left on device");
    run(here, "sumi recipes --keys >&-");
    CHECK_FAILED(here, 1, "sumi: cannot write to standard output: Bad file descriptor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(no_command_is_wrong_usage),
        PLACE_TEST(an_unknown_command_suggests_the_nearest),
        PLACE_TEST(messages_do_not_steer_the_terminal),
        PLACE_TEST(a_recipe_that_is_a_pipe_is_refused_at_once),
        PLACE_TEST(an_unknown_option_suggests_the_nearest),
        PLACE_TEST(values_of_options_are_checked),
        PLACE_TEST(arguments_are_counted),
        PLACE_TEST(one_set_takes_several_assignments),
        PLACE_TEST(tuning_is_switched_by_the_usual_words),
        PLACE_TEST(options_may_precede_and_follow_arguments_until_two_dashes),
        PLACE_TEST(every_command_explains_itself),
        PLACE_TEST(the_version_is_the_library_s),
        PLACE_TEST(recipes_list_names_and_summaries),
        PLACE_TEST(a_printed_recipe_reads_back_the_same),
        PLACE_TEST(an_unknown_recipe_suggests_the_nearest),
        PLACE_TEST(what_is_wrong_in_a_recipe_is_wrong_usage_and_a_missing_file_is_not),
        PLACE_TEST(solvers_list_their_papers),
        PLACE_TEST(a_solver_lists_its_options),
        PLACE_TEST(keys_that_mean_nothing_are_refused_before_training),
        PLACE_TEST(a_data_set_comes_from_a_folder_or_an_error_says_why),
        PLACE_TEST(a_closed_pipe_is_no_catastrophe),
        PLACE_TEST(output_that_cannot_be_written_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
