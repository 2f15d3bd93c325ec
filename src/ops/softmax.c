/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax along the last axis: y_i = e^(x_i - m) / sum_j e^(x_j - m) with the row's largest m. */
#include <math.h>

#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    if (x->rank < 1) return graph_fail(graph, "softmax: a single number has no last axis");
    node->shape = *x;
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    int64_t size = node->shape.size[node->shape.rank - 1];
    int64_t rows = shape_count(&node->shape) / size;
    for (int64_t r = 0; r < rows; r++) {
        const double *x = inputs[0] + r * size;
        double *y = output + r * size, largest = x[0], sum = 0;
        for (int64_t i = 1; i < size; i++) largest = fmax(largest, x[i]);
        for (int64_t i = 0; i < size; i++) sum += y[i] = exp(x[i] - largest);
        for (int64_t i = 0; i < size; i++) y[i] /= sum;
    }
}

/* dx = y (dy - sum(dy y)) */
static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    unsigned last = 1u << (graph_shape(graph, node)->rank - 1);
    sumi_node sum = sumi_op_sum(graph, sumi_op_multiply(graph, upstream, node), last);
    sumi_node centred = sumi_op_subtract(graph, upstream, sum);
    gradients[0] = sumi_op_multiply(graph, node, centred);
}

/* subtract the largest, exponential, sum, division */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    least->operations = 4.0 * (double)shape_count(&node->shape);
}

const struct op op_softmax = {.name = "softmax",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .infer = infer,
                              .gradient = gradient,
                              .reference = reference,
                              .cost = cost};

sumi_node sumi_op_softmax(sumi_graph *graph, sumi_node x)
{
    return graph_append(graph, &op_softmax, 1, &x, NULL);
}
