/* SPDX-License-Identifier: Apache-2.0 */
/* Guidance by class of the commands that run a model, and what they refuse. */
#include "running.h"

/* Points of eight classes and a network trained on them for a few steps: with the null class, and
   without it. */
#define TRAIN                                                                                      \
    "sumi train points -q --set data.kind=gaussians data.noise=0 data.count=400 data.labels=yes "  \
    "model.class_conditional=yes model.width=16 model.depth=1 train.steps=60 train.batch=64 "      \
    "sample.steps=4 sample.solver=ddim sample.count=8 "
#define MODELS                                                                                     \
    TRAIN "train.label_dropout=0.2 --out with >log && " TRAIN "--out without >log && "             \
          "sumi train points -q --set data.count=400 model.width=16 model.depth=1 train.steps=2 "  \
          "sample.steps=4 sample.solver=ddim --out plain >log\n"
#define SAMPLE "sumi sample with -q -n 16 --steps 6 --solver ddim "

static void guidance_of_scale_1_and_outside_its_interval_changes_nothing(void **state)
{
    place *here = *state;
    run(here, MODELS SAMPLE "-o plain.npy && " SAMPLE "--guidance 1 -o one.npy && "
                            "cmp plain.npy one.npy && " SAMPLE "--guidance 3 -o three.npy && "
                            "! cmp -s plain.npy three.npy && " SAMPLE
                            "--guidance 3 --guidance-interval 1e5,1e6 -o outside.npy && "
                            "cmp plain.npy outside.npy && " SAMPLE
                            "--guidance 3 --guidance-interval 0,inf -o inside.npy && "
                            "cmp three.npy inside.npy && " SAMPLE
                            "--guidance 3 --guidance-interval 0.5,2 -o part.npy && "
                            "! cmp -s three.npy part.npy && " SAMPLE
                            "--guidance 3 --guidance-rescale 0.7 -o tamed.npy && "
                            "! cmp -s three.npy tamed.npy && " SAMPLE
                            "--guidance 3 --guidance-channels 1 -o first.npy && "
                            "! cmp -s three.npy first.npy");
    CHECK_DONE(here);
    run(here, "sumi info with --json");
    CHECK_HOLDS(here->out, "\"null_class\": 8");
}

static void every_command_that_runs_a_model_guides(void **state)
{
    place *here = *state;
    static const char *const commands[] = {
        "sample with -q -n 4 --steps 4 --solver ddim -o %s.npy",
        "inpaint with -q -n 2 --draws 1 --solver ddim --steps 4 -o %s.npy --set eta=0",
        "interpolate with -q -n 1 --frames 3 --steps 4 -o %s.npy",
        "invert with -q -i some.npy --steps 4 -o %s.npy",
        "denoise with -q -n 5 --solver ddim --steps 4 -o %s.png",
        "likelihood with -q -n 20 --draws 10 --json >%s.json"};
    run(here, MODELS "sumi sample with -q -n 2 --steps 4 --solver ddim -o some.npy");
    CHECK_DONE(here);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char plain[160], guided[192], line[640];
        snprintf(plain, sizeof plain, commands[i], "a");
        snprintf(guided, sizeof guided, commands[i], "b");
        snprintf(line, sizeof line,
                 "rm -f a.* b.*; sumi %s && sumi %s --guidance 4 && test -s \"$(ls a.*)\" && "
                 "! cmp -s \"$(ls a.*)\" \"$(ls b.*)\"",
                 plain, guided);
        run(here, line);
        if (here->code) fail_msg("%s: exit code %d: %s", plain, here->code, here->err);
    }
}

static void another_class_may_stand_for_none(void **state)
{
    place *here = *state;
    run(here, MODELS "sumi sample without -q -n 7 --steps 6 --solver ddim --guidance 2 "
                     "--null-class 7 -o a.npy && "
                     "sumi sample without -q -n 7 --steps 6 --solver ddim --guidance 2 "
                     "--null-class 7 --label 0 1 2 3 4 5 6 -o b.npy && cmp a.npy b.npy && "
                     "sumi sample without -q -n 7 --steps 6 --solver ddim "
                     "--label 0 1 2 3 4 5 6 -o c.npy && ! cmp -s b.npy c.npy && " SAMPLE
                     "--guidance 2 -o d.npy && " SAMPLE
                     "--guidance 2 --null-class 8 -o e.npy && cmp d.npy e.npy");
    CHECK_DONE(here);
}

