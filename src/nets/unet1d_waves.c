/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of UNet1DModel for sounds: three residual layers of two convolutions of five taps, each
   with a norm of one group and GELU, with or without attention behind them; lengths are halved and
   doubled by a fixed filter of eight taps, which is stored with the weights. */
#include <math.h>

#include "nets/unet1d_model.h"

enum { HEAD_WIDTH = 32, TAPS = 8, LAYERS = 3, MID_LAYERS = 6 };
static const struct layer_norm NORM = {1, 1e-5};

/* ---- Changing the length ---- */

/* The taps of a cubic filter, times `factor`: [1, 1, 1, TAPS]. */
static sumi_node filter(sumi_graph *graph, const char *block, const char *child, double factor)
{
    static const double half[TAPS / 2] = {-0.01171875, -0.03515625, 0.11328125, 0.43359375};
    const int64_t count = TAPS;
    float taps[TAPS];
    char name[NAME_SIZE];
    for (int i = 0; i < TAPS; i++)
        taps[i] = (float)(factor * half[i < TAPS / 2 ? i : TAPS - 1 - i]);
    layer_name(name, block, "%s.kernel", child);
    sumi_node node = graph_table(graph, name, 1, &count, taps);
    return sumi_op_reshape(graph, node, 4, (int64_t[]){1, 1, 1, TAPS});
}

/* x[n,1,length,c] as [n c, 1, length, 1], since the filter is the same for all channels; and
   back. */
static sumi_node apart(sumi_graph *graph, sumi_node x)
{
    int64_t n = layer_size(graph, x, 0), length = layer_size(graph, x, 2);
    int64_t shape[4] = {n * layer_size(graph, x, 3), 1, length, 1};
    x = sumi_op_permute(graph, x, (const int[]){0, 3, 1, 2});
    return sumi_op_reshape(graph, x, 4, shape);
}

static sumi_node together(sumi_graph *graph, sumi_node x, int64_t n)
{
    int64_t c = layer_size(graph, x, 0) / n, length = layer_size(graph, x, 2);
    x = sumi_op_reshape(graph, x, 4, (int64_t[]){n, c, 1, length});
    return sumi_op_permute(graph, x, (const int[]){0, 2, 3, 1});
}

/* x with `count` numbers mirrored at each end, without the ends themselves. */
static sumi_node mirror(sumi_graph *graph, sumi_node x, int64_t count)
{
    int64_t length = layer_size(graph, x, 2);
    sumi_node all = x;
    if (x < 0) return -1;
    if (length <= count) {
        graph_fail(graph,
                   "UNet1DModel: a signal of %lld numbers is too short to be mirrored by %lld",
                   (long long)length, (long long)count);
        return -1;
    }
    for (int64_t i = 1; i <= count; i++) {
        all = sumi_op_concat(graph, sumi_op_slice(graph, x, 2, i, 1), all, 2);
        all = sumi_op_concat(graph, all, sumi_op_slice(graph, x, 2, length - 1 - i, 1), 2);
    }
    return all;
}

static sumi_node shorten(sumi_graph *graph, const char *block, sumi_node x)
{
    const sumi_convolution geometry = {.stride = {1, 2}};
    int64_t n = layer_size(graph, x, 0);
    x = mirror(graph, apart(graph, x), TAPS / 2 - 1);
    x = sumi_op_convolution(graph, x, filter(graph, block, "down", 1), -1, &geometry);
    return x < 0 ? -1 : together(graph, x, n);
}

static sumi_node lengthen(sumi_graph *graph, const char *block, sumi_node x)
{
    enum { MIRRORED = TAPS / 4, CUT = TAPS - 1 };
    const sumi_convolution geometry = {.stride = {1, 2}, .before = {0, CUT}, .after = {0, CUT}};
    int64_t n = layer_size(graph, x, 0), length = 2 * layer_size(graph, x, 2);
    x = mirror(graph, apart(graph, x), MIRRORED);
    x = sumi_op_convolution_transposed(graph, x, filter(graph, block, "up", 2), &geometry, 1,
                                       length);
    return x < 0 ? -1 : together(graph, x, n);
}

/* ---- Layers ---- */

/* Convolution CONV and, unless it is the last one, norm and GELU. */
static sumi_node convolve(sumi_graph *graph, const char *name, int number, sumi_node x, int64_t out,
                          bool last)
{
    const struct layer_window window = layer_same(1, 5);
    char part[NAME_SIZE];
    x = layer_convolution(graph, layer_name(part, name, "conv_%d", number), x, out, &window);
    if (last) return x;
    x = layer_group_norm(graph, layer_name(part, name, "group_norm_%d", number), x, &NORM, false);
    return sumi_op_gelu(graph, x);
}

