/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of attention by q, k and v, given dy: one array dq | dk | dv. With the weights p
   and s the scores before scaling, dv = p' dy, dp = dy v', ds = scale p (dp - sum(p dp)),
   dq = ds k, dk = ds' q. That by a bias, ds without the scale, is made of elementary ops. */
#include "ops/attention.h"
#include "ops/check.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(attention_check(graph, node));
    const struct shape *q = input_shape(graph, node, 0), *k = input_shape(graph, node, 1);
    const struct shape *dy = input_shape(graph, node, ATTENTION_UPSTREAM);
    if (!shape_equal(q, dy)) {
        return ops_pair_refuse(graph, "attention_gradient", q, dy, "q and dy have one shape");
    }
    node->shape = (struct shape){1, {shape_count(q) + 2 * shape_count(k)}};
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct attention_sizes sizes = attention_sizes_of(graph, node);
    const double *q = inputs[0], *k = inputs[1], *v = inputs[2];
    const double *dy = inputs[ATTENTION_UPSTREAM];
    double *dq = output, *dk = dq + shape_count(input_shape(graph, node, 0));
    double *dv = dk + shape_count(input_shape(graph, node, 1));
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) output[i] = 0;
    for (int64_t r = 0; r < attention_rows(&sizes); r++) {
        struct attention_row row = attention_row_at(graph, node, inputs, r);
        double mean = 0;
        for (int64_t j = 0; j < row.seen; j++) {
            double dp = attention_dot(dy + row.query, v + row.keys + j * row.step, row.d);
            mean += attention_weight(&row, q, k, j) * dp;
        }
        for (int64_t j = 0; j < row.seen; j++) {
            int64_t place = row.keys + j * row.step;
            double weight = attention_weight(&row, q, k, j);
            double dp = attention_dot(dy + row.query, v + place, row.d);
            double ds = row.scale * weight * (dp - mean);
            for (int64_t c = 0; c < row.d; c++) {
                dq[row.query + c] += ds * k[place + c];
                dk[place + c] += ds * q[row.query + c];
                dv[place + c] += weight * dy[row.query + c];
            }
        }
    }
}

/* x[n, l, heads*d] to [n, heads, l, d] */
static sumi_node split_heads(sumi_graph *graph, sumi_node x, int64_t heads)
{
    struct shape from = *graph_shape(graph, x);
    int64_t split[4] = {from.size[0], from.size[1], heads, from.size[2] / heads};
    sumi_node parts = sumi_op_reshape(graph, x, 4, split);
    return sumi_op_permute(graph, parts, (int[]){0, 2, 1, 3});
}

/* x[n, heads, l, d] to one row of numbers in the order [n, l, heads, d] */
static sumi_node flatten_heads(sumi_graph *graph, sumi_node x)
{
    sumi_node merged = sumi_op_permute(graph, x, (int[]){0, 2, 1, 3});
    if (merged < 0) return -1;
    int64_t count = shape_count(graph_shape(graph, merged));
    return sumi_op_reshape(graph, merged, 1, &count);
}

/* What a causal attention adds to its scores: [length, length]. */
static sumi_node causal_bias(sumi_graph *graph, int64_t length)
{
    float *values =
        context_allocate_zeroed(graph->context, (size_t)(length * length), sizeof *values);
    if (!values) {
        graph_fail_with(graph, SUMI_ERROR_MEMORY);
        return -1;
    }
    for (int64_t i = 0; i < length; i++) {
        for (int64_t j = i + 1; j < length; j++) values[i * length + j] = HIDDEN_SCORE;
    }
    sumi_node node = sumi_graph_constant(graph, 2, (int64_t[]){length, length}, values);
    context_release(graph->context, values);
    return node;
}

static sumi_node build_scores(sumi_graph *graph, const struct node *node, sumi_node q, sumi_node k)
{
    sumi_node scores = sumi_op_affine(graph, sumi_op_matmul(graph, q, k, false, true),
                                      node->attributes.attention.scale, 0);
    int bias = attention_bias_input(node);
    if (bias >= 0) scores = sumi_op_add(graph, scores, node->inputs[bias]);
    if (!node->attributes.attention.causal || scores < 0) return scores;
    int64_t length = graph_shape(graph, scores)->size[3];
    return sumi_op_add(graph, scores, causal_bias(graph, length));
}

struct attention_parts attention_build(sumi_graph *graph, const struct node *node,
                                       sumi_node upstream)
{
    int64_t heads = node->attributes.attention.heads;
    struct attention_parts parts = {.q = split_heads(graph, node->inputs[0], heads),
                                    .k = split_heads(graph, node->inputs[1], heads),
                                    .v = split_heads(graph, node->inputs[2], heads),
                                    .upstream = split_heads(graph, upstream, heads)};
    parts.weights = sumi_op_softmax(graph, build_scores(graph, node, parts.q, parts.k));
    sumi_node dp = sumi_op_matmul(graph, parts.upstream, parts.v, false, true);
    sumi_node mean = sumi_op_sum(graph, sumi_op_multiply(graph, parts.weights, dp), 1u << 3);
    sumi_node centred = sumi_op_subtract(graph, dp, mean);
    parts.slopes = sumi_op_multiply(graph, parts.weights, centred);
    return parts;
}

static sumi_node expand(sumi_graph *graph, sumi_node node)
{
    struct node fused = *graph_node(graph, node);
    struct attention_parts parts = attention_build(graph, &fused, fused.inputs[ATTENTION_UPSTREAM]);
    sumi_node ds = sumi_op_affine(graph, parts.slopes, fused.attributes.attention.scale, 0);
    sumi_node dq = flatten_heads(graph, sumi_op_matmul(graph, ds, parts.k, false, false));
    sumi_node dk = flatten_heads(graph, sumi_op_matmul(graph, ds, parts.q, true, false));
    sumi_node dv =
        flatten_heads(graph, sumi_op_matmul(graph, parts.weights, parts.upstream, true, false));
    return sumi_op_concat(graph, sumi_op_concat(graph, dq, dk, 0), dv, 0);
}

/* five products of queries, keys and d (the scores are worked out again), the softmax, and ds */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    struct attention_sizes s = attention_sizes_of(graph, node);
    least->operations = attention_scores(node, &s) * (10.0 * (double)s.d + 9.0);
}

const struct op op_attention_gradient = {.name = "attention_gradient",
                                         .min_inputs = 4,
                                         .max_inputs = 7,
                                         .infer = infer,
                                         .expand = expand,
                                         .reference = reference,
                                         .cost = cost};
