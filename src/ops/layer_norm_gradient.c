/* SPDX-License-Identifier: Apache-2.0 */
/* The gradients of layer normalisation. With xhat the normalised row and g = scale dy,
   dx = (g - mean(g) - xhat mean(g xhat)) / deviation, without mean(g) for RMS normalisation; those
   of shift and scale are sums over an item's rows: sums[0, n, d] = sum(dy) and
   sums[1, n, d] = sum(dy xhat). Where a plan needs both, fusion makes the sums a side output of
   the op that gives dx. */
#include "ops/check.h"
#include "ops/layer_norm.h"

static sumi_status check_upstream(sumi_graph *graph, const struct node *node)
{
    TRY(layer_norm_check(graph, node, 0));
    const struct shape *x = input_shape(graph, node, LAYER_NORM_X);
    const struct shape *dy = input_shape(graph, node, LAYER_NORM_UPSTREAM);
    if (shape_equal(x, dy)) return SUMI_OK;
    return ops_pair_refuse(graph, "layer_norm", x, dy,
                           "the input and the upstream gradient have one shape");
}

/* ---- the sums ---- */

static sumi_status infer_sums(sumi_graph *graph, struct node *node)
{
    TRY(check_upstream(graph, node));
    struct layer_norm_sizes sizes = layer_norm_sizes_of(graph, node);
    node->shape = (struct shape){3, {2, sizes.n, sizes.d}};
    return SUMI_OK;
}

static void fill_sums(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *sums)
{
    struct layer_norm_sizes sizes = layer_norm_sizes_of(graph, node);
    int64_t half = sizes.n * sizes.d;
    for (int64_t i = 0; i < 2 * half; i++) sums[i] = 0;
    for (int64_t row = 0; row < sizes.n * sizes.rows; row++) {
        const double *x = inputs[LAYER_NORM_X] + row * sizes.d;
        const double *dy = inputs[LAYER_NORM_UPSTREAM] + row * sizes.d;
        struct layer_norm_moments m = layer_norm_moments_of(x, sizes.d, &node->attributes);
        double *sum = sums + row / sizes.rows * sizes.d;
        for (int64_t i = 0; i < sizes.d; i++) {
            sum[i] += dy[i];
            sum[half + i] += dy[i] * (x[i] - m.mean) * m.inverse;
        }
    }
}

static void reference_sums(const sumi_graph *graph, const struct node *node,
                           const double *const *inputs, double *output, const struct run_key *key)
{
    (void)key;
    fill_sums(graph, node, inputs, output);
}

static sumi_node expand_sums(sumi_graph *graph, sumi_node node)
{
    struct node fused = *graph_node(graph, node);
    struct layer_norm_sizes sizes = layer_norm_sizes_of(graph, &fused);
    int64_t split[3] = {sizes.n, sizes.rows, sizes.d};
    sumi_node x = sumi_op_reshape(graph, fused.inputs[LAYER_NORM_X], 3, split);
    sumi_node dy = sumi_op_reshape(graph, fused.inputs[LAYER_NORM_UPSTREAM], 3, split);
    struct layer_norm_parts parts = layer_norm_normalize(graph, x, &fused.attributes);
    sumi_node sum = sumi_op_sum(graph, dy, 1u << 1);
    sumi_node product = sumi_op_multiply(graph, dy, parts.normalized);
    sumi_node both = sumi_op_concat(graph, sum, sumi_op_sum(graph, product, 1u << 1), 0);
    return ops_reshape(graph, both, &fused.shape);
}

/* xhat with its moments, a product and two sums */
static void cost_sums(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    double each = node->attributes.layer_norm.rms ? 6.0 : 9.0;
    least->operations = each * (double)shape_count(input_shape(graph, node, LAYER_NORM_X));
}

const struct op op_layer_norm_sums = {.name = "layer_norm_sums",
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .infer = infer_sums,
                                      .expand = expand_sums,
                                      .reference = reference_sums,
                                      .cost = cost_sums,
                                      .storage = STORAGE_FLOAT32};

