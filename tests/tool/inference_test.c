/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that run a trained model have in common. */
#include <json-c/json.h>

#include "arrays.h"

static void rows_of_help_are_the_same_in_all_commands(void **state)
{
    place *here = *state;
    run(here,
        "for command in sample inpaint interpolate invert denoise; do\n"
        "  sumi help $command | sed -n '/^      --steps/,$p' >$command.rows\n"
        "  cmp sample.rows $command.rows || exit 1\n"
        "done\n"
        "cat sample.rows\n"
        "sumi help likelihood >likelihood.rows\n"
        "for row in solver set seed guidance guidance-interval threads precision tune json; do\n"
        "  grep -qxF -- \"$(grep -e \" --$row \" sample.rows)\" likelihood.rows || exit 2\n"
        "done");
    CHECK_DONE(here);
    static const char *const rows[] = {"--steps K",
                                       "--solver NAME",
                                       "--set OPTION=VALUE",
                                       "--seed S",
                                       "--rng",
                                       "--label L",
                                       "--guidance W",
                                       "--guidance-interval LO,HI",
                                       "--guidance-rescale PHI",
                                       "--null-class N",
                                       "--threads N",
                                       "--precision",
                                       "--tune",
                                       "-q, --quiet",
                                       "--json",
                                       NULL};
    for (int i = 0; rows[i]; i++) CHECK_HOLDS(here->out, rows[i]);
}

/* All commands, with the arguments that each needs in addition to --seed and --json. */
static const char *const COMMANDS[] = {
    "sample points -n 3 -o sample.npy",
    "inpaint points -n 2 --draws 2 --solver ddpm --steps 30 -o inpaint.npy",
    "interpolate points -n 2 -o interpolate.npy",
    "invert points -i some.npy -o invert.npy",
    "denoise points -n 5 -o denoise.png --set timestep_spacing=trailing",
    "likelihood points -n 40 --draws 10",
    NULL,
};

static void every_command_takes_a_seed_and_prints_one_value_of_json(void **state)
{
    place *here = *state;
    char line[256];
    run(here, POINTS "sumi sample points -n 3 -q -o some.npy");
    CHECK_DONE(here);
    for (int i = 0; COMMANDS[i]; i++) {
        enum json_tokener_error error;
        snprintf(line, sizeof line, "sumi %s --seed 5 --json -q", COMMANDS[i]);
        run(here, line);
        CHECK_DONE(here);
        struct json_object *answer = json_tokener_parse_verbose(here->out, &error);
        assert_int_equal(error, json_tokener_success);
        assert_true(json_object_is_type(answer, json_type_object));
        json_object_put(answer);
    }
}

/* Of invert the noise is found, not drawn. */
static void a_seed_decides_what_is_drawn(void **state)
{
    place *here = *state;
    char line[512];
    run(here, POINTS "sumi sample points -n 3 -q -o some.npy");
    CHECK_DONE(here);
    for (int i = 0; COMMANDS[i]; i++) {
        bool draws = strncmp(COMMANDS[i], "invert", 6) != 0;
        const char *file = strstr(COMMANDS[i], " -o ");
        char written[64] = "";
        if (file) sscanf(file + 4, "%63s", written);
        snprintf(line, sizeof line,
                 "for seed in 5 5 6; do sumi %s --seed $seed --json -q 2>&1 | grep -v second "
                 ">>report; cat report %s | cksum >>sums; rm report; done; %s",
                 COMMANDS[i], written,
                 draws ? "test $(uniq sums | wc -l) = 2" : "test $(uniq sums | wc -l) = 1");
        run(here, line);
        CHECK_DONE(here);
        run(here, "rm sums");
    }
}

static void the_random_stream_can_be_that_of_torch(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi interpolate points -q -o own.npy && sumi interpolate points -q -o "
                     "torch.npy --rng torch && ! cmp -s own.npy torch.npy");
    CHECK_DONE(here);
    run(here, "sumi denoise points -o a.png --rng dice");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "philox");
}

static void inversion_goes_by_solvers_that_lead_to_noise(void **state)
{
    place *here = *state;
    run(here, POINTS "sumi sample points -n 3 -q -o some.npy && sumi invert points -i some.npy "
                     "--steps 20 -q -o one.npy && sumi invert points -i some.npy --steps 20 -q -o "
                     "two.npy --solver dpmpp-inverse && ! cmp -s one.npy two.npy");
    CHECK_DONE(here);
    run(here, "sumi invert points -i some.npy -o x.npy --solver euler");
    CHECK_FAILED(
        here, 2,
        "sumi: invert: euler runs from noise to data; choose ddim-inverse or dpmpp-inverse");
}

/* A key of the recipe has a section. */
static void likelihoods_set_options_of_the_solver_and_of_the_recipe(void **state)
{
    place *here = *state;
    run(here, POINTS
        "for way in '--option variance_type=fixed_large --set data.seed=9' "
        "'--set variance_type=fixed_large data.seed=9' '--set data.seed=9' "
        "'--set variance_type=fixed_large'; do sumi likelihood points -n 40 --draws 10 "
        "--solver ddpm --json -q $way | cksum; done >sums; test \"$(sed -n 1p sums)\" = \"$(sed -n "
        "2p sums)\" && test $(sort -u sums | wc -l) = 3");
    CHECK_DONE(here);
    run(here, "sumi likelihood points --set data.sed=9");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "there is no key data.sed; did you mean data.seed?");
    run(here, "sumi likelihood points --set variance_typo=fixed_large");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "variance_type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(rows_of_help_are_the_same_in_all_commands),
        PLACE_TEST(every_command_takes_a_seed_and_prints_one_value_of_json),
        PLACE_TEST(a_seed_decides_what_is_drawn),
        PLACE_TEST(the_random_stream_can_be_that_of_torch),
        PLACE_TEST(inversion_goes_by_solvers_that_lead_to_noise),
        PLACE_TEST(likelihoods_set_options_of_the_solver_and_of_the_recipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
