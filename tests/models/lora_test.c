/* SPDX-License-Identifier: Apache-2.0 */
/* LoRA files in the layouts of diffusers, PEFT and kohya's programs: the weights become
   W + scale (alpha / rank) up down, and files of other models are refused. */
#include "files/safetensors.h"
#include "models/lora_names.h"
#include "scratch.h"
#include "tiny_unet.h"

enum { RANK = 2, SIDE = 32 };

#define QUERY "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"

/* A rank-2 change of a [32, 32] layer and of the first convolution [32, 4, 3, 3]. */
static struct {
    float down[RANK * SIDE], up[SIDE * RANK];
    float conv_down[RANK * 4 * 9], conv_up[SIDE * RANK], alpha;
} change;

static void fill(float *values, int count, int seed)
{
    for (int i = 0; i < count; i++) values[i] = 0.01f * (float)((i * 7 + seed) % 23 - 11);
}

/* Names of the six tensors of a layout. */
struct layout {
    const char *down, *up, *conv_down, *conv_up, *alpha, *conv_alpha;
};

static const struct layout DIFFUSERS = {
    "unet." QUERY ".lora_A.weight", "unet." QUERY ".lora_B.weight", "unet.conv_in.lora_A.weight",
    "unet.conv_in.lora_B.weight",   "unet." QUERY ".alpha",         "unet.conv_in.alpha"};
static const struct layout OLD = {
    "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight",
    "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.up.weight",
    "unet.conv_in.lora.down.weight",
    "unet.conv_in.lora.up.weight",
    "unet." QUERY ".alpha",
    "unet.conv_in.alpha"};
static const struct layout PEFT = {
    "base_model.model." QUERY ".lora_A.weight", "base_model.model." QUERY ".lora_B.weight",
    "base_model.model.conv_in.lora_A.weight",   "base_model.model.conv_in.lora_B.weight",
    "base_model.model." QUERY ".alpha",         "base_model.model.conv_in.alpha"};
static const struct layout KOHYA = {
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight",
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight",
    "lora_unet_conv_in.lora_down.weight",
    "lora_unet_conv_in.lora_up.weight",
    "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.alpha",
    "lora_unet_conv_in.alpha"};

static void write_lora(scratch *room, const struct layout *names, bool alphas)
{
    fill(change.down, RANK * SIDE, 1);
    fill(change.up, SIDE * RANK, 2);
    fill(change.conv_down, RANK * 36, 3);
    fill(change.conv_up, SIDE * RANK, 4);
    change.alpha = 1;
    const safetensors_entry entries[] = {
        {.name = names->down,
         .type = NUMBER_F32,
         .rank = 2,
         .shape = {RANK, SIDE},
         .data = change.down},
        {.name = names->up,
         .type = NUMBER_F32,
         .rank = 2,
         .shape = {SIDE, RANK},
         .data = change.up},
        {.name = names->conv_down,
         .type = NUMBER_F32,
         .rank = 4,
         .shape = {RANK, 4, 3, 3},
         .data = change.conv_down},
        {.name = names->conv_up,
         .type = NUMBER_F32,
         .rank = 4,
         .shape = {SIDE, RANK, 1, 1},
         .data = change.conv_up},
        {.name = names->alpha, .type = NUMBER_F32, .data = &change.alpha},
        {.name = names->conv_alpha, .type = NUMBER_F32, .data = &change.alpha},
    };
    CHECK_OK(room->context, safetensors_write(room->context, scratch_path(room, "lora.safetensors"),
                                              entries, alphas ? 6 : 4, NULL, 0));
}

static sumi_model *make_model(scratch *room)
{
    sumi_model *model = NULL;
    CHECK_OK(room->context, sumi_model_create(room->context, TINY_UNET, 7, &model));
    return model;
}

/* Checks rows [out, in] of a weight against those before and the product of a change. */
static void check_changed(const sumi_model *before, const sumi_model *after, const char *name,
                          const float *up, const float *down, double factor)
{
    sumi_weight old = {.size = sizeof old}, new = {.size = sizeof new};
    assert_true(sumi_model_weight(before, weight_number(before, name), &old));
    assert_true(sumi_model_weight(after, weight_number(after, name), &new));
    int64_t in = weight_count(&old) / SIDE;
    for (int64_t o = 0; o < SIDE; o++) {
        for (int64_t i = 0; i < in; i++) {
            double sum = 0;
            for (int r = 0; r < RANK; r++) sum += (double)up[o * RANK + r] * down[r * in + i];
            CHECK_CLOSE(new.data[o * in + i], old.data[o * in + i] + factor * sum, 1e-6);
        }
    }
}

