/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of diffusion transformers; see transformer.h. Weights are initialised as in DiT (Peebles
   and Xie 2023, 3.2): those of modulations and of the last layer to zero, those of embeddings of
   times normal with deviation 0.02, all others by Xavier's rule. */
#include "nets/transformer.h"

#include <math.h>

#include "nets/time_embedding.h"
#include "ops/activation.h"

static const struct layer_linear XAVIER = {true, LAYER_START_XAVIER};

/* ---- Patches ---- */

/* A convolution whose stride is its window, initialised like a linear layer of the numbers of a
   patch. */
sumi_node transformer_embed(sumi_graph *graph, const struct transformer *t, sumi_node x)
{
    int64_t p = t->patch, shape[4] = {t->width, t->in_channels, p, p};
    double fans = (double)(t->in_channels * p * p + t->width);
    sumi_node weight =
        sumi_graph_weight(graph, "pos_embed.proj.weight", 4, shape, SUMI_START_FAN_IN, fans / 6);
    sumi_node bias =
        sumi_graph_weight(graph, "pos_embed.proj.bias", 1, &t->width, SUMI_START_ZERO, 0);
    const sumi_convolution geometry = {.stride = {p, p}};
    sumi_node patches = sumi_op_convolution(graph, x, weight, bias, &geometry);
    return layer_sequence(graph, patches);
}

float *transformer_positions(sumi_graph *graph, const struct transformer *t,
                             const struct position_grid *grid)
{
    int64_t count = grid->rows * grid->columns * t->width;
    float *table = context_allocate(graph->context, (size_t)count, sizeof *table);
    if (table) positions_of_grid(grid, t->width, table);
    else graph_fail_with(graph, SUMI_ERROR_MEMORY);
    return table;
}

sumi_node transformer_place(sumi_graph *graph, const struct transformer *t, sumi_node tokens,
                            sumi_node x)
{
    struct position_grid grid = {.rows = layer_size(graph, x, 1) / t->patch,
                                 .columns = layer_size(graph, x, 2) / t->patch,
                                 .base = t->base,
                                 .scale = t->interpolation};
    int64_t shape[3] = {1, grid.rows * grid.columns, t->width};
    float *table = transformer_positions(graph, t, &grid);
    if (!table) return -1;
    sumi_node positions = sumi_graph_constant(graph, 3, shape, table);
    context_release(graph->context, table);
    return sumi_op_add(graph, tokens, positions);
}

sumi_node transformer_picture(sumi_graph *graph, const struct transformer *t, const char *name,
                              sumi_node tokens, sumi_node x)
{
    const struct layer_linear zero = {true, LAYER_START_ZERO};
    int64_t numbers = t->patch * t->patch * t->out_channels;
    tokens = layer_linear_of(graph, name, tokens, numbers, &zero);
    return sumi_op_unpatchify(graph, tokens, layer_size(graph, x, 1), layer_size(graph, x, 2),
                              t->patch, t->patch);
}

/* ---- Modulation ---- */

sumi_node transformer_part(sumi_graph *graph, const struct transformer *t, sumi_node parts,
                           int64_t number)
{
    return sumi_op_slice(graph, parts, 1, number * t->width, t->width);
}

void transformer_modulation(sumi_graph *graph, const struct transformer *t, const char *name,
                            sumi_node condition, int count, sumi_node *parts)
{
    const struct layer_linear zero = {true, LAYER_START_ZERO};
    sumi_node all = layer_linear_of(graph, name, condition, count * t->width, &zero);
    for (int i = 0; i < count; i++) parts[i] = transformer_part(graph, t, all, i);
}

/* x[n, width] as [n, 1, width]. */
static sumi_node over_tokens(sumi_graph *graph, sumi_node x)
{
    int64_t shape[3] = {layer_size(graph, x, 0), 1, layer_size(graph, x, 1)};
    return sumi_op_reshape(graph, x, 3, shape);
}

sumi_node transformer_modulate(sumi_graph *graph, const char *name, sumi_node tokens,
                               sumi_node shift, sumi_node scale, double epsilon)
{
    scale = sumi_op_affine(graph, scale, 1, 1);
    if (!name) return sumi_op_layer_norm(graph, tokens, scale, shift, epsilon);
    sumi_node normed = layer_layer_norm(graph, name, tokens, epsilon);
    normed = sumi_op_multiply(graph, normed, over_tokens(graph, scale));
    return sumi_op_add(graph, normed, over_tokens(graph, shift));
}

