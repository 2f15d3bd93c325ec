/* SPDX-License-Identifier: Apache-2.0 */
/* The settings in the pictures of `sumi sample`, and making a picture again from them. */
#include "running.h"

#define TINY                                                                                       \
    "--threads 1 -q --set train.steps=2 --set train.batch=4 --set sample.solver=ddim "             \
    "--set sample.steps=4 --set sample.count=3 --set data.count=64 "
#define DIGITS                                                                                     \
    "sumi train digits " TINY "--set model.channels=8,16 --set data.labels=yes "                   \
    "--set model.class_conditional=yes --out digits\n"
#define PLAIN "sumi train digits " TINY "--set model.channels=8,16 --out plain\n"

static void a_picture_says_how_it_was_made(void **state)
{
    place *here = *state;
    run(here, DIGITS "sumi sample digits --seed 7 --label 3 5 -n 2 -o a.png -q && sumi info a.png");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "settings\n");
    CHECK_HOLDS(here->out, "  seed                        7\n");
    CHECK_HOLDS(here->out, "  solver                      ddim\n");
    CHECK_HOLDS(here->out, "  steps                       4\n");
    CHECK_HOLDS(here->out, "  label                       [\"3\",\"5\"]\n");
    CHECK_HOLDS(here->out, "  count                       2\n");
    CHECK_HOLDS(here->out, "  shape                       [28,28,1]\n");
    CHECK_HOLDS(here->out, "  model                       ");
    CHECK_HOLDS(here->out, "  Software                    Sumi ");
    run(here, "sumi info a.png --json");
    CHECK_HOLDS(here->out, "\"seed\": \"7\"");
}

static void a_picture_is_made_again_to_the_byte(void **state)
{
    place *here = *state;
    run(here, DIGITS PLAIN
        "for model in digits plain; do\n"
        "sumi sample $model --seed 9 --steps 3 --solver ddim --set eta=0.5 -n 5 --columns 2 "
        "-o a.png -q && rm $model/recipe.ini && sumi sample $model --like a.png -o b.png -q"
        " && cmp a.png b.png || exit 1; done");
    CHECK_DONE(here);
    assert_string_equal(here->err, "");
    run(here, "sumi sample digits --label 4 -n 2 --threads 1 -o c.png -q"
              " && sumi sample digits --like c.png -o d.png -q && cmp c.png d.png");
    CHECK_DONE(here);
    run(here, "sumi sample digits -n 1 --from a.png --strength 0.5 -o e.png -q"
              " && sumi sample digits --like e.png -o f.png -q && cmp e.png f.png");
    CHECK_DONE(here);
}

static void given_options_come_before_those_of_the_picture(void **state)
{
    place *here = *state;
    run(here, PLAIN "sumi sample plain --seed 9 -n 2 -o a.png -q && "
                    "sumi sample plain --like a.png --seed 10 -o b.png -q && "
                    "sumi sample plain --seed 10 -n 2 -o c.png -q && "
                    "! cmp -s a.png b.png && cmp b.png c.png");
    CHECK_DONE(here);
}

static void a_picture_of_another_model_causes_a_warning(void **state)
{
    place *here = *state;
    run(here, PLAIN DIGITS "sumi sample digits -n 2 -o a.png -q && "
                           "sumi sample plain --like a.png -o b.png -q");
    CHECK_DONE(here);
    CHECK_HOLDS(here->err, "sumi: warning: a.png was made by a model with the fingerprint ");
    CHECK_HOLDS(here->err, ": the picture will differ");
}

static void pictures_without_settings_are_refused(void **state)
{
    place *here = *state;
    run(here, PLAIN "sumi sample plain -n 2 -o a.npy -q; sumi sample plain --like a.npy -o b.png");
    CHECK_FAILED(here, 1, "sumi: a.npy: is not a PNG file");
    run(here, "sumi sample plain --like nowhere.png -o b.png");
    CHECK_FAILED(here, 1, "sumi: nowhere.png: cannot open: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_picture_says_how_it_was_made),
        PLACE_TEST(a_picture_is_made_again_to_the_byte),
        PLACE_TEST(given_options_come_before_those_of_the_picture),
        PLACE_TEST(a_picture_of_another_model_causes_a_warning),
        PLACE_TEST(pictures_without_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