static sumi_node residual(sumi_graph *graph, const char *name, sumi_node x, int64_t mid,
                          int64_t out, bool last)
{
    const struct layer_window point = layer_same(1, 1);
    char part[NAME_SIZE];
    sumi_node h = convolve(graph, name, 1, x, mid, false);
    h = convolve(graph, name, 2, h, out, last);
    if (layer_size(graph, x, 3) != out)
        x = layer_convolution_plain(graph, layer_name(part, name, "conv_skip"), x, out, &point);
    return sumi_op_add(graph, h, x);
}

static sumi_node attend(sumi_graph *graph, const char *name, sumi_node x)
{
    if (x < 0) return -1;
    const struct shape signal = *graph_shape(graph, x);
    int64_t c = signal.size[3];
    char part[NAME_SIZE];
    int64_t heads = c / HEAD_WIDTH;
    if (heads < 1 || c % heads) {
        graph_fail(graph, "UNet1DModel: %lld channels do not divide into heads of about %d",
                   (long long)c, HEAD_WIDTH);
        return -1;
    }
    sumi_node h = layer_group_norm(graph, layer_name(part, name, "group_norm"), x, &NORM, false);
    h = layer_sequence(graph, h);
    sumi_node q = layer_linear(graph, layer_name(part, name, "query"), h, c);
    sumi_node k = layer_linear(graph, layer_name(part, name, "key"), h, c);
    sumi_node v = layer_linear(graph, layer_name(part, name, "value"), h, c);
    h = sumi_op_attention(graph, q, k, v, heads, 1 / sqrt((double)(c / heads)));
    h = layer_linear(graph, layer_name(part, name, "proj_attn"), h, c);
    return sumi_op_add(graph, sumi_op_reshape(graph, h, signal.rank, signal.size), x);
}

/* `count` layers by way of `mid` channels to block->out, each followed by attention if `attention`;
   `last`: the last one ends without a norm. */
static sumi_node build_layers(const struct unet1d_block *block, int count, int64_t mid,
                              bool attention, bool last, sumi_node x)
{
    sumi_graph *graph = block->graph;
    char name[NAME_SIZE];
    for (int i = 0; i < count; i++) {
        bool end = i == count - 1;
        layer_name(name, block->name, "resnets.%d", i);
        x = residual(graph, name, x, mid, end ? block->out : mid, last && end);
        if (attention) x = attend(graph, layer_name(name, block->name, "attentions.%d", i), x);
    }
    sumi_graph_mark(graph);
    return x;
}

/* ---- Blocks ---- */

/* The time's channels [n, 1, 1, c] beside those of x. */
static sumi_node add_time(const struct unet1d_block *block, sumi_node x)
{
    sumi_graph *graph = block->graph;
    int64_t shape[4] = {layer_size(graph, x, 0), 1, layer_size(graph, x, 2),
                        layer_size(graph, block->time, 3)};
    return sumi_op_concat(graph, x, sumi_op_broadcast(graph, block->time, 4, shape), 3);
}

sumi_node unet1d_waves_down(const struct unet1d_block *block, enum unet1d_kind kind, sumi_node x,
                            sumi_node *skip)
{
    x = kind == UNET1D_NO_SKIP ? add_time(block, x) : shorten(block->graph, block->name, x);
    *skip = build_layers(block, LAYERS, block->out, kind == UNET1D_ATTENTION, false, x);
    return *skip;
}

sumi_node unet1d_waves_mid(const struct unet1d_block *block, sumi_node x)
{
    x = shorten(block->graph, block->name, x);
    x = build_layers(block, MID_LAYERS, block->out, true, false, x);
    return lengthen(block->graph, block->name, x);
}

sumi_node unet1d_waves_up(const struct unet1d_block *block, enum unet1d_kind kind, sumi_node x,
                          sumi_node skip)
{
    bool attention = kind == UNET1D_ATTENTION, last = kind == UNET1D_NO_SKIP;
    int64_t mid = attention ? block->out : block->in;
    x = sumi_op_concat(block->graph, x, skip, 3);
    x = build_layers(block, LAYERS, mid, attention, last, x);
    return last ? x : lengthen(block->graph, block->name, x);
}
