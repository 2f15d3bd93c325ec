/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the keys that the configs of diffusion transformers have in common, with diffusers'
   meaning. */
#include <string.h>

#include "nets/transformer.h"

void transformer_read_width(struct config *config, struct transformer *t)
{
    t->heads = config_whole(config, "num_attention_heads", 1, TRANSFORMER_HEADS);
    t->head_width = config_whole(config, "attention_head_dim", 1, TRANSFORMER_WIDTH);
    t->width = t->heads * t->head_width;
    if (t->width > TRANSFORMER_WIDTH || t->width % 4 != 0) {
        config_fail(config,
                    "\"num_attention_heads\" times \"attention_head_dim\" is the width of the "
                    "tokens, a multiple of 4 up to %d, not %lld",
                    TRANSFORMER_WIDTH, (long long)t->width);
    }
}

void transformer_read_patches(struct config *config, struct transformer *t, struct net *net)
{
    t->in_channels = config_whole(config, "in_channels", 1, TRANSFORMER_CHANNELS);
    t->out_channels =
        config_whole_or(config, "out_channels", 1, TRANSFORMER_CHANNELS, t->in_channels);
    t->layers = config_whole(config, "num_layers", 1, TRANSFORMER_LAYERS);
    t->patch = config_whole(config, "patch_size", 1, TRANSFORMER_PATCH);
    int64_t size = config_whole(config, "sample_size", 1, NET_SIZE);
    if (size % t->patch) {
        config_fail(config, "\"sample_size\" should be a multiple of \"patch_size\" %lld, not %lld",
                    (long long)t->patch, (long long)size);
    }
    t->base = size / t->patch;
    t->interpolation = 1;
    net_declare_item(net, SUMI_PICTURE, (int64_t[]){size, size, t->in_channels});
    net->out_channels = t->out_channels;
    net->size_multiple = t->patch;
    net->any_size = true;
}

void transformer_read_blocks(struct config *config, struct transformer *t)
{
    static const char *const names[] = {
        "gelu", "gelu-approximate", "geglu-approximate", "linear-silu", "geglu", "swiglu", NULL};
    t->dropout = config_number(config, "dropout", 0, 0.999);
    t->attention_bias = config_flag(config, "attention_bias");
    t->feed = (enum feed_kind)config_choice(config, "activation_fn", names);
    t->affine = config_flag(config, "norm_elementwise_affine");
    t->epsilon = config_number(config, "norm_eps", 1e-12, 1);
}

void transformer_expect(struct config *config, const char *key, const char *value)
{
    config_choice(config, key, (const char *const[]){value, NULL});
}
