/* SPDX-License-Identifier: Apache-2.0 */
/* LoRA files for the command: sampling with them, and merging them into a folder. */
#include "files/safetensors.h"
#include "running.h"

enum { CHANNELS = 8, RANK = 2, TAPS = 9 };

#define DIGITS                                                                                     \
    "sumi train digits --threads 1 -q --set train.steps=2 --set train.batch=4 --set "              \
    "data.count=64 "                                                                               \
    "--set sample.solver=ddim --set sample.steps=3 --set sample.count=2 "                          \
    "--set model.channels=8,16 --out digits\n"

/* Writes lora.safetensors: a change of rank 2 of a layer with 8 output channels. */
static void write_lora(const place *here, const char *layer)
{
    sumi_context *context = NULL;
    char path[128], names[2][96];
    float down[RANK * TAPS], up[CHANNELS * RANK];
    for (int i = 0; i < RANK * TAPS; i++) down[i] = 0.1f * (float)(i % 5 - 2);
    for (int i = 0; i < CHANNELS * RANK; i++) up[i] = 0.1f * (float)(i % 7 - 3);
    snprintf(path, sizeof path, "%s/lora.safetensors", here->folder);
    snprintf(names[0], sizeof names[0], "unet.%s.lora_A.weight", layer);
    snprintf(names[1], sizeof names[1], "unet.%s.lora_B.weight", layer);
    const safetensors_entry entries[] = {
        {.name = names[0], .type = NUMBER_F32, .rank = 4, .shape = {RANK, 1, 3, 3}, .data = down},
        {.name = names[1],
         .type = NUMBER_F32,
         .rank = 4,
         .shape = {CHANNELS, RANK, 1, 1},
         .data = up},
    };
    assert_int_equal(sumi_context_create(NULL, &context), SUMI_OK);
    CHECK_OK(context, safetensors_write(context, path, entries, 2, NULL, 0));
    sumi_context_free(context);
}

static void samples_with_a_lora_are_those_of_the_merged_model(void **state)
{
    place *here = *state;
    write_lora(here, "conv_in");
    run(here, DIGITS "sumi sample digits -o plain.npy -q && "
                     "sumi sample digits --lora lora.safetensors:0.5 -o half.npy -q && "
                     "sumi sample digits --lora lora.safetensors:0 -o none.npy -q && "
                     "sumi merge digits --lora lora.safetensors:0.5 --lora lora.safetensors:0 "
                     "-o merged && cp digits/recipe.ini merged && "
                     "sumi sample merged -o merged.npy -q && cmp plain.npy none.npy && "
                     "cmp half.npy merged.npy && ! cmp -s plain.npy half.npy");
    CHECK_DONE(here);
    CHECK_HOLDS(here->out, "merged: the model of digits with lora.safetensors:0.5, "
                           "lora.safetensors:0\n");
}

static void a_lora_is_one_of_the_settings_in_a_picture(void **state)
{
    place *here = *state;
    write_lora(here, "conv_in");
    run(here, DIGITS "sumi sample digits --lora lora.safetensors:0.5 -o a.png -q && "
                     "sumi sample digits --like a.png -o b.png -q && cmp a.png b.png && "
                     "sumi info a.png");
    CHECK_DONE(here);
    assert_string_equal(here->err, "");
    CHECK_HOLDS(here->out, "[\"lora.safetensors:0.5\"]");
}

static void wrong_wishes_are_refused(void **state)
{
    place *here = *state;
    write_lora(here, "mid_block.attn");
    run(here, DIGITS "sumi sample digits --lora lora.safetensors -o a.npy");
    CHECK_FAILED(here, 1,
                 "sumi: lora.safetensors: is a LoRA of another model: 2 of its 2 tensors do not "
                 "fit: \"unet.mid_block.attn.lora_A.weight\" (the model has no such layer), "
                 "\"unet.mid_block.attn.lora_B.weight\" (the model has no such layer)");
    run(here, "sumi sample digits --lora lora.safetensors:much -o a.npy");
    CHECK_FAILED(here, 2,
                 "sumi: sample: the SCALE of --lora must be a number from -100 to 100, "
                 "not 'much'");
    run(here, "sumi sample digits --lora nowhere.safetensors -o a.npy");
    CHECK_FAILED(here, 1, "sumi: nowhere.safetensors: cannot open: No such file or directory");
    run(here, "sumi merge digits");
    CHECK_FAILED(here, 2, "sumi: merge needs -o FOLDER; see `sumi merge --help`");
    run(here, "sumi merge digits -o digits");
    CHECK_FAILED(here, 1, "sumi: digits: there is a model already; choose another folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(samples_with_a_lora_are_those_of_the_merged_model),
        PLACE_TEST(a_lora_is_one_of_the_settings_in_a_picture),
        PLACE_TEST(wrong_wishes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
