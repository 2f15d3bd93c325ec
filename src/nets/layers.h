/* SPDX-License-Identifier: Apache-2.0 */
/* The layers that networks are made of: each takes a node, creates its weights under diffusers'
   names with torch's initial values, and returns a node. Activations are channels last. */
#ifndef SUMI_NETS_LAYERS_H
#define SUMI_NETS_LAYERS_H

#include "graph/graph.h"
#include "nets/config.h"

enum { NAME_SIZE = 192 };

/* Writes "parent.child" to name, the child printed by `format`; no dot after an empty parent. */
const char *layer_name(char name[NAME_SIZE], const char *parent, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The size of a node along an axis; 1 for a missing node (-1), so that callers need no check. */
int64_t layer_size(const sumi_graph *graph, sumi_node x, int axis);

/* x[..., in] to [..., out]: NAME.weight [out, in], NAME.bias [out]. */
sumi_node layer_linear(sumi_graph *graph, const char *name, sumi_node x, int64_t out);

/* How a layer's weight starts: by torch's rule, the bias too; or, with a bias of zeros, uniform by
   fan in and fan out (Glorot and Bengio 2010, eq. 16), normal with deviation 0.02, or zero. */
enum layer_start { LAYER_START_TORCH, LAYER_START_XAVIER, LAYER_START_NORMAL, LAYER_START_ZERO };

/* The same with that start, and without NAME.bias if `bias` is false. */
struct layer_linear {
    bool bias;
    enum layer_start start;
};
sumi_node layer_linear_of(sumi_graph *graph, const char *name, sumi_node x, int64_t out,
                          const struct layer_linear *kind);

/* A convolution's window, the same along each spatial axis. */
struct layer_window {
    int rank;                              /* 2 for images, 1 for signals as [n, 1, length, c] */
    int64_t kernel, stride, before, after; /* size, step, padding */
};

/* The window of odd size `kernel` that keeps the spatial size. */
struct layer_window layer_same(int rank, int64_t kernel);

/* x[n,h,w,in] to [n,h',w',out]: NAME.weight [out, in, k, k], or [out, in, k] for rank 1, and
   NAME.bias [out]. */
sumi_node layer_convolution(sumi_graph *graph, const char *name, sumi_node x, int64_t out,
                            const struct layer_window *window);
/* The same without a bias. */
sumi_node layer_convolution_plain(sumi_graph *graph, const char *name, sumi_node x, int64_t out,
                                  const struct layer_window *window);
/* The same with a kernel and a bias that start at zero. */
sumi_node layer_convolution_zero(sumi_graph *graph, const char *name, sumi_node x, int64_t out,
                                 const struct layer_window *window);

/* Group normalisation over x[n, ..., c] with NAME.weight and NAME.bias [c], then SiLU if `silu`. */
struct layer_norm {
    int64_t groups;
    double epsilon;
};
sumi_node layer_group_norm(sumi_graph *graph, const char *name, sumi_node x,
                           const struct layer_norm *norm, bool silu);

/* Layer normalisation of x[n, ..., c] with NAME.weight and NAME.bias [c]. */
sumi_node layer_layer_norm(sumi_graph *graph, const char *name, sumi_node x, double epsilon);

/* Rows of the table NAME.weight [rows, width] by indices[n]: [n, width]. The table starts normal
   with that deviation. */
sumi_node layer_embedding(sumi_graph *graph, const char *name, sumi_node indices, int64_t rows,
                          int64_t width, double deviation);

enum layer_activation { LAYER_SILU, LAYER_MISH, LAYER_GELU, LAYER_RELU };

/* linear_1, an activation and linear_2 under NAME: [n, in] by [n, inner] to [n, width]. */
struct layer_mlp {
    int64_t inner, width;
    enum layer_activation activation;
    enum layer_start start;
};
sumi_node layer_mlp(sumi_graph *graph, const char *name, sumi_node x, const struct layer_mlp *mlp);
/* The same with SiLU between layers of one width. */
sumi_node layer_time_mlp(sumi_graph *graph, const char *name, sumi_node x, int64_t width,
                         enum layer_start start);

/* x[n, c] as [n, 1, 1, c], to be broadcast over pixels. */
sumi_node layer_over_pixels(sumi_graph *graph, sumi_node x);

/* x[n,h,w,c] as the sequence of its places, [n, h w, c]. */
sumi_node layer_sequence(sumi_graph *graph, sumi_node x);

/* The bias [n, 1, 1, tokens] of the scores of an attention to `states` [n, tokens, c], by a mask
   [n, tokens] that is 1 for tokens and 0 for padding; -1 where the mask or the states are -1.
   `class_name` is for messages. */
sumi_node layer_mask_bias(sumi_graph *graph, const char *class_name, sumi_node states,
                          sumi_node mask);

/* The activation that a key names, as in diffusers: in any case, with "swish" for SiLU. */
enum layer_activation layer_activation_read(struct config *config, const char *key);
sumi_node layer_activate(sumi_graph *graph, enum layer_activation activation, sumi_node x);

#endif
