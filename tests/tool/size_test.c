/* SPDX-License-Identifier: Apache-2.0 */
/* Models without sample_size in their config.json, and transformers at other sizes than theirs. */
#include "running.h"

/* A model of 8 x 8 pictures, "sized", and the same without its sample_size, "open". */
#define MODELS                                                                                     \
    "sumi train digits --threads 1 -q --set train.steps=1 --set train.batch=2 --set "              \
    "data.count=8 --set model.channels=8,8 --set sample.count=2 --set sample.solver=ddim "         \
    "--set sample.steps=2 --out digits\n"                                                          \
    "rm digits/recipe.ini; cp -r digits open; sed -i '/\"sample_size\"/d' open/unet/config.json\n"

static void the_size_of_samples_can_be_given(void **state)
{
    place *here = *state;
    run(here, MODELS "sumi sample digits -n 2 --steps 2 --solver ddim -q -o a.npy && "
                     "sumi sample open -n 2 --steps 2 --solver ddim --size 28x28 -q -o b.npy && "
                     "cmp a.npy b.npy && "
                     "sumi sample open -n 2 --steps 2 --solver ddim --size 28 -q -o c.npy && "
                     "cmp a.npy c.npy && "
                     "sumi sample digits -n 2 --steps 2 --solver ddim --size 28 -q -o d.npy && "
                     "cmp a.npy d.npy && "
                     "sumi sample open -n 2 --steps 2 --size 6x10 -q -o e.npy && sumi info e.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "[2,6,10,1]");
    run(here, "sumi interpolate open -n 1 --frames 3 --steps 2 --size 6x10 -q -o f.npy && "
              "sumi info f.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "[3,6,10,1]");
}

static void the_size_is_that_of_the_items_that_are_read(void **state)
{
    place *here = *state;
    run(here, MODELS
        "sumi sample digits -n 2 --steps 2 -q -o two.npy && "
        "sumi invert digits -i two.npy --steps 2 -q -o a.npy && "
        "sumi invert open -i two.npy --steps 2 -q -o b.npy && cmp a.npy b.npy && "
        "sumi sample digits --latents a.npy --solver ddim --steps 2 -q -o c.npy && "
        "sumi sample open --latents a.npy --solver ddim --steps 2 -q -o d.npy && "
        "cmp c.npy d.npy && "
        "sumi inpaint digits -i two.npy --keep left --steps 2 -q -o a.npy && "
        "sumi inpaint open -i two.npy --keep left --steps 2 -q -o b.npy && cmp a.npy b.npy && "
        "sumi denoise digits -i two.npy --steps 2 -q -o a.png && "
        "sumi denoise open -i two.npy --steps 2 -q -o b.png && cmp a.png b.png && "
        "sumi interpolate digits -i two.npy --frames 2 --steps 2 -q -o a.npy && "
        "sumi interpolate open -i two.npy --frames 2 --steps 2 -q -o b.npy && cmp a.npy b.npy");
    CHECK_DONE(here);
    run(here, "mkdir photos; sumi sample open -n 1 --steps 2 --size 6x10 -q -o wide.npy && "
              "sumi sample digits -n 1 --steps 2 -q -o photos/1.png && "
              "sumi sample open -q --from photos --steps 2 -o a.npy && sumi info a.npy && "
              "sumi sample open -q --from photos/1.png --steps 2 --size 12x8 -o b.npy && "
              "sumi info b.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "[1,12,8,1]");
}

#define TWO " --data digits --set data.count=4 num_train_timesteps=4 -n 4 --draws 2 --json "

static void
the_likelihood_of_a_model_of_open_size_takes_that_of_the_data_or_of_the_option(void **state)
{
    place *here = *state;
    run(here, MODELS "sumi likelihood digits" TWO ">a && sumi likelihood open" TWO ">b && "
                     "cmp a b && sumi likelihood open --size 28x28" TWO ">c && cmp a c");
    CHECK_DONE(here);
    run(here, "sumi likelihood open --size 6x10" TWO);
    assert_int_equal(here->code, 2);
    CHECK_HOLDS(here->err, "6");
}

static void a_size_that_is_missing_or_wrong_is_refused(void **state)
{
    place *here = *state;
    run(here, MODELS "sumi sample open -q -o a.npy");
    CHECK_FAILED(here, 2,
                 "sumi: sample: the model's config.json has no \"sample_size\"; give the size with "
                 "--size HxW");
    run(here, "sumi interpolate open -q -o a.npy");
    CHECK_FAILED(here, 2,
                 "sumi: interpolate: the model's config.json has no \"sample_size\"; give the size "
                 "with --size HxW");
    run(here, "sumi sample open -q -o a.npy --size 7x8");
    CHECK_FAILED(here, 2,
                 "sumi: this model takes items whose sizes are multiples of 2 up to 1048576, not "
                 "7");
    run(here, "sumi sample digits -q -o a.npy --size 28x32");
    CHECK_FAILED(here, 2,
                 "sumi: this model's items have the size 28 in dimension 1, which cannot become "
                 "32");
    for (int i = 0; i < 5; i++) {
        static const char *const WRONG[] = {"wide", "8x", "8x8x8", "99999999", "8,8"};
        char line[128], sentence[200];
        snprintf(line, sizeof line, "sumi sample open -q -o a.npy --size %s", WRONG[i]);
        snprintf(sentence, sizeof sentence,
                 "sumi: sample: --size is HEIGHTxWIDTH of a picture, such as 32x48, not '%s'\n",
                 WRONG[i]);
        run(here, line);
        assert_string_equal(here->err, sentence);
        assert_int_equal(here->code, 2);
    }
    run(here, "sumi sample open -q --size 4x6 -n 2 --steps 2 -o two.npy && "
              "sumi invert open -q --size 8x8 -i two.npy -o a.npy");
    CHECK_FAILED(here, 1, "sumi: two.npy: its items are 4x6x1, but the model takes 8x8x1");
}

/* A model of two steps on scenes, in the folder "scenes". */
#define TRANSFORMER(kind)                                                                          \
    "sumi train digits --threads 1 -q --set data.kind=shapes data.count=40 data.labels=yes "       \
    "--set model.kind=" kind " model.class_conditional=yes model.patch=4 model.width=16 "          \
    "model.depth=1 model.heads=2 train.label_dropout=0.1 train.steps=2 train.batch=4 "             \
    "sample.count=2 sample.solver=ddim sample.steps=2 --out scenes && "

/* After the training, samples at the model's own size and at another. */
#define CHECK_TRANSFORMER(here, kind)                                                              \
    do {                                                                                           \
        run(here, TRANSFORMER(kind) "sumi sample scenes -n 2 --steps 2 -q -o a.npy && "            \
                                    "sumi sample scenes -n 2 --steps 2 --size 32 -q -o b.npy && "  \
                                    "cmp a.npy b.npy && "                                          \
                                    "sumi sample scenes -n 2 --steps 2 --label 'blue cross' "      \
                                    "--guidance 2 --size 24x40 -q -o c.npy && sumi info c.npy");   \
        CHECK_DONE(here);                                                                          \
        CHECK_HOLDS((here)->out, "[2,24,40,3]");                                                   \
        run(here, "sumi sample scenes -n 2 --steps 2 --size 24x30 -q -o d.npy");                   \
        CHECK_FAILED(here, 2,                                                                      \
                     "sumi: this model takes items whose sizes are multiples of 4 up to 1048576, " \
                     "not 30");                                                                    \
    } while (0)

static void a_transformer_samples_sizes_it_was_not_trained_on(void **state)
{
    place *here = *state;
    CHECK_TRANSFORMER(here, "dit");
}

static void a_transformer_of_two_streams_does_so_too(void **state)
{
    place *here = *state;
    CHECK_TRANSFORMER(here, "mmdit");
}

/* Trained on three aspect ratios, with the pixels of 32 x 32 in each. */
#define FLOW                                                                                       \
    "sumi train mmdit-shapes --threads 1 -q --set latents.auto_encoder= data.count=60 "            \
    "data.heights=32,24,40 "                                                                       \
    "data.widths=32,40,24 model.patch=4 model.width=16 model.depth=1 model.heads=2 train.steps=6 " \
    "train.batch=4 sample.count=2 sample.steps=2 --out flow && "
#define SAMPLE "sumi sample flow -n 2 --steps 4 -q "

static void a_model_of_several_aspect_ratios_samples_a_size_it_was_not_trained_on(void **state)
{
    place *here = *state;
    run(here, FLOW SAMPLE "--size 20x48 -o a.npy && sumi info a.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "[2,20,48,3]");
    run(here, SAMPLE "--size 16x64 -o b.npy && sumi info b.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "[2,16,64,3]");
}

static void the_shift_of_a_flow_follows_the_size_unless_it_should_not(void **state)
{
    place *here = *state;
    run(here, FLOW SAMPLE
        "--size 64 -o a.npy && " SAMPLE
        "--size 64 --set resolution_shift=false shift=2 -o b.npy && cmp a.npy b.npy && " SAMPLE
        "--size 64 --set resolution_shift=false -o c.npy && ! cmp -s a.npy c.npy && " SAMPLE
        "-o d.npy && " SAMPLE "--set resolution_shift=false -o e.npy && cmp d.npy e.npy");
    CHECK_DONE(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(the_size_of_samples_can_be_given),
        PLACE_TEST(the_size_is_that_of_the_items_that_are_read),
        PLACE_TEST(the_likelihood_of_a_model_of_open_size_takes_that_of_the_data_or_of_the_option),
        PLACE_TEST(a_transformer_samples_sizes_it_was_not_trained_on),
        PLACE_TEST(a_transformer_of_two_streams_does_so_too),
        PLACE_TEST(a_model_of_several_aspect_ratios_samples_a_size_it_was_not_trained_on),
        PLACE_TEST(the_shift_of_a_flow_follows_the_size_unless_it_should_not),
        PLACE_TEST(a_size_that_is_missing_or_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
