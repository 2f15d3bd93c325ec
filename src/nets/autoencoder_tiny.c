/* SPDX-License-Identifier: Apache-2.0 */
/* AutoencoderTiny: a small auto-encoder of plain convolutions (the layout of TAESD), diffusers'
   keys and names. Its layers are numbered through, activations and enlargements included. */
#include "nets/auto_encoder.h"
#include "nets/layers.h"

enum { STAGES = 16, BLOCKS = 64, CHANNELS = 1 << 14 };

struct tiny {
    int encoder_stages, decoder_stages;
    int64_t encoder_blocks[STAGES], decoder_blocks[STAGES];
    int64_t encoder_channels, decoder_channels;
    enum layer_activation activation;
};

static const struct config_key keys[] = {{"in_channels", "3"},
                                         {"out_channels", "3"},
                                         {"encoder_block_out_channels", "[64, 64, 64, 64]"},
                                         {"decoder_block_out_channels", "[64, 64, 64, 64]"},
                                         {"act_fn", "\"relu\""},
                                         {"upsample_fn", "\"nearest\""},
                                         {"latent_channels", "4"},
                                         {"upsampling_scaling_factor", "2"},
                                         {"num_encoder_blocks", "[1, 3, 3, 3]"},
                                         {"num_decoder_blocks", "[3, 3, 3, 1]"},
                                         {"latent_magnitude", "3"},
                                         {"latent_shift", "0.5"},
                                         {"force_upcast", "false"},
                                         {"scaling_factor", "1.0"},
                                         {"shift_factor", "0.0"},
                                         {NULL, NULL}};

/* ---- Reading ---- */

/* The stages of one half: their blocks, and the channels, which are the same in all. */
static int read_stages(struct config *config, const char *channels_key, const char *blocks_key,
                       int64_t *channels, int64_t blocks[STAGES])
{
    int stages = config_length(config, channels_key, STAGES);
    if (config_length(config, blocks_key, STAGES) != stages)
        config_fail(config, "\"%s\" and \"%s\" should have as many members", channels_key,
                    blocks_key);
    for (int i = 0; i < stages && config->status == SUMI_OK; i++) {
        int64_t own = config_whole_at(config, channels_key, i, 1, CHANNELS);
        blocks[i] = config_whole_at(config, blocks_key, i, 0, BLOCKS);
        if (i && own != *channels)
            config_fail(config,
                        "all members of \"%s\" should be equal, since no layer changes "
                        "their number",
                        channels_key);
        *channels = own;
    }
    return stages;
}

static void read_all(struct config *config, struct auto_encoder *coder)
{
    struct tiny *tiny = coder->settings;
    static const char *const fillings[] = {"nearest", NULL};
    coder->in_channels = config_whole(config, "in_channels", 1, CHANNELS);
    coder->out_channels = config_whole(config, "out_channels", 1, CHANNELS);
    coder->latent_channels = config_whole(config, "latent_channels", 1, CHANNELS);
    tiny->activation = layer_activation_read(config, "act_fn");
    tiny->encoder_stages = read_stages(config, "encoder_block_out_channels", "num_encoder_blocks",
                                       &tiny->encoder_channels, tiny->encoder_blocks);
    tiny->decoder_stages = read_stages(config, "decoder_block_out_channels", "num_decoder_blocks",
                                       &tiny->decoder_channels, tiny->decoder_blocks);
    config_choice(config, "upsample_fn", fillings);
    config_whole(config, "upsampling_scaling_factor", 2, 2);
    config_flag(config, "force_upcast");
    if (tiny->encoder_stages != tiny->decoder_stages)
        config_fail(config,
                    "the encoder has %d stages and the decoder %d; they should have the "
                    "same number",
                    tiny->encoder_stages, tiny->decoder_stages);
    if (config->status == SUMI_OK) coder->factor = (int64_t)1 << (tiny->encoder_stages - 1);
    auto_encoder_read_scales(config, coder);
}

/* ---- Building ---- */

struct tiny_builder {
    sumi_graph *graph;
    const struct tiny *tiny;
    const char *half;
    int next; /* number of the next layer */
};

/* The next layer is a 3x3 convolution. */
static sumi_node add_convolution(struct tiny_builder *builder, sumi_node x, int64_t out,
                                 int64_t stride, bool bias)
{
    char name[NAME_SIZE];
    struct layer_window window = {2, 3, stride, 1, 1};
    layer_name(name, builder->half, "layers.%d", builder->next++);
    return bias ? layer_convolution(builder->graph, name, x, out, &window)
                : layer_convolution_plain(builder->graph, name, x, out, &window);
}

/* The next layers are residual ones: relu(x + conv(act(conv(act(conv(x)))))). */
static sumi_node add_blocks(struct tiny_builder *builder, sumi_node x, int64_t count)
{
    char block[NAME_SIZE], name[NAME_SIZE];
    sumi_graph *graph = builder->graph;
    struct layer_window window = layer_same(2, 3);
    int64_t channels = layer_size(graph, x, 3);
    for (int64_t i = 0; i < count; i++) {
        sumi_node h = x;
        layer_name(block, builder->half, "layers.%d", builder->next++);
        for (int k = 0; k < 3; k++) {
            if (k) h = layer_activate(graph, builder->tiny->activation, h);
            h = layer_convolution(graph, layer_name(name, block, "conv.%d", 2 * k), h, channels,
                                  &window);
        }
        x = sumi_op_relu(graph, sumi_op_add(graph, h, x));
        sumi_graph_mark(graph);
    }
    return x;
}

/* The network expects values from 0 to 1, as in training. */
static sumi_node encode(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x)
{
    const struct tiny *tiny = coder->settings;
    struct tiny_builder builder = {graph, tiny, "encoder", 0};
    x = sumi_op_affine(graph, x, 0.5, 0.5);
    for (int i = 0; i < tiny->encoder_stages; i++) {
        x = add_convolution(&builder, x, tiny->encoder_channels, i ? 2 : 1, i == 0);
        x = add_blocks(&builder, x, tiny->encoder_blocks[i]);
    }
    return add_convolution(&builder, x, coder->latent_channels, 1, true);
}

/* Latents are softly clamped to -3 ... 3. */
static sumi_node decode(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x)
{
    const struct tiny *tiny = coder->settings;
    struct tiny_builder builder = {graph, tiny, "decoder", 0};
    x = sumi_op_affine(graph, sumi_op_tanh(graph, sumi_op_affine(graph, x, 1.0 / 3, 0)), 3, 0);
    x = add_convolution(&builder, x, tiny->decoder_channels, 1, true);
    x = layer_activate(graph, tiny->activation, x);
    builder.next++;
    for (int i = 0; i < tiny->decoder_stages; i++) {
        bool last = i == tiny->decoder_stages - 1;
        x = add_blocks(&builder, x, tiny->decoder_blocks[i]);
        if (!last) {
            x = sumi_op_upsample(graph, x, 2, 2);
            builder.next++;
        }
        x = add_convolution(&builder, x, last ? coder->out_channels : tiny->decoder_channels, 1,
                            last);
    }
    return sumi_op_affine(graph, x, 2, -1);
}

const struct auto_encoder_type auto_encoder_type_tiny = {.class_name = "AutoencoderTiny",
                                                         .keys = keys,
                                                         .settings_size = sizeof(struct tiny),
                                                         .read = read_all,
                                                         .encode = encode,
                                                         .decode = decode};
