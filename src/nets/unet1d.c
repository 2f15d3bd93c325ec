/* SPDX-License-Identifier: Apache-2.0 */
/* SumiUNet1DModel: the same U-Net for signals [n, length, c]. Its blocks are those of the image
   network with 1-D in their names, its convolutions have `kernel_size` taps, and its parameters the
   same names; diffusers has no such class. */
#include "nets/unet.h"

static const struct config_key keys[] = {
    UNET_KEYS,
    {"in_channels", "1"},
    {"out_channels", "1"},
    {"down_block_types", "[\"DownBlock1D\", \"DownBlock1D\", \"AttnDownBlock1D\"]"},
    {"mid_block_type", "\"UNetMidBlock1D\""},
    {"up_block_types", "[\"AttnUpBlock1D\", \"UpBlock1D\", \"UpBlock1D\"]"},
    {"block_out_channels", "[32, 64, 128]"},
    {"norm_num_groups", "8"},
    {"kernel_size", "3"},
    {NULL, NULL}};

static void read_all(struct config *config, struct net *net)
{
    unet_read(config, net, 1);
}

const struct net_type net_type_unet_1d = {.class_name = "SumiUNet1DModel",
                                          .pipeline = "SumiPipeline",
                                          .keys = keys,
                                          .settings_size = sizeof(struct unet),
                                          .read = read_all,
                                          .build = unet_build};
