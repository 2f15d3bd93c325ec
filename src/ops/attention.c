/* SPDX-License-Identifier: Apache-2.0 */
/* Attention (Vaswani et al. 2017, eq. 1) for each head: y = softmax(q k' scale + bias) v. A causal
   one lets query i see keys 0 to i. */
#include "ops/attention.h"

#include <math.h>

#include "ops/check.h"
#include "ops/strides.h"

/* [n, heads, queries, keys]; each of the first three may be 1. */
static sumi_status check_bias(sumi_graph *graph, const struct node *node)
{
    int number = attention_bias_input(node);
    if (number < 0) return SUMI_OK;
    const struct shape *q = input_shape(graph, node, 0), *k = input_shape(graph, node, 1);
    const struct shape *bias = input_shape(graph, node, number);
    const int64_t most[4] = {q->size[0], node->attributes.attention.heads, q->size[1], k->size[1]};
    bool fits = bias->rank == 4 && bias->size[3] == most[3];
    for (int i = 0; i < 3 && fits; i++) fits = bias->size[i] == 1 || bias->size[i] == most[i];
    if (fits) return SUMI_OK;
    return ops_pair_refuse(graph, "attention", k, bias,
                           "the bias is [n, heads, queries, keys], of which all but the keys may "
                           "be 1");
}

sumi_status attention_check(sumi_graph *graph, const struct node *node)
{
    const struct shape *q = input_shape(graph, node, 0), *k = input_shape(graph, node, 1);
    const struct shape *v = input_shape(graph, node, 2);
    if (q->rank != 3 || k->rank != 3 || q->size[0] != k->size[0] || q->size[2] != k->size[2]) {
        return ops_pair_refuse(graph, "attention", q, k,
                               "q is [n, queries, channels] and k [n, keys, channels]");
    }
    if (!shape_equal(k, v)) {
        return ops_pair_refuse(graph, "attention", k, v, "k and v have one shape");
    }
    int64_t heads = node->attributes.attention.heads;
    if (heads < 1 || q->size[2] % heads != 0) {
        return graph_fail(graph, "attention: %lld channels do not divide into %lld heads",
                          (long long)q->size[2], (long long)heads);
    }
    if (node->attributes.attention.causal && q->size[1] != k->size[1]) {
        return ops_pair_refuse(graph, "attention", q, k,
                               "a causal one has as many queries as keys");
    }
    return check_bias(graph, node);
}

int attention_bias_input(const struct node *node)
{
    if (!node->attributes.attention.biased) return -1;
    return node->op == &op_attention ? ATTENTION_BIAS : ATTENTION_GRADIENT_BIAS;
}

struct attention_sizes attention_sizes_of(const sumi_graph *graph, const struct node *node)
{
    const struct shape *q = input_shape(graph, node, 0), *k = input_shape(graph, node, 1);
    int64_t heads = node->attributes.attention.heads;
    struct attention_sizes sizes = {q->size[0],         heads, q->size[1], k->size[1],
                                    q->size[2] / heads, {0}};
    const struct shape scores = {4, {sizes.n, sizes.heads, sizes.queries, sizes.keys}};
    int bias = attention_bias_input(node);
    if (bias >= 0) broadcast_strides(input_shape(graph, node, bias), &scores, sizes.bias_steps);
    return sizes;
}

int64_t attention_rows(const struct attention_sizes *sizes)
{
    return sizes->n * sizes->heads * sizes->queries;
}

double attention_scores(const struct node *node, const struct attention_sizes *sizes)
{
    double keys = (double)sizes->keys;
    if (node->attributes.attention.causal) keys = (keys + 1) / 2;
    return (double)attention_rows(sizes) * keys;
}

double attention_dot(const double *left, const double *right, int64_t d)
{
    double sum = 0;
    for (int64_t i = 0; i < d; i++) sum += left[i] * right[i];
    return sum;
}

static double score(const struct attention_row *row, const double *q, const double *k, int64_t key)
{
    const double *numbers = k + row->keys + key * row->step;
    double product = row->scale * attention_dot(q + row->query, numbers, row->d);
    return row->bias ? product + row->bias[key] : product;
}

double attention_weight(const struct attention_row *row, const double *q, const double *k,
                        int64_t key)
{
    return exp(score(row, q, k, key) - row->largest) / row->sum;
}

