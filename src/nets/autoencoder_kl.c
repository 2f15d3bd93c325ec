/* SPDX-License-Identifier: Apache-2.0 */
/* AutoencoderKL: the auto-encoder of latent diffusion with a normal posterior (Rombach et al. 2022;
   Kingma & Welling 2014), diffusers' keys and names. */
#include "nets/auto_encoder_blocks.h"

struct autoencoder_kl {
    struct coder_blocks blocks;
    bool quant, post_quant; /* 1x1 convolutions on the moments and on the latents */
};

static const struct config_key keys[] = {CODER_KEYS,
                                         LATENT_KEYS,
                                         {"latent_channels", "4"},
                                         {"latents_mean", "null"},
                                         {"latents_std", "null"},
                                         {"use_quant_conv", "true"},
                                         {"use_post_quant_conv", "true"},
                                         {NULL, NULL}};

static void read_all(struct config *config, struct auto_encoder *coder)
{
    struct autoencoder_kl *kl = coder->settings;
    coder_blocks_read(config, &kl->blocks, coder);
    kl->quant = config_flag(config, "use_quant_conv");
    kl->post_quant = config_flag(config, "use_post_quant_conv");
    auto_encoder_read_scales(config, coder);
}

static sumi_node encode(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x)
{
    const struct autoencoder_kl *kl = coder->settings;
    struct layer_window point = layer_same(2, 1);
    int64_t channels = 2 * coder->latent_channels;
    x = coder_blocks_encode(&kl->blocks, graph, x, channels);
    return kl->quant ? layer_convolution(graph, "quant_conv", x, channels, &point) : x;
}

static sumi_node decode(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x)
{
    const struct autoencoder_kl *kl = coder->settings;
    struct layer_window point = layer_same(2, 1);
    if (kl->post_quant)
        x = layer_convolution(graph, "post_quant_conv", x, coder->latent_channels, &point);
    return coder_blocks_decode(&kl->blocks, graph, x, coder->out_channels, -1);
}

const struct auto_encoder_type auto_encoder_type_kl = {.class_name = "AutoencoderKL",
                                                       .moments = true,
                                                       .keys = keys,
                                                       .settings_size =
                                                           sizeof(struct autoencoder_kl),
                                                       .read = read_all,
                                                       .encode = encode,
                                                       .decode = decode};
