/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints in one file, with the original names: they have the config and the weights of the
   model that they were written from. */
#include "files/safetensors.h"
#include "scratch.h"
#include "tiny_unet.h"

#define TINY_VAE                                                                                   \
    "{\"_class_name\": \"AutoencoderKL\", \"in_channels\": 3, \"out_channels\": 3, "               \
    "\"latent_channels\": 4, \"layers_per_block\": 1, \"sample_size\": 128, "                      \
    "\"scaling_factor\": 0.18215, \"block_out_channels\": [32, 64], "                              \
    "\"use_quant_conv\": true, \"use_post_quant_conv\": true, "                                    \
    "\"down_block_types\": [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"], "                     \
    "\"up_block_types\": [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]}"

enum { TENSORS = 512, NAME = 200 };

static struct {
    char names[TENSORS][NAME];
    safetensors_entry entries[TENSORS];
    size_t count;
} file;

/* Pieces of diffusers' names and of the original ones, in the order in which they are replaced. */
static const char *const UNET_PIECES[][2] = {
    {"down_blocks.0.downsamplers.0.conv.", "input_blocks.2.0.op."},
    {"down_blocks.0.resnets.0.", "input_blocks.1.0."},
    {"down_blocks.0.attentions.0.", "input_blocks.1.1."},
    {"down_blocks.1.resnets.0.", "input_blocks.3.0."},
    {"mid_block.resnets.0.", "middle_block.0."},
    {"mid_block.attentions.0.", "middle_block.1."},
    {"mid_block.resnets.1.", "middle_block.2."},
    {"up_blocks.0.resnets.0.", "output_blocks.0.0."},
    {"up_blocks.0.resnets.1.", "output_blocks.1.0."},
    {"up_blocks.0.upsamplers.0.conv.", "output_blocks.1.1.conv."},
    {"up_blocks.1.resnets.0.", "output_blocks.2.0."},
    {"up_blocks.1.attentions.0.", "output_blocks.2.1."},
    {"up_blocks.1.resnets.1.", "output_blocks.3.0."},
    {"up_blocks.1.attentions.1.", "output_blocks.3.1."},
    {"time_embedding.linear_1.", "time_embed.0."},
    {"time_embedding.linear_2.", "time_embed.2."},
    {"conv_norm_out.", "out.0."},
    {"conv_out.", "out.2."},
    {"conv_in.", "input_blocks.0.0."},
    {".0.time_emb_proj.", ".0.emb_layers.1."},
    {".2.time_emb_proj.", ".2.emb_layers.1."},
    {".0.norm1.", ".0.in_layers.0."},
    {".2.norm1.", ".2.in_layers.0."},
    {".0.norm2.", ".0.out_layers.0."},
    {".2.norm2.", ".2.out_layers.0."},
    {".conv1.", ".in_layers.2."},
    {".conv2.", ".out_layers.3."},
    {".conv_shortcut.", ".skip_connection."},
    {NULL, NULL}};

static const char *const VAE_PIECES[][2] = {
    {"down_blocks.0.resnets.0.", "down.0.block.0."},
    {"down_blocks.1.resnets.0.", "down.1.block.0."},
    {"down_blocks.0.downsamplers.0.", "down.0.downsample."},
    {"up_blocks.0.resnets.", "up.1.block."},
    {"up_blocks.1.resnets.", "up.0.block."},
    {"up_blocks.0.upsamplers.0.", "up.1.upsample."},
    {"mid_block.resnets.0.", "mid.block_1."},
    {"mid_block.resnets.1.", "mid.block_2."},
    {"mid_block.attentions.0.group_norm.", "mid.attn_1.norm."},
    {"mid_block.attentions.0.to_out.0.", "mid.attn_1.proj_out."},
    {"mid_block.attentions.0.to_", "mid.attn_1."},
    {"conv_norm_out.", "norm_out."},
    {".conv_shortcut.", ".nin_shortcut."},
    {NULL, NULL}};

static void replace(char *name, const char *const piece[2])
{
    char rest[NAME];
    char *place = strstr(name, piece[0]);
    if (!place) return;
    snprintf(rest, sizeof rest, "%s", place + strlen(piece[0]));
    snprintf(place, (size_t)(NAME - (place - name)), "%s%s", piece[1], rest);
}

/* Whether the name is one of a transformer block, whose norms have the same names in both. */
static bool is_block(const char *name)
{
    return strstr(name, "transformer_blocks") != NULL;
}

static void add_weight(const sumi_weight *weight, const char *prefix,
                       const char *const (*pieces)[2])
{
    char *name = file.names[file.count];
    char renamed[NAME];
    snprintf(renamed, NAME, "%s", weight->name);
    for (; (*pieces)[0]; pieces++)
        if (!is_block(renamed) || strchr((*pieces)[0], '_')) replace(renamed, *pieces);
    assert_true(snprintf(name, NAME, "%s%s", prefix, renamed) < NAME);
    safetensors_entry *entry = &file.entries[file.count++];
    assert_true(file.count < TENSORS);
    *entry = (safetensors_entry){
        .name = name, .type = NUMBER_F32, .rank = weight->rank, .data = weight->data};
    memcpy(entry->shape, weight->shape, sizeof entry->shape);
    /* the original has these matrices as 1x1 convolutions */
    if (strstr(name, "attn_1.") && entry->rank == 2) {
        entry->shape[2] = entry->shape[3] = 1;
        entry->rank = 4;
    }
}