struct attention_row attention_row_at(const sumi_graph *graph, const struct node *node,
                                      const double *const *inputs, int64_t number)
{
    struct attention_sizes sizes = attention_sizes_of(graph, node);
    int64_t query = number % sizes.queries, head = number / sizes.queries % sizes.heads;
    int64_t item = number / sizes.queries / sizes.heads, step = sizes.heads * sizes.d;
    int bias = attention_bias_input(node);
    struct attention_row row = {.query = (item * sizes.queries + query) * step + head * sizes.d,
                                .keys = item * sizes.keys * step + head * sizes.d,
                                .step = step,
                                .d = sizes.d,
                                .seen = node->attributes.attention.causal ? query + 1 : sizes.keys,
                                .scale = node->attributes.attention.scale,
                                .largest = -INFINITY,
                                .sum = 0};
    if (bias >= 0) {
        row.bias = inputs[bias] + item * sizes.bias_steps[0] + head * sizes.bias_steps[1]
                   + query * sizes.bias_steps[2];
    }
    const double *q = inputs[0], *k = inputs[1];
    for (int64_t j = 0; j < row.seen; j++) row.largest = fmax(row.largest, score(&row, q, k, j));
    for (int64_t j = 0; j < row.seen; j++) row.sum += exp(score(&row, q, k, j) - row.largest);
    return row;
}

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(attention_check(graph, node));
    node->shape = *input_shape(graph, node, 0);
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct attention_sizes sizes = attention_sizes_of(graph, node);
    const double *q = inputs[0], *k = inputs[1], *v = inputs[2];
    for (int64_t r = 0; r < attention_rows(&sizes); r++) {
        struct attention_row row = attention_row_at(graph, node, inputs, r);
        double *y = output + row.query;
        for (int64_t c = 0; c < row.d; c++) y[c] = 0;
        for (int64_t j = 0; j < row.seen; j++) {
            double weight = attention_weight(&row, q, k, j);
            for (int64_t c = 0; c < row.d; c++) y[c] += weight * v[row.keys + j * row.step + c];
        }
        int rows = attention_input(node, ATTENTION_ROWS);
        if (node->input_count <= rows) continue;
        double *numbers = (double *)inputs[rows] + 2 * r;
        numbers[0] = row.largest;
        numbers[1] = row.sum;
    }
}

/* The gradient by the bias: that by the scores, summed over the axes along which the bias is
   repeated. */
static sumi_node bias_gradient(sumi_graph *graph, const struct node *forward, sumi_node upstream)
{
    struct shape shape = *input_shape(graph, forward, ATTENTION_BIAS);
    return ops_unbroadcast(graph, attention_build(graph, forward, upstream).slopes, &shape);
}

/* One fused op computes the gradients by q, k and v in one array; windows split it. */
static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    bool biased = forward.attributes.attention.biased;
    sumi_node inputs[5] = {forward.inputs[0], forward.inputs[1], forward.inputs[2], upstream,
                           biased ? forward.inputs[ATTENTION_BIAS] : -1};
    sumi_node all =
        graph_append(graph, &op_attention_gradient, 4 + biased, inputs, &forward.attributes);
    int64_t first = 0;
    for (int i = 0; i < 3; i++) {
        struct shape shape = *input_shape(graph, &forward, i);
        gradients[i] = ops_window(graph, all, first, &shape);
        first += shape_count(&shape);
    }
    if (biased) gradients[ATTENTION_BIAS] = bias_gradient(graph, &forward, upstream);
}

/* two products of queries, keys and d, and a softmax of the scores */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    struct attention_sizes s = attention_sizes_of(graph, node);
    least->operations = attention_scores(node, &s) * (4.0 * (double)s.d + 5.0);
}

const struct op op_attention = {.name = "attention",
                                .min_inputs = 3,
                                .max_inputs = 5,
                                .infer = infer,
                                .gradient = gradient,
                                .reference = reference,
                                .cost = cost};

sumi_node sumi_op_attention_masked(sumi_graph *graph, sumi_node q, sumi_node k, sumi_node v,
                                   sumi_node bias, bool causal, int64_t heads, double scale)
{
    bool biased = bias != -1;
    struct attributes attributes = {.attention = {heads, scale, biased, causal}};
    return graph_append(graph, &op_attention, 3 + biased, (sumi_node[]){q, k, v, bias},
                        &attributes);
}

sumi_node sumi_op_attention(sumi_graph *graph, sumi_node q, sumi_node k, sumi_node v, int64_t heads,
                            double scale)
{
    return sumi_op_attention_masked(graph, q, k, v, -1, false, heads, scale);
}