static void check_layout(scratch *room, const struct layout *names, bool alphas)
{
    sumi_model *before = make_model(room), *after = make_model(room);
    const double factor = 0.5 * (alphas ? 1.0 / RANK : 1.0);
    write_lora(room, names, alphas);
    CHECK_OK(room->context,
             sumi_model_add_lora(after, scratch_path(room, "lora.safetensors"), 0.5));
    check_changed(before, after, QUERY ".weight", change.up, change.down, factor);
    check_changed(before, after, "conv_in.weight", change.conv_up, change.conv_down, factor);
    sumi_weight old = {.size = sizeof old}, new = {.size = sizeof new};
    int64_t other = weight_number(before, "conv_out.weight");
    assert_true(sumi_model_weight(before, other, &old));
    assert_true(sumi_model_weight(after, other, &new));
    assert_memory_equal(old.data, new.data, (size_t)weight_count(&old) * sizeof *old.data);
    sumi_model_free(before);
    sumi_model_free(after);
}

static void layouts_of_diffusers_peft_and_kohya_change_the_same_weights(void **state)
{
    scratch *room = *state;
    check_layout(room, &DIFFUSERS, false);
    check_layout(room, &DIFFUSERS, true);
    check_layout(room, &OLD, false);
    check_layout(room, &PEFT, false);
    check_layout(room, &KOHYA, true);
}

static void several_files_add_up(void **state)
{
    scratch *room = *state;
    sumi_model *before = make_model(room), *after = make_model(room);
    write_lora(room, &DIFFUSERS, false);
    const char *path = scratch_path(room, "lora.safetensors");
    CHECK_OK(room->context, sumi_model_add_lora(after, path, 0.75));
    CHECK_OK(room->context, sumi_model_add_lora(after, path, -0.25));
    check_changed(before, after, QUERY ".weight", change.up, change.down, 0.5);
    sumi_model_free(before);
    sumi_model_free(after);
}

static void check_refused(scratch *room, const char *reason)
{
    sumi_model *before = make_model(room), *model = make_model(room);
    char expected[SCRATCH_PATH + 1024];
    assert_int_equal(sumi_model_add_lora(model, scratch_path(room, "lora.safetensors"), 1),
                     SUMI_ERROR_FORMAT);
    snprintf(expected, sizeof expected, "%s: is a LoRA of another model: %s", room->path, reason);
    assert_string_equal(sumi_context_message(room->context), expected);
    write_lora(room, &DIFFUSERS, false);
    check_changed(before, model, QUERY ".weight", change.up, change.down, 0);
    sumi_model_free(before);
    sumi_model_free(model);
}

static void files_of_another_model_say_which_tensors_do_not_fit(void **state)
{
    scratch *room = *state;
    struct layout names = DIFFUSERS;
    names.down = "unet.down_blocks.9.attn.to_q.lora_A.weight";
    names.up = "unet.down_blocks.9.attn.to_q.lora_B.weight";
    write_lora(room, &names, false);
    check_refused(room,
                  "2 of its 4 tensors do not fit: \"unet.down_blocks.9.attn.to_q.lora_A.weight\" "
                  "(the model has no such layer), \"unet.down_blocks.9.attn.to_q.lora_B.weight\" "
                  "(the model has no such layer)");
    names = DIFFUSERS;
    names.conv_up = "unet.conv_in.hada_w1_a";
    write_lora(room, &names, false);
    check_refused(room,
                  "2 of its 4 tensors do not fit: \"unet.conv_in.hada_w1_a\" (is no part of a "
                  "LoRA), \"unet.conv_in.lora_A.weight\" (its other half is missing)");
    names = DIFFUSERS;
    names.down = "unet.down_blocks.0.downsamplers.0.conv.lora_A.weight";
    names.up = "unet.down_blocks.0.downsamplers.0.conv.lora_B.weight";
    write_lora(room, &names, false);
    check_refused(
        room, "1 of its 4 tensors do not fit: "
              "\"unet.down_blocks.0.downsamplers.0.conv.lora_B.weight\" ([32, 2] and [2, 32] for "
              "a layer of [32, 32, 3, 3])");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(layouts_of_diffusers_peft_and_kohya_change_the_same_weights),
        SCRATCH_TEST(several_files_add_up),
        SCRATCH_TEST(files_of_another_model_say_which_tensors_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
