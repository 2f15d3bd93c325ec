/* SPDX-License-Identifier: Apache-2.0 */
/* Attention (Vaswani et al. 2017, eq. 1) for each head: y = softmax(q k' scale) v. */
#include "ops/attention.h"

#include <math.h>

#include "ops/check.h"

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
    return SUMI_OK;
}

struct attention_sizes attention_sizes_of(const sumi_graph *graph, const struct node *node)
{
    const struct shape *q = input_shape(graph, node, 0), *k = input_shape(graph, node, 1);
    int64_t heads = node->attributes.attention.heads;
    return (struct attention_sizes){q->size[0], heads, q->size[1], k->size[1], q->size[2] / heads};
}

int64_t attention_rows(const struct attention_sizes *sizes)
{
    return sizes->n * sizes->heads * sizes->queries;
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
    return row->scale * attention_dot(q + row->query, numbers, row->d);
}

double attention_weight(const struct attention_row *row, const double *q, const double *k,
                        int64_t key)
{
    return exp(score(row, q, k, key) - row->largest) / row->sum;
}

struct attention_row attention_row_at(const struct attention_sizes *sizes, double scale,
                                      const double *q, const double *k, int64_t number)
{
    int64_t query = number % sizes->queries, head = number / sizes->queries % sizes->heads;
    int64_t item = number / sizes->queries / sizes->heads, step = sizes->heads * sizes->d;
    struct attention_row row = {.query = (item * sizes->queries + query) * step + head * sizes->d,
                                .keys = item * sizes->keys * step + head * sizes->d,
                                .step = step,
                                .d = sizes->d,
                                .scale = scale,
                                .largest = -INFINITY,
                                .sum = 0};
    for (int64_t j = 0; j < sizes->keys; j++) {
        row.largest = fmax(row.largest, score(&row, q, k, j));
    }
    for (int64_t j = 0; j < sizes->keys; j++) row.sum += exp(score(&row, q, k, j) - row.largest);
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
        struct attention_row row =
            attention_row_at(&sizes, node->attributes.attention.scale, q, k, r);
        double *y = output + row.query;
        for (int64_t c = 0; c < row.d; c++) y[c] = 0;
        for (int64_t j = 0; j < sizes.keys; j++) {
            double weight = attention_weight(&row, q, k, j);
            for (int64_t c = 0; c < row.d; c++) y[c] += weight * v[row.keys + j * row.step + c];
        }
        if (node->input_count <= ATTENTION_ROWS) continue;
        double *numbers = (double *)inputs[ATTENTION_ROWS] + 2 * r;
        numbers[0] = row.largest;
        numbers[1] = row.sum;
    }
}

/* One fused op gives all three gradients in a row; windows take them apart. */
static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    sumi_node inputs[4] = {forward.inputs[0], forward.inputs[1], forward.inputs[2], upstream};
    sumi_node all = graph_append(graph, &op_attention_gradient, 4, inputs, &forward.attributes);
    int64_t first = 0;
    for (int i = 0; i < 3; i++) {
        struct shape shape = *input_shape(graph, &forward, i);
        gradients[i] = ops_window(graph, all, first, &shape);
        first += shape_count(&shape);
    }
}

/* two products of queries, keys and d, and a softmax of the scores */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    struct attention_sizes s = attention_sizes_of(graph, node);
    double scores = (double)attention_rows(&s) * (double)s.keys;
    least->operations = scores * (4.0 * (double)s.d + 5.0);
}

const struct op op_attention = {.name = "attention",
                                .min_inputs = 3,
                                .max_inputs = 4,
                                .infer = infer,
                                .gradient = gradient,
                                .reference = reference,
                                .cost = cost};

sumi_node sumi_op_attention(sumi_graph *graph, sumi_node q, sumi_node k, sumi_node v, int64_t heads,
                            double scale)
{
    struct attributes attributes = {.attention = {heads, scale}};
    return graph_append(graph, &op_attention, 3, (sumi_node[]){q, k, v}, &attributes);
}
