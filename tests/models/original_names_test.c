/* SPDX-License-Identifier: Apache-2.0 */
/* Names of tensors in single-file checkpoints and in diffusers' folders, as its script
   convert_original_stable_diffusion_to_diffusers maps them. */
#include "models/original_names.h"

#include "check.h"

static const struct original_sizes SIZES = {.unet_layers = 2, .vae_levels = 4};

static void check_name(const char *tensor, enum original_part part, const char *name)
{
    struct original_name renamed;
    original_rename(&SIZES, tensor, &renamed);
    if (renamed.part != part || strcmp(renamed.name, name) != 0)
        fail_msg("%s became \"%s\" of part %d, not \"%s\"", tensor, renamed.name, renamed.part,
                 name);
}

#define UNET(OLD, NEW) check_name("model.diffusion_model." OLD, ORIGINAL_UNET, NEW)
#define VAE(OLD, NEW) check_name("first_stage_model." OLD, ORIGINAL_VAE, NEW)

static void names_of_the_unet_are_those_of_diffusers(void **state)
{
    (void)state;
    UNET("time_embed.0.weight", "time_embedding.linear_1.weight");
    UNET("time_embed.2.bias", "time_embedding.linear_2.bias");
    UNET("label_emb.0.2.weight", "add_embedding.linear_2.weight");
    UNET("input_blocks.0.0.weight", "conv_in.weight");
    UNET("out.0.weight", "conv_norm_out.weight");
    UNET("out.2.bias", "conv_out.bias");
    UNET("input_blocks.1.0.in_layers.0.weight", "down_blocks.0.resnets.0.norm1.weight");
    UNET("input_blocks.2.0.emb_layers.1.bias", "down_blocks.0.resnets.1.time_emb_proj.bias");
    UNET("input_blocks.2.1.transformer_blocks.0.attn1.to_q.weight",
         "down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q.weight");
    UNET("input_blocks.3.0.op.weight", "down_blocks.0.downsamplers.0.conv.weight");
    UNET("input_blocks.4.0.skip_connection.weight", "down_blocks.1.resnets.0.conv_shortcut.weight");
    UNET("input_blocks.11.0.out_layers.3.weight", "down_blocks.3.resnets.1.conv2.weight");
    UNET("middle_block.0.in_layers.2.weight", "mid_block.resnets.0.conv1.weight");
    UNET("middle_block.1.proj_in.weight", "mid_block.attentions.0.proj_in.weight");
    UNET("middle_block.2.out_layers.0.bias", "mid_block.resnets.1.norm2.bias");
    UNET("output_blocks.0.0.in_layers.0.weight", "up_blocks.0.resnets.0.norm1.weight");
    UNET("output_blocks.2.1.conv.weight", "up_blocks.0.upsamplers.0.conv.weight");
    UNET("output_blocks.5.2.conv.bias", "up_blocks.1.upsamplers.0.conv.bias");
    UNET("output_blocks.11.1.norm.weight", "up_blocks.3.attentions.2.norm.weight");
    check_name("input_blocks.0.0.weight", ORIGINAL_UNET, "conv_in.weight");
}

static void names_of_the_auto_encoder_are_those_of_diffusers(void **state)
{
    (void)state;
    VAE("encoder.conv_in.weight", "encoder.conv_in.weight");
    VAE("encoder.norm_out.weight", "encoder.conv_norm_out.weight");
    VAE("encoder.down.1.block.0.nin_shortcut.weight",
        "encoder.down_blocks.1.resnets.0.conv_shortcut.weight");
    VAE("encoder.down.2.downsample.conv.bias", "encoder.down_blocks.2.downsamplers.0.conv.bias");
    VAE("encoder.mid.block_1.norm1.weight", "encoder.mid_block.resnets.0.norm1.weight");
    VAE("encoder.mid.attn_1.norm.weight", "encoder.mid_block.attentions.0.group_norm.weight");
    VAE("decoder.mid.attn_1.q.weight", "decoder.mid_block.attentions.0.to_q.weight");
    VAE("decoder.mid.attn_1.proj_out.bias", "decoder.mid_block.attentions.0.to_out.0.bias");
    VAE("decoder.mid.block_2.conv2.weight", "decoder.mid_block.resnets.1.conv2.weight");
    VAE("decoder.up.3.block.2.conv1.weight", "decoder.up_blocks.0.resnets.2.conv1.weight");
    VAE("decoder.up.1.upsample.conv.weight", "decoder.up_blocks.2.upsamplers.0.conv.weight");
    VAE("quant_conv.weight", "quant_conv.weight");
    VAE("post_quant_conv.bias", "post_quant_conv.bias");
}

static void names_of_text_encoders_are_those_of_transformers(void **state)
{
    (void)state;
    check_name("cond_stage_model.transformer.text_model.final_layer_norm.bias", ORIGINAL_TEXT,
               "text_model.final_layer_norm.bias");
    check_name("conditioner.embedders.0.transformer.text_model.encoder.layers.3.mlp.fc1.weight",
               ORIGINAL_TEXT, "text_model.encoder.layers.3.mlp.fc1.weight");
    check_name("cond_stage_model.model.transformer.resblocks.7.ln_2.weight", ORIGINAL_TEXT,
               "text_model.encoder.layers.7.layer_norm2.weight");
    check_name("cond_stage_model.model.transformer.resblocks.7.mlp.c_proj.bias", ORIGINAL_TEXT,
               "text_model.encoder.layers.7.mlp.fc2.bias");
    check_name("cond_stage_model.model.positional_embedding", ORIGINAL_TEXT,
               "text_model.embeddings.position_embedding.weight");
    check_name("cond_stage_model.model.transformer.resblocks.0.attn.in_proj_bias", ORIGINAL_TEXT,
               "text_model.encoder.layers.0.self_attn.*.bias");
    check_name("conditioner.embedders.1.model.text_projection", ORIGINAL_TEXT_2,
               "text_projection.weight");
    struct original_name renamed;
    original_rename(&SIZES, "conditioner.embedders.1.model.text_projection", &renamed);
    assert_true(renamed.transposed);
    original_rename(&SIZES, "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight",
                    &renamed);
    assert_true(renamed.split);
}

static void what_does_not_sample_is_left_out(void **state)
{
    (void)state;
    static const char *const others[] = {
        "model_ema.decay",
        "alphas_cumprod",
        "cond_stage_model.logit_scale",
        "cond_stage_model.model.logit_scale",
        "cond_stage_model.model.text_projection",
        "cond_stage_model.transformer.text_model.embeddings.position_ids",
        "first_stage_model.loss.logvar",
        "model.diffusion_model.input_blocks.x.0.weight",
        "model.diffusion_model.output_blocks.99999999999.0.in_layers.0.weight",
        "first_stage_model.decoder.up.4.block.0.conv1.weight",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct original_name renamed;
        original_rename(&SIZES, others[i], &renamed);
        if (renamed.part != ORIGINAL_NONE) fail_msg("%s became \"%s\"", others[i], renamed.name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_unet_are_those_of_diffusers),
        cmocka_unit_test(names_of_the_auto_encoder_are_those_of_diffusers),
        cmocka_unit_test(names_of_text_encoders_are_those_of_transformers),
        cmocka_unit_test(what_does_not_sample_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
