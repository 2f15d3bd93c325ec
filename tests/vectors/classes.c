/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of networks that records are compared with: a class that has no row here is not
   there. */
#include "vectors/network.h"

const struct network_class network_classes[] = {
    {"UNet2DModel", network_build_denoiser},
    {"UNet2DConditionModel", network_build_denoiser},
    {"AutoencoderKL", network_build_auto_encoder},
    {"AutoencoderTiny", network_build_auto_encoder},
    {"VQModel", network_build_auto_encoder},
    {"DiTTransformer2DModel", network_build_denoiser},
    {"PixArtTransformer2DModel", network_build_denoiser},
    {"SD3Transformer2DModel", network_build_denoiser},
    {"Transformer2DModel", network_build_denoiser},
    {"CLIPTextModel", network_build_clip_text},
    {"CLIPTextModelWithProjection", network_build_clip_text},
    {"CLIPVisionModel", network_build_clip_vision},
    {"CLIPVisionModelWithProjection", network_build_clip_vision},
    {"LatteTransformer3DModel", network_build_denoiser},
    {"CogVideoXTransformer3DModel", network_build_denoiser},
    {"UNet1DModel", network_build_denoiser},
    {"PriorTransformer", network_build_denoiser},
    {"UnCLIPTextProjModel", network_build_text_projection},
    {"T5EncoderModel", network_build_t5},
    {"ControlNetModel", network_build_controlnet},
    {NULL, NULL},
};
