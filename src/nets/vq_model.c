/* SPDX-License-Identifier: Apache-2.0 */
/* VQModel: an auto-encoder whose latents are rows of a learned codebook (van den Oord et al. 2017),
   diffusers' keys and names. */
#include "nets/auto_encoder_blocks.h"
#include "ops/ops.h"

enum { CODE_LIMIT = 1 << 20 };

static const struct config_key keys[] = {CODER_KEYS,
                                         LATENT_KEYS,
                                         {"latent_channels", "3"},
                                         {"num_vq_embeddings", "256"},
                                         {"vq_embed_dim", "null"},
                                         {"norm_type", "\"group\""},
                                         {"lookup_from_codebook", "false"},
                                         {NULL, NULL}};

static void read_codes(struct config *config, struct auto_encoder *coder,
                       struct coder_blocks *blocks)
{
    static const char *const norms[] = {"group", "spatial", NULL};
    blocks->spatial = config_choice(config, "norm_type", norms) == 1;
    config_flag(config,
                "lookup_from_codebook"); /* which call decodes numbers of rows is the caller's */
    coder->codes = config_whole(config, "num_vq_embeddings", 1, CODE_LIMIT);
    coder->latent_channels =
        config_whole_or(config, "vq_embed_dim", 1, UNET_CHANNELS, coder->latent_channels);
    if (config->status == SUMI_OK) coder_blocks_check_spatial(config, blocks);
    if (blocks->spatial && coder->latent_channels != blocks->latent_channels)
        config_fail(config,
                    "with \"norm_type\" \"spatial\" \"vq_embed_dim\" should be as "
                    "\"latent_channels\", %lld, not %lld",
                    (long long)blocks->latent_channels, (long long)coder->latent_channels);
}

static void read_all(struct config *config, struct auto_encoder *coder)
{
    struct coder_blocks *blocks = coder->settings;
    coder_blocks_read(config, blocks, coder);
    read_codes(config, coder, blocks);
    auto_encoder_read_scales(config, coder);
}

/* ---- The codebook ---- */

static sumi_node codebook(const struct auto_encoder *coder, sumi_graph *graph)
{
    int64_t shape[2] = {coder->codes, coder->latent_channels};
    double fan = (double)coder->codes * (double)coder->codes; /* uniform within 1/codes */
    return sumi_graph_weight(graph, "quantize.embedding.weight", 2, shape, SUMI_START_FAN_IN, fan);
}

sumi_node vq_look_up(const struct auto_encoder *coder, sumi_graph *graph, sumi_node indices,
                     const int64_t *shape)
{
    return sumi_op_reshape(graph, sumi_op_gather(graph, codebook(coder, graph), indices), 4, shape);
}

/* z + stop(code - z): the code's value with the latent's gradient. */
sumi_node vq_quantise(const struct auto_encoder *coder, sumi_graph *graph, sumi_node latents,
                      sumi_node *indices)
{
    if (latents < 0) return -1;
    struct shape shape = *graph_shape(graph, latents);
    int64_t rows[2] = {shape_span(&shape, 0, 3), shape.size[3]};
    sumi_node flat = sumi_op_reshape(graph, latents, 2, rows);
    sumi_node numbers = ops_nearest_row(graph, flat, codebook(coder, graph));
    sumi_node code = vq_look_up(coder, graph, numbers, shape.size);
    if (indices) *indices = numbers;
    sumi_node step = ops_stop_gradient(graph, sumi_op_subtract(graph, code, latents));
    return sumi_op_add(graph, latents, step);
}

/* ---- The networks ---- */

static sumi_node encode(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x)
{
    const struct coder_blocks *blocks = coder->settings;
    struct layer_window point = layer_same(2, 1);
    x = coder_blocks_encode(blocks, graph, x, blocks->latent_channels);
    return layer_convolution(graph, "quant_conv", x, coder->latent_channels, &point);
}

sumi_node vq_decode_latents(const struct auto_encoder *coder, sumi_graph *graph, sumi_node latents)
{
    const struct coder_blocks *blocks = coder->settings;
    struct layer_window point = layer_same(2, 1);
    sumi_node x =
        layer_convolution(graph, "post_quant_conv", latents, blocks->latent_channels, &point);
    return coder_blocks_decode(blocks, graph, x, coder->out_channels, latents);
}

static sumi_node decode(const struct auto_encoder *coder, sumi_graph *graph, sumi_node latents)
{
    return vq_decode_latents(coder, graph, vq_quantise(coder, graph, latents, NULL));
}

const struct auto_encoder_type auto_encoder_type_vq = {.class_name = "VQModel",
                                                       .keys = keys,
                                                       .settings_size = sizeof(struct coder_blocks),
                                                       .read = read_all,
                                                       .encode = encode,
                                                       .decode = decode};
