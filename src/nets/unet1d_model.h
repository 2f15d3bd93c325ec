/* SPDX-License-Identifier: Apache-2.0 */
/* UNet1DModel: the class of diffusers' U-Nets for signals, which are of two families: networks of
   trajectories (Janner et al. 2022, Diffuser), whose residual layers read the time, and networks of
   sounds (Dance Diffusion), which get it as channels of the signal. unet1d_model.c reads a config
   and builds a network of blocks of unet1d_temporal.c and unet1d_waves.c. It is unrelated to
   SumiUNet1DModel.

   Signals [n, length, c] are processed as images [n, 1, length, c]. */
#ifndef SUMI_NETS_UNET1D_MODEL_H
#define SUMI_NETS_UNET1D_MODEL_H

#include "nets/layers.h"
#include "nets/net.h"
#include "nets/time_embedding.h"

enum { UNET1D_LEVELS = 16 };

/* Kinds of blocks, of either path. */
enum unet1d_kind {
    UNET1D_TEMPORAL, /* residual layers with the time */
    UNET1D_PLAIN,
    UNET1D_ATTENTION,
    UNET1D_NO_SKIP /* plain, without a change of the length; on the way down with the time */
};
enum unet1d_mid { UNET1D_MID_TEMPORAL, UNET1D_MID_VALUE, UNET1D_MID_WAVES };
enum unet1d_out { UNET1D_OUT_NONE, UNET1D_OUT_CONVOLUTION, UNET1D_OUT_VALUE };

struct unet1d_model {
    int64_t in_channels, out_channels, extra; /* `extra` of the time, beside those of an item */
    int levels, ups;                          /* blocks of the way down and of the way up */
    enum unet1d_kind down[UNET1D_LEVELS], up[UNET1D_LEVELS];
    int64_t channels[UNET1D_LEVELS];
    int64_t layers; /* of temporal blocks, beside the first one */
    enum unet1d_mid mid;
    enum unet1d_out out;
    bool shorten_all; /* the last block and the middle halve the length, too */
    bool time_layers; /* whether two layers embed the time */
    bool fourier;
    struct time_waves waves; /* channels of the time's projection in either case */
    enum layer_activation activation;
    int64_t groups;
};

/* A block while it is built. */
struct unet1d_block {
    sumi_graph *graph;
    const char *name;
    sumi_node time;  /* embedding [n, channels], or [n, 1, 1, channels] for networks of sounds */
    int64_t in, out; /* channels */
    int64_t layers;
    bool resampled; /* whether it changes the length at its end (temporal) or begin (down) */
};

/* ---- Blocks with the time (unet1d_temporal.c) ---- */

/* A residual layer from `in` to `out` channels under NAME. */
sumi_node unet1d_residual(const struct unet1d_block *block, const char *name, sumi_node x,
                          int64_t out);
/* Halves the length by the convolution NAME.conv. */
sumi_node unet1d_shorten(sumi_graph *graph, const char *name, sumi_node x);
/* Residual layers NAME.resnets of a block. */
sumi_node unet1d_residuals(const struct unet1d_block *block, sumi_node x);
sumi_node unet1d_temporal_down(const struct unet1d_block *block, sumi_node x, sumi_node *skip);
sumi_node unet1d_temporal_up(const struct unet1d_block *block, sumi_node x, sumi_node skip);

/* ---- Blocks of sounds (unet1d_waves.c) ---- */

sumi_node unet1d_waves_down(const struct unet1d_block *block, enum unet1d_kind kind, sumi_node x,
                            sumi_node *skip);
sumi_node unet1d_waves_mid(const struct unet1d_block *block, sumi_node x);
sumi_node unet1d_waves_up(const struct unet1d_block *block, enum unet1d_kind kind, sumi_node x,
                          sumi_node skip);

#endif
