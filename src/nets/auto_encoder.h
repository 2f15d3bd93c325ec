/* SPDX-License-Identifier: Apache-2.0 */
/* Auto-encoders: an encoder from pictures [n,h,w,c] to latents whose height and width are smaller
   by a factor, and a decoder. A config.json describes one with diffusers' names and keys; the
   classes are in autoencoder_kl.c, vq_model.c and autoencoder_tiny.c, the blocks that the first two
   share in auto_encoder_blocks.c.

   The latents z of the decoder and the latents l of diffusion are related by l = (z - shift) scale;
   with latents_mean and latents_std in the config, each channel has its own shift and scale. */
#ifndef SUMI_NETS_AUTO_ENCODER_H
#define SUMI_NETS_AUTO_ENCODER_H

#include "graph/graph.h"
#include "nets/config.h"

struct auto_encoder;

/* A class of auto-encoders, by the `_class_name` of its config.json. */
struct auto_encoder_type {
    const char *class_name;
    bool moments; /* the encoder outputs means, then logarithms of variances, along the channels */
    const struct config_key *keys; /* of its config */
    size_t settings_size;          /* of coder->settings */
    /* Reads a config, which has every key, and fills everything but context, type and config.
       coder->settings is there, zeroed. Failures are recorded in the config. */
    void (*read)(struct config *config, struct auto_encoder *coder);
    /* x[n,h,w,in_channels] to [n,h/factor,w/factor,c]: moments, or latents. */
    sumi_node (*encode)(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x);
    /* Latents [n,h,w,latent_channels] to [n,h factor,w factor,out_channels]. */
    sumi_node (*decode)(const struct auto_encoder *coder, sumi_graph *graph, sumi_node latents);
};

struct auto_encoder {
    sumi_context *context;
    const struct auto_encoder_type *type;
    char *config;                      /* config.json as it is saved: every key, sorted */
    int64_t in_channels, out_channels; /* of pictures */
    int64_t latent_channels;
    int64_t factor; /* pixels per place of the latents, along each axis */
    int64_t tile;   /* side of the training pictures, sample_size */
    int64_t codes;  /* rows of the codebook; 0 for none */
    double *scales; /* [latent_channels] scale, then as many shifts */
    double scaling; /* scaling_factor, which is a factor of every scale */
    void *settings; /* the type's own, from context_allocate */
};

/* Reads the text of a config.json into a new auto-encoder. `source` names it in messages. */
sumi_status auto_encoder_parse(sumi_context *context, const char *json, const char *source,
                               struct auto_encoder **coder);
void auto_encoder_free(struct auto_encoder *coder); /* accepts NULL */

/* Whether the text of a config.json is of one of these classes. */
bool auto_encoder_is_class(const char *class_name);

/* Adds the encoder or the decoder to a graph; -1 after a failure, such as a picture whose size is
   not a multiple of the factor. The weights of the other half are not created. */
sumi_node auto_encoder_encode(const struct auto_encoder *coder, sumi_graph *graph, sumi_node x);
sumi_node auto_encoder_decode(const struct auto_encoder *coder, sumi_graph *graph,
                              sumi_node latents);

/* Adds both halves, with inputs of the smallest size, and thereby all weights. */
sumi_status auto_encoder_build_halves(const struct auto_encoder *coder, sumi_graph *graph);

/* Moments [n,h,w,2c] as mean and as log variance clamped to -30..20, each [n,h,w,c]. */
sumi_node auto_encoder_mean(sumi_graph *graph, sumi_node moments);
sumi_node auto_encoder_log_variance(sumi_graph *graph, sumi_node moments);
/* A sample, mean + exp(log variance / 2) noise. */
sumi_node auto_encoder_draw(sumi_graph *graph, sumi_node moments, sumi_node noise);

/* ---- Codebooks (vq_model.c) ---- */

/* The nearest row of the codebook for each place of latents[n,h,w,c], through which gradients pass
   straight to the latents; the rows' numbers [n h w] to *indices, if it is not NULL. */
sumi_node vq_quantise(const struct auto_encoder *coder, sumi_graph *graph, sumi_node latents,
                      sumi_node *indices);
/* The rows by their numbers [n h w], as latents of `shape` [n,h,w,c]. */
sumi_node vq_look_up(const struct auto_encoder *coder, sumi_graph *graph, sumi_node indices,
                     const int64_t *shape);
/* The decoder without the quantiser, for latents that are rows of the codebook or should be decoded
   unchanged. */
sumi_node vq_decode_latents(const struct auto_encoder *coder, sumi_graph *graph, sumi_node latents);

/* ---- For the classes (auto_encoder.c) ---- */

/* Keys of the scale of latents, and the function that reads them, and latents_mean and latents_std
   of classes that have them, into scales. */
#define LATENT_KEYS                                                                                \
    {"scaling_factor", "0.18215"},                                                                 \
    {                                                                                              \
        "shift_factor", "null"                                                                     \
    }
void auto_encoder_read_scales(struct config *config, struct auto_encoder *coder);

/* sample_size, a number or [height, width], of which the height is used. */
void auto_encoder_read_size(struct config *config, struct auto_encoder *coder);

extern const struct auto_encoder_type auto_encoder_type_kl, auto_encoder_type_vq,
    auto_encoder_type_tiny;

#endif