/* Time 24 is between two that the solver visits, and the interval holds none of these, so that the
   samples are those without guidance. */
static void the_field_of_the_score_is_guided(void **state)
{
    place *here = *state;
    run(here, MODELS "interval='--guidance 5 --guidance-interval 0.6,0.65'\n" SAMPLE
                     "-o a.npy && " SAMPLE "$interval -o b.npy && cmp a.npy b.npy && " SAMPLE
                     "--field 24 -o a.png && " SAMPLE "$interval --field 24 -o b.png && "
                     "! cmp -s a.png b.png");
    CHECK_DONE(here);
}

/* ---- Refusals ---- */

static void guidance_that_cannot_be_is_refused_before_anything_runs(void **state)
{
    place *here = *state;
    static const char *const cases[][2] = {
        {"plain --guidance 3",
         "sumi: sample: --guidance: the guide classifier-free compares two conditions, but this "
         "model is unconditional"},
        {"without --guidance 3",
         "sumi: sample: --guidance: the guide classifier-free needs a null condition, but this "
         "model has no null class: train it with train.label_dropout, or set another null "
         "condition"},
        {"with --guidance-rescale 0.5",
         "sumi: sample: --guidance-rescale: classifier-free reads \"rescale\" only with scale "
         "other than 1"},
        {"with --null-class 2",
         "sumi: sample: --null-class has no effect without a --guidance other than 1"},
        {"with --guidance 1 --null-class 2",
         "sumi: sample: --null-class has no effect without a --guidance other than 1"},
        {"with --guidance 1 --guidance-interval 0,1",
         "sumi: sample: --guidance-interval: classifier-free reads \"sigma_high\" only with scale "
         "other than 1"},
        {"with --guidance 3 --guidance-interval 2",
         "sumi: sample: --guidance-interval takes two noise levels, LO,HI, not 1"},
        {"with --guidance 3 --guidance-interval 2,1",
         "sumi: sample: --guidance-interval: classifier-free: sigma_low = 2 is above sigma_high = "
         "1"},
        {"with --guidance 3 --guidance-interval a,1",
         "sumi: sample: --guidance-interval must be a number from 0 to inf, not 'a'"},
        {"with --guidance 3 --guidance-rescale 1.5",
         "sumi: sample: --guidance-rescale must be a number from 0 to 1, not '1.5'"},
        {"with --guidance much",
         "sumi: sample: --guidance must be a number from -1000 to 1000, not 'much'"},
        {"with --guidance 3 --guidance-channels 3",
         "sumi: sample: --guidance-channels: classifier-free: channels = 3, but an item has 2"},
        {"with --guidance 3 --null-class eight",
         "sumi: sample: --null-class must be a whole number from 0 to 2147483647, not 'eight'"},
        {"with --guidance 3 --null-class 9",
         "sumi: sample: --null-class: \"class\" of item 0 is 9; it must be from 0 to 8"}};
    run(here, MODELS);
    CHECK_DONE(here);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        snprintf(line, sizeof line, "sumi sample -q -o a.npy %s", cases[i][0]);
        run(here, line);
        assert_string_equal(here->out, "");
        if (here->code != 2 || strncmp(here->err, cases[i][1], strlen(cases[i][1])) != 0)
            fail_msg("%s: exit code %d: %s", cases[i][0], here->code, here->err);
        run(here, "test ! -e a.npy");
        CHECK_DONE(here);
    }
    run(here, "sumi train points -q --set train.label_dropout=0.1 --out never");
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "model.class_conditional = no does not read it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(guidance_of_scale_1_and_outside_its_interval_changes_nothing),
        PLACE_TEST(every_command_that_runs_a_model_guides),
        PLACE_TEST(another_class_may_stand_for_none),
        PLACE_TEST(the_field_of_the_score_is_guided),
        PLACE_TEST(guidance_that_cannot_be_is_refused_before_anything_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
