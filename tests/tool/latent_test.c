/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on models over latents: people give and get pictures. */
#include "arrays.h"

#define CODER                                                                                      \
    "{\"_class_name\": \"AutoencoderKL\", \"latent_channels\": 2, \"block_out_channels\": [8, 8]," \
    " \"norm_num_groups\": 4, \"in_channels\": 1, \"out_channels\": 1, \"down_block_types\":"      \
    " [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"], \"up_block_types\":"                       \
    " [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]}"
#define TRAIN                                                                                      \
    "sumi train digits --threads 1 --set train.steps=1 train.batch=4 data.count=10 "               \
    "sample.solver=ddim sample.steps=2 sample.count=2 model.channels=8,8 model.groups=4 "          \
    "noise.clip=no latents.auto_encoder=ae latents.folder=cache latents.file_items=4 --out run "

/* Training on a hundred files of latents. */
#define ENCODE_ARGUMENTS(name)                                                                     \
    " train digits --threads 1 -q --set train.steps=1 train.batch=4 data.count=400 "               \
    "sample.solver=ddim sample.steps=2 sample.count=2 model.channels=8,8 model.groups=4 "          \
    "noise.clip=no latents.auto_encoder=ae latents.file_items=4 latents.folder=" name              \
    "-cache --out " name " "
#define ENCODE(name) "sumi" ENCODE_ARGUMENTS(name)

static void save_coder(const place *here, uint64_t seed)
{
    save_auto_encoder(here, "ae", CODER, seed);
}

static void check_pictures(const place *here, const char *name, int64_t count)
{
    sumi_array array = read_array(here, name);
    assert_int_equal(array.rank, 4);
    assert_int_equal(array.shape[0], count);
    assert_int_equal(array.shape[1], 28);
    assert_int_equal(array.shape[3], 1);
    free(array.data);
}

static void a_training_on_latents_says_so_and_draws_pictures(void **state)
{
    place *here = *state;
    save_coder(here, 1);
    run(here, TRAIN "&& ls run/vqvae run/unet cache && sumi sample run -n 3 -o s.npy -q "
                    "--filmstrip f.png");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "latents  of 10 pictures by ");
    CHECK_HOLDS(here->out, "10 items of 14x14x2");
    CHECK_HOLDS(here->out, "latents-00002.safetensors");
    CHECK_HOLDS(here->out, "diffusion_pytorch_model.safetensors");
    check_pictures(here, "s.npy", 3);
}

static void a_training_resumes_with_the_latents_that_are_there(void **state)
{
    place *here = *state;
    save_coder(here, 1);
    run(here, TRAIN "-q && rm cache/latents-00001.safetensors && "
                    "sumi train --out run --resume --set train.steps=2 -q --threads 1 && ls cache");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "latents-00001.safetensors");
    save_coder(here, 2);
    run(here, "sumi train --out run --resume --set train.steps=3 -q --threads 1");
    assert_int_equal(here->code, 1);
    CHECK_HOLDS(here->err, "holds latents of another auto-encoder");
}

/* Killed at many moments of the encoding and gone on with, the files are those of an encoding that
   was not. */
static void an_encoding_killed_many_times_ends_with_the_same_files(void **state)
{
    place *here = *state;
    save_coder(here, 1);
    run(here, ENCODE("whole") " && ls whole-cache | wc -l");
    CHECK_DONE(here);
    assert_string_equal(here->out, "100\n");
    run(here, "killed=0\n"
              "for wait in 0.03 0.05 0.02 0.06 0.01 0.04 0.03 0.07 0.02 0.05; do\n"
              "rm -rf run; before=$(ls run-cache 2>/dev/null | wc -l)\n"
              "\"$SUMI\"" ENCODE_ARGUMENTS("run") "&\n"
                                                  "pid=$!\n"
                                                  "until [ $(ls run-cache 2>/dev/null | wc -l) -gt "
                                                  "$before ] || ! kill -0 $pid; do\n"
                                                  "sleep 0.005; done\n"
                                                  "sleep $wait; kill -9 $pid; wait $pid; [ $? -eq "
                                                  "137 ] && killed=$((killed + 1))\n"
                                                  "done 2>/dev/null\n"
                                                  "[ $killed -ge 2 ] && rm -rf run && " ENCODE(
                                                      "run") " && diff -r whole-cache run-cache");
    CHECK_DONE(here);
}

static void commands_take_and_give_pictures(void **state)
{
    place *here = *state;
    save_coder(here, 1);
    run(here, TRAIN "-q && sumi sample run -n 2 -o two.npy -q && "
                    "sumi inpaint run -n 1 --draws 2 --steps 2 -o filled.npy -q && "
                    "sumi inpaint run -n 1 --draws 2 --steps 2 -o filled.png -q && "
                    "sumi invert run -i two.npy --steps 2 -o noise.npy -q && "
                    "sumi sample run --latents noise.npy --solver ddim --steps 2 -o back.npy -q && "
                    "sumi sample run --from two.npy --steps 2 -o from.npy -q && "
                    "sumi interpolate run -i two.npy --frames 3 --steps 2 -o between.npy -q && "
                    "sumi denoise run --steps 2 -n 1 -o denoised.png && ls denoised.png");
    CHECK_DONE(here);
    check_pictures(here, "filled.npy", 2);
    check_pictures(here, "back.npy", 2);
    check_pictures(here, "from.npy", 2);
    check_pictures(here, "between.npy", 3);
    sumi_array noise = read_array(here, "noise.npy");
    assert_int_equal(noise.shape[1], 14); /* noise is of latents */
    free(noise.data);
}

static void what_makes_no_sense_for_latents_is_refused(void **state)
{
    place *here = *state;
    save_coder(here, 1);
    run(here, TRAIN "-q");
    CHECK_DONE(here);
    run(here, "sumi likelihood run");
    CHECK_FAILED(here, 1,
                 "sumi: likelihood: run is a model of latents, and the likelihood of latents is "
                 "not that of the pictures, so there is none to measure");
    run(here, "sumi inpaint run -n 1 --grey -o grey.npy");
    assert_int_equal(here->code, 2);
    run(here, "sumi sample run --latents cache -o s.npy");
    assert_true(here->code != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_training_on_latents_says_so_and_draws_pictures),
        PLACE_TEST(a_training_resumes_with_the_latents_that_are_there),
        PLACE_TEST(an_encoding_killed_many_times_ends_with_the_same_files),
        PLACE_TEST(commands_take_and_give_pictures),
        PLACE_TEST(what_makes_no_sense_for_latents_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