/* ---- the gradient by x ---- */

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(check_upstream(graph, node));
    if (node->input_count > LAYER_NORM_GRADIENT_SCALE) {
        TRY(layer_norm_check(graph, node, LAYER_NORM_GRADIENT_SCALE));
    }
    node->shape = *input_shape(graph, node, LAYER_NORM_X);
    return SUMI_OK;
}

/* The row's dx from its x, g = scale dy. */
static void row_gradient(const double *x, const double *dy, const double *scale, int64_t d,
                         const struct attributes *attributes, double *dx)
{
    struct layer_norm_moments m = layer_norm_moments_of(x, d, attributes);
    double mean = 0, product = 0;
    for (int64_t i = 0; i < d; i++) {
        double g = (scale ? scale[i] : 1) * dy[i];
        if (!attributes->layer_norm.rms) mean += g / (double)d;
        product += g * (x[i] - m.mean) * m.inverse / (double)d;
    }
    for (int64_t i = 0; i < d; i++) {
        double g = (scale ? scale[i] : 1) * dy[i], xhat = (x[i] - m.mean) * m.inverse;
        dx[i] = m.inverse * (g - mean - xhat * product);
    }
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct layer_norm_sizes sizes = layer_norm_sizes_of(graph, node);
    bool scaled = node->input_count > LAYER_NORM_GRADIENT_SCALE;
    bool by_item = scaled && input_shape(graph, node, LAYER_NORM_GRADIENT_SCALE)->rank == 2;
    for (int64_t row = 0; row < sizes.n * sizes.rows; row++) {
        int64_t at = row * sizes.d, item = by_item ? row / sizes.rows : 0;
        const double *scale = scaled ? inputs[LAYER_NORM_GRADIENT_SCALE] + item * sizes.d : NULL;
        row_gradient(inputs[LAYER_NORM_X] + at, inputs[LAYER_NORM_UPSTREAM] + at, scale, sizes.d,
                     &node->attributes, output + at);
    }
    if (node->input_count <= LAYER_NORM_GRADIENT_SUMS) return;
    fill_sums(graph, node, inputs, (double *)inputs[LAYER_NORM_GRADIENT_SUMS]);
}

static sumi_node expand(sumi_graph *graph, sumi_node node)
{
    struct node fused = *graph_node(graph, node);
    struct shape shape = fused.shape;
    unsigned last = 1u << (shape.rank - 1);
    struct layer_norm_parts parts =
        layer_norm_normalize(graph, fused.inputs[LAYER_NORM_X], &fused.attributes);
    sumi_node g = fused.inputs[LAYER_NORM_UPSTREAM];
    if (fused.input_count > LAYER_NORM_GRADIENT_SCALE) {
        sumi_node scale = fused.inputs[LAYER_NORM_GRADIENT_SCALE];
        g = sumi_op_multiply(graph, g, layer_norm_spread(graph, scale, &shape));
    }
    sumi_node product = sumi_op_multiply(graph, g, parts.normalized);
    sumi_node by_size =
        sumi_op_multiply(graph, parts.normalized, sumi_op_mean(graph, product, last));
    if (!fused.attributes.layer_norm.rms)
        g = sumi_op_subtract(graph, g, sumi_op_mean(graph, g, last));
    return sumi_op_multiply(graph, sumi_op_subtract(graph, g, by_size), parts.inverse);
}

/* xhat with its moments, two means of g, and dx */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    double each = node->attributes.layer_norm.rms ? 10.0 : 15.0;
    if (node->input_count > LAYER_NORM_GRADIENT_SUMS) each += 3;
    least->operations = each * (double)shape_count(&node->shape);
}

const struct op op_layer_norm_gradient = {.name = "layer_norm_gradient",
                                          .min_inputs = 2,
                                          .max_inputs = 4,
                                          .infer = infer,
                                          .expand = expand,
                                          .reference = reference,
                                          .cost = cost};