/* A model and an auto-encoder as one file, x.safetensors, with tensors that nothing needs. */
static void write_checkpoint(scratch *room, const sumi_model *model, sumi_auto_encoder *vae)
{
    static const float decay = 0.5f;
    sumi_weight weight = {.size = sizeof weight};
    file.count = 0;
    for (int64_t i = 0; sumi_model_weight(model, i, &weight); i++)
        add_weight(&weight, "model.diffusion_model.", UNET_PIECES);
    for (int64_t i = 0; vae && sumi_auto_encoder_weight(vae, i, &weight); i++)
        add_weight(&weight, "first_stage_model.", VAE_PIECES);
    file.entries[file.count++] =
        (safetensors_entry){.name = "model_ema.decay", .type = NUMBER_F32, .data = &decay};
    CHECK_OK(room->context, safetensors_write(room->context, scratch_path(room, "x.safetensors"),
                                              file.entries, file.count, NULL, 0));
}

static void check_same(const sumi_weight *old, const sumi_weight *new)
{
    assert_string_equal(old->name, new->name);
    assert_int_equal(old->rank, new->rank);
    assert_memory_equal(old->shape, new->shape, (size_t)old->rank * sizeof *old->shape);
    assert_memory_equal(old->data, new->data, (size_t)weight_count(old) * sizeof *old->data);
}

static void a_checkpoint_has_the_config_and_weights_of_its_model(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL, *opened = NULL;
    sumi_auto_encoder *vae = NULL, *part = NULL;
    sumi_auto_encoder_info info = {.size = sizeof info}, own = {.size = sizeof own};
    sumi_weight old = {.size = sizeof old}, new = {.size = sizeof new};
    CHECK_OK(room->context, sumi_model_create(room->context, TINY_UNET, 7, &model));
    CHECK_OK(room->context, sumi_auto_encoder_create(room->context, TINY_VAE, 8, &vae));
    write_checkpoint(room, model, vae);
    CHECK_OK(room->context, sumi_model_open(room->context, room->path, &opened));
    assert_string_equal(sumi_model_config(opened), sumi_model_config(model));
    int64_t weights = 0;
    for (; sumi_model_weight(model, weights, &old); weights++) {
        assert_true(sumi_model_weight(opened, weights, &new));
        check_same(&old, &new);
    }
    assert_false(sumi_model_weight(opened, weights, &new));
    CHECK_OK(room->context, sumi_auto_encoder_of(room->context, opened, &part));
    sumi_auto_encoder_describe(part, &info);
    sumi_auto_encoder_describe(vae, &own);
    assert_string_equal(info.config, own.config);
    assert_string_equal(sumi_auto_encoder_fingerprint(part), sumi_auto_encoder_fingerprint(vae));
    assert_non_null(strstr(sumi_model_scheduler(opened), "\"PNDMScheduler\""));
    assert_non_null(strstr(sumi_model_scheduler(opened), "\"beta_end\": 0.012"));
    sumi_auto_encoder_free(part);
    sumi_auto_encoder_free(vae);
    sumi_model_free(opened);
    sumi_model_free(model);
}

static void check_refused(scratch *room, const char *name, sumi_status status, const char *reason)
{
    sumi_model *opened = NULL;
    char expected[SCRATCH_PATH + 1024];
    const char *path = scratch_path(room, name);
    assert_int_equal(sumi_model_open(room->context, path, &opened), status);
    assert_null(opened);
    snprintf(expected, sizeof expected, "%s: %s", path, reason);
    assert_string_equal(sumi_context_message(room->context), expected);
}

static void files_that_are_no_checkpoint_are_refused(void **state)
{
    scratch *room = *state;
    static const float number = 1;
    const safetensors_entry entry = {.name = "w", .type = NUMBER_F32, .data = &number};
    CHECK_OK(room->context, safetensors_write(room->context, scratch_path(room, "x.safetensors"),
                                              &entry, 1, NULL, 0));
    check_refused(room, "x.safetensors", SUMI_ERROR_FORMAT,
                  "has no U-Net of Stable Diffusion 1.x, 2.x or XL: there is no tensor "
                  "\"model.diffusion_model.input_blocks.0.0.weight\"");
    FILE *old = fopen(scratch_path(room, "old.ckpt"), "wb");
    assert_non_null(old);
    fwrite("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 1, 15, old);
    fclose(old);
    check_refused(room, "old.ckpt", SUMI_ERROR_UNSUPPORTED,
                  "is a pickle of PyTorch before version 1.6; save it again with a newer PyTorch: "
                  "torch.save(torch.load(file), file)");
    sumi_model *model = NULL;
    CHECK_OK(room->context, sumi_model_create(room->context, TINY_UNET, 7, &model));
    write_checkpoint(room, model, NULL);
    sumi_model_free(model);
}

static void a_missing_tensor_is_named(void **state)
{
    scratch *room = *state;
    sumi_model *model = NULL;
    CHECK_OK(room->context, sumi_model_create(room->context, TINY_UNET, 7, &model));
    write_checkpoint(room, model, NULL);
    for (size_t i = 0; i < file.count; i++)
        if (strstr(file.names[i], "middle_block.0.in_layers.2.bias"))
            file.entries[i] = file.entries[--file.count];
    CHECK_OK(room->context, safetensors_write(room->context, scratch_path(room, "x.safetensors"),
                                              file.entries, file.count, NULL, 0));
    check_refused(room, "x.safetensors", SUMI_ERROR_FORMAT,
                  "tensor \"mid_block.resnets.0.conv1.bias\", which config.json requires, is "
                  "missing");
    sumi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_checkpoint_has_the_config_and_weights_of_its_model),
        SCRATCH_TEST(files_that_are_no_checkpoint_are_refused),
        SCRATCH_TEST(a_missing_tensor_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
