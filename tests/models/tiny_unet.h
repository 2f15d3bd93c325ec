/* SPDX-License-Identifier: Apache-2.0 */
/* A tiny network of Stable Diffusion 1's kind, for tests of files. */
#ifndef TESTS_MODELS_TINY_UNET_H
#define TESTS_MODELS_TINY_UNET_H

#include "check.h"

/* Two levels of 32 and 64 channels, a resnet each, with attention to texts of width 24. */
#define TINY_UNET                                                                                  \
    "{\"_class_name\": \"UNet2DConditionModel\", \"sample_size\": 64, \"in_channels\": 4, "        \
    "\"out_channels\": 4, \"layers_per_block\": 1, \"cross_attention_dim\": 24, "                  \
    "\"use_linear_projection\": false, \"block_out_channels\": [32, 64], "                         \
    "\"down_block_types\": [\"CrossAttnDownBlock2D\", \"DownBlock2D\"], "                          \
    "\"up_block_types\": [\"UpBlock2D\", \"CrossAttnUpBlock2D\"], "                                \
    "\"transformer_layers_per_block\": [1, 1], \"attention_head_dim\": [8, 8]}"

/* The number of the weight of that name. */
static inline int64_t weight_number(const sumi_model *model, const char *name)
{
    sumi_weight weight = {.size = sizeof weight};
    for (int64_t i = 0; sumi_model_weight(model, i, &weight); i++)
        if (strcmp(weight.name, name) == 0) return i;
    fail_msg("there is no weight %s", name);
    return -1;
}

static inline int64_t weight_count(const sumi_weight *weight)
{
    int64_t count = 1;
    for (int i = 0; i < weight->rank; i++) count *= weight->shape[i];
    return count;
}

#endif
