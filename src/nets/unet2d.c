/* SPDX-License-Identifier: Apache-2.0 */
/* UNet2DModel: diffusers' U-Net for images, its keys and defaults. */
#include "nets/unet.h"

static const struct config_key keys[] = {
    UNET_KEYS,
    {"in_channels", "3"},
    {"out_channels", "3"},
    {"down_block_types",
     "[\"DownBlock2D\", \"AttnDownBlock2D\", \"AttnDownBlock2D\", \"AttnDownBlock2D\"]"},
    {"mid_block_type", "\"UNetMidBlock2D\""},
    {"up_block_types", "[\"AttnUpBlock2D\", \"AttnUpBlock2D\", \"AttnUpBlock2D\", \"UpBlock2D\"]"},
    {"block_out_channels", "[224, 448, 672, 896]"},
    {"norm_num_groups", "32"},
    {NULL, NULL}};

static void read_all(struct config *config, struct net *net)
{
    unet_read(config, net, 2);
}

const struct net_type net_type_unet_2d = {.class_name = "UNet2DModel",
                                          .keys = keys,
                                          .settings_size = sizeof(struct unet),
                                          .read = read_all,
                                          .build = unet_build};
