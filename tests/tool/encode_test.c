/* SPDX-License-Identifier: Apache-2.0 */
/* sumi encode and sumi decode: pictures to latents and back, and what is refused. */
#include <math.h>

#include "arrays.h"

#define BLOCKS                                                                                     \
    "\"block_out_channels\": [8, 16], \"norm_num_groups\": 4, \"down_block_types\":"               \
    " [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"], \"up_block_types\":"                       \
    " [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"], \"sample_size\": 16, \"latent_channels\": 2"
#define CONFIG "{\"_class_name\": \"AutoencoderKL\", " BLOCKS "}"

static void save(const place *here, const char *name, uint64_t seed)
{
    save_auto_encoder(here, name, CONFIG, seed);
}

/* A picture of waves. */
static void paint(const place *here, const char *name, int64_t height, int64_t width,
                  int64_t channels)
{
    float *values = calloc((size_t)(height * width * channels), sizeof *values);
    sumi_array picture = {3, {height, width, channels}, values};
    for (int64_t i = 0; i < height * width * channels; i++)
        values[i] = (float)sin(0.05 * (double)i);
    write_array(here, name, &picture);
    free(values);
}

static void pictures_become_latents_and_pictures_again(void **state)
{
    place *here = *state;
    save(here, "vae", 1);
    paint(here, "a.png", 16, 24, 3);
    paint(here, "b.png", 16, 24, 1); /* grey, for an auto-encoder of colours */
    run(here, "sumi encode vae a.png b.png -o z.safetensors --threads 1 --psnr && "
              "sumi decode vae z.safetensors -o out.npy --threads 1 && sumi info vae && "
              "sumi decode vae z.safetensors -o out.png -q && ls out.png");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "z.safetensors: latents of 2 pictures, 8x12x2 each");
    CHECK_HOLDS(here->out, "decoded again: PSNR");
    CHECK_HOLDS(here->out, "out.npy: 2 pictures of 16x24x3");
    CHECK_HOLDS(here->out, "auto-encoder");
    sumi_array pictures = read_array(here, "out.npy");
    assert_int_equal(pictures.shape[0], 2);
    assert_int_equal(pictures.shape[2], 24);
    free(pictures.data);
}

static void the_difference_that_tiles_make_is_printed(void **state)
{
    place *here = *state;
    save(here, "vae", 1);
    paint(here, "a.png", 40, 24, 3);
    run(here, "sumi encode vae a.png -o z.safetensors --threads 1 -q && "
              "sumi decode vae z.safetensors --tile 16 --difference -o a.npy --threads 1 --json && "
              "sumi decode vae z.safetensors -o b.npy --threads 1 -q");
    CHECK_DONE(here);
    sumi_array tiled = read_array(here, "a.npy"), whole = read_array(here, "b.npy");
    double rms = distance_of(sumi_array_count(&tiled), tiled.data, whole.data);
    const char *member = strstr(here->out, "\"rms\"");
    assert_non_null(member);
    double printed = strtod(strchr(member, ':') + 1, NULL);
    assert_true(rms > 0);
    if (fabs(printed - rms) > 1e-4 * rms) fail_msg("printed %g, found %g", printed, rms);
    free(tiled.data);
    free(whole.data);
}

static void draws_need_the_posterior_and_are_keyed_by_the_seed(void **state)
{
    place *here = *state;
    save(here, "vae", 1);
    paint(here, "a.png", 16, 16, 3);
    run(here, "for s in 1 1 2; do sumi encode vae a.png --sample --seed $s -q --threads 1 -o "
              "z$((n = n + 1)).safetensors || exit; done; cmp z1.safetensors z2.safetensors && "
              "! cmp -s z1.safetensors z3.safetensors");
    CHECK_DONE(here);
    run(here, "sumi encode vae a.png --seed 1 -o z.safetensors");
    CHECK_FAILED(here, 2, "sumi: encode: --seed keys the noise of --sample, which is not given");
}

static void latents_of_another_auto_encoder_are_refused(void **state)
{
    place *here = *state;
    save(here, "vae", 1);
    save(here, "other", 2);
    paint(here, "a.png", 16, 16, 3);
    run(here,
        "sumi encode vae a.png -o z.safetensors -q && sumi decode other z.safetensors -o a.npy");
    assert_int_equal(here->code, 1);
    CHECK_HOLDS(here->err, "z.safetensors: holds latents of another auto-encoder");
    run(here, "sumi decode vae vae/diffusion_pytorch_model.safetensors -o a.npy");
    assert_int_equal(here->code, 1);
    CHECK_HOLDS(here->err, "there should be a tensor \"latents\"");
}

static void what_cannot_be_encoded_is_refused(void **state)
{
    place *here = *state;
    save(here, "vae", 1);
    paint(here, "odd.png", 15, 16, 3);
    paint(here, "a.png", 16, 16, 3);
    paint(here, "b.png", 16, 18, 3);
    run(here, "sumi encode vae odd.png -o z.safetensors");
    CHECK_FAILED(here, 1,
                 "sumi: pictures of 15x16 cannot be encoded: height and width should be multiples "
                 "of 2, such as 16x16");
    run(here, "sumi encode vae a.png b.png -o z.safetensors");
    CHECK_FAILED(here, 1, "sumi: b.png: is of 16x18x3, but the pictures before are of 16x16x3");
    run(here, "sumi encode vae a.png -o z.npy");
    CHECK_FAILED(here, 2, "sumi: encode: z.npy should end in .safetensors");
    run(here, "sumi encode vae a.png --tile 12 -o z.safetensors");
    CHECK_FAILED(here, 2,
                 "sumi: tiles of this auto-encoder should have a multiple of 8 pixels to a side, "
                 "not 12");
    run(here, "sumi decode vae z.safetensors --difference -o a.png");
    CHECK_FAILED(here, 2,
                 "sumi: decode: --difference compares --tile with no tiles; say the side "
                 "of a tile");
    run(here, "sumi encode nowhere a.png -o z.safetensors");
    CHECK_FAILED(here, 1, "sumi: nowhere: there is no such folder of an auto-encoder");
}

static void a_reconstruction_of_other_channels_is_not_compared(void **state)
{
    place *here = *state;
    save_auto_encoder(here, "vae",
                      "{\"_class_name\": \"AutoencoderKL\", \"out_channels\": 1, " BLOCKS "}", 1);
    paint(here, "a.png", 16, 16, 3);
    run(here, "sumi encode vae a.png --psnr -o z.safetensors");
    CHECK_FAILED(here, 2,
                 "sumi: encode: --psnr compares pictures with their reconstruction, but this "
                 "auto-encoder encodes 3 channels and decodes 1");
    run(here, "sumi encode vae a.png -q -o z.safetensors && ls z.safetensors");
    CHECK_DONE(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(pictures_become_latents_and_pictures_again),
        PLACE_TEST(the_difference_that_tiles_make_is_printed),
        PLACE_TEST(draws_need_the_posterior_and_are_keyed_by_the_seed),
        PLACE_TEST(latents_of_another_auto_encoder_are_refused),
        PLACE_TEST(a_reconstruction_of_other_channels_is_not_compared),
        PLACE_TEST(what_cannot_be_encoded_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