sumi_node transformer_add(sumi_graph *graph, sumi_node tokens, sumi_node layer, sumi_node gate)
{
    return sumi_op_add(graph, tokens, sumi_op_multiply(graph, layer, over_tokens(graph, gate)));
}

/* ---- Attention and feed-forward ---- */

static sumi_node drop(sumi_graph *graph, const struct transformer *t, sumi_node x)
{
    return t->dropout > 0 ? sumi_op_dropout(graph, x, t->dropout) : x;
}

sumi_node transformer_attend(sumi_graph *graph, const struct transformer *t, const char *name,
                             sumi_node tokens, sumi_node context, sumi_node bias)
{
    char part[NAME_SIZE];
    const struct layer_linear kind = {t->attention_bias, LAYER_START_XAVIER};
    double scale = 1 / sqrt((double)t->head_width);
    sumi_node q = layer_linear_of(graph, layer_name(part, name, "to_q"), tokens, t->width, &kind);
    sumi_node k = layer_linear_of(graph, layer_name(part, name, "to_k"), context, t->width, &kind);
    sumi_node v = layer_linear_of(graph, layer_name(part, name, "to_v"), context, t->width, &kind);
    sumi_node h = sumi_op_attention_masked(graph, q, k, v, bias, false, t->heads, scale);
    h = layer_linear_of(graph, layer_name(part, name, "to_out.0"), h, t->width, &XAVIER);
    return drop(graph, t, h);
}

sumi_node transformer_norm_heads(sumi_graph *graph, const struct transformer *t,
                                 enum head_norm norm, const char *name, sumi_node x)
{
    const double epsilon = 1e-6;
    char weight[NAME_SIZE];
    if (norm == HEADS_PLAIN || x < 0) return x;
    struct shape whole = *graph_shape(graph, x);
    int64_t heads[4] = {whole.size[0], whole.size[1], t->heads, t->head_width};
    x = sumi_op_reshape(graph, x, 4, heads);
    if (norm == HEADS_LAYER) {
        x = layer_layer_norm(graph, name, x, epsilon);
    } else {
        sumi_node scale = sumi_graph_weight(graph, layer_name(weight, name, "weight"), 1,
                                            &t->head_width, SUMI_START_ONE, 0);
        x = sumi_op_rms_norm(graph, x, scale, epsilon);
    }
    return sumi_op_reshape(graph, x, 3, whole.size);
}

/* The activation; gated ones halve the width. */
static sumi_node activate(sumi_graph *graph, enum feed_kind kind, sumi_node x)
{
    switch (kind) {
    case FEED_GELU: return sumi_op_gelu(graph, x);
    case FEED_GELU_TANH: return sumi_op_gelu_tanh(graph, x);
    case FEED_GELU_QUICK: return sumi_op_gelu_quick(graph, x);
    case FEED_SILU: return sumi_op_silu(graph, x);
    case FEED_GEGLU: return sumi_op_geglu(graph, x);
    case FEED_SWIGLU: return ops_gate(graph, ACTIVATION_SILU, x);
    }
    return -1;
}

sumi_node transformer_feed_plain(sumi_graph *graph, const struct transformer *t, const char *name,
                                 sumi_node tokens)
{
    enum { WIDENING = 4 };
    char part[NAME_SIZE];
    bool gated = t->feed == FEED_GEGLU || t->feed == FEED_SWIGLU;
    int64_t inner = WIDENING * t->width * (gated ? 2 : 1);
    sumi_node h =
        layer_linear_of(graph, layer_name(part, name, "net.0.proj"), tokens, inner, &XAVIER);
    h = drop(graph, t, activate(graph, t->feed, h));
    return layer_linear_of(graph, layer_name(part, name, "net.2"), h, t->width, &XAVIER);
}

sumi_node transformer_feed(sumi_graph *graph, const struct transformer *t, const char *norm,
                           const char *name, sumi_node tokens, const sumi_node parts[3])
{
    sumi_node h = transformer_modulate(graph, norm, tokens, parts[0], parts[1], t->epsilon);
    return transformer_add(graph, tokens, transformer_feed_plain(graph, t, name, h), parts[2]);
}

/* ---- Times ---- */

sumi_node transformer_time(sumi_graph *graph, const char *name, sumi_node times, int64_t width)
{
    const struct time_waves kind = {TIME_WAVES, 0, true};
    return layer_time_mlp(graph, name, time_waves(graph, &kind, times), width, LAYER_START_NORMAL);
}
