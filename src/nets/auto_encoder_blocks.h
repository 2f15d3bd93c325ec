/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder and the decoder that AutoencoderKL and VQModel share: residual layers and attention
   of a U-Net without times and without skip connections. */
#ifndef SUMI_NETS_AUTO_ENCODER_BLOCKS_H
#define SUMI_NETS_AUTO_ENCODER_BLOCKS_H

#include "nets/auto_encoder.h"
#include "nets/unet.h"

struct coder_blocks {
    struct unet unet; /* settings of its layers: activation, epsilon, groups, kernel */
    int levels;
    int64_t layers; /* of each block of the encoder; the decoder's have one more */
    int64_t channels[UNET_LEVELS];
    bool down_attention[UNET_LEVELS], up_attention[UNET_LEVELS]; /* after each layer */
    bool mid_attention;
    bool spatial; /* the decoder's norms are scaled and shifted by the latents (SpatialNorm) */
    int64_t latent_channels; /* of the key; those of the auto-encoder may differ */
};

#define CODER_KEYS                                                                                 \
    {"in_channels", "3"}, {"out_channels", "3"}, {"down_block_types", "[\"DownEncoderBlock2D\"]"}, \
        {"up_block_types", "[\"UpDecoderBlock2D\"]"}, {"block_out_channels", "[64]"},              \
        {"layers_per_block", "1"}, {"act_fn", "\"silu\""}, {"sample_size", "32"},                  \
        {"norm_num_groups", "32"}, {"mid_block_add_attention", "true"},                            \
    {                                                                                              \
        "force_upcast", "true"                                                                     \
    }

/* Reads these keys and latent_channels, and sets the members of the auto-encoder that describe its
   pictures. */
void coder_blocks_read(struct config *config, struct coder_blocks *blocks,
                       struct auto_encoder *coder);

/* x[n,h,w,in] to [n,h/factor,w/factor,out] under "encoder", and back to [n,h,w,out] under
   "decoder". */
sumi_node coder_blocks_encode(const struct coder_blocks *blocks, sumi_graph *graph, sumi_node x,
                              int64_t out);
/* `latents` [n,h,w,latent_channels] are the input of spatial norms; -1 is allowed without such
   norms. */
sumi_node coder_blocks_decode(const struct coder_blocks *blocks, sumi_graph *graph, sumi_node x,
                              int64_t out, sumi_node latents);

/* Refuses numbers of channels that are not a multiple of the 32 groups of spatial norms. */
void coder_blocks_check_spatial(struct config *config, const struct coder_blocks *blocks);

#endif
