/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of a linear layer by its weight [out, in, ...] (attributes.shape), from dy[..., out]
   and x in two arrays [..., first] and [..., second] whose channels follow each other: fusion
   replaces a 1x1 convolution's weight gradient by it where x is a concatenation. */
#include "ops/check.h"
#include "ops/linear.h"

static int64_t last_of(const sumi_graph *graph, const struct node *node, int input)
{
    const struct shape *shape = input_shape(graph, node, input);
    return shape->size[shape->rank - 1];
}

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *dy = input_shape(graph, node, 0);
    int64_t out = last_of(graph, node, 0), rows = shape_count(dy) / out, in = 0;
    node->shape = node->attributes.shape;
    for (int i = 1; i <= 2; i++) {
        int64_t width = last_of(graph, node, i);
        in += width;
        if (shape_count(input_shape(graph, node, i)) == rows * width) continue;
        return ops_pair_refuse(graph, "linear", dy, input_shape(graph, node, i),
                               "the numbers of rows differ");
    }
    if (shape_count(&node->shape) == out * in && node->shape.size[0] == out) return SUMI_OK;
    return ops_pair_refuse(graph, "linear", dy, &node->shape, "the weight is [out, in]");
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    int64_t out = last_of(graph, node, 0), in = shape_count(&node->shape) / out;
    int64_t rows = shape_count(input_shape(graph, node, 0)) / out, first = 0;
    for (int64_t i = 0; i < out * in; i++) output[i] = 0;
    for (int k = 1; k <= 2; k++) {
        int64_t width = last_of(graph, node, k);
        for (int64_t row = 0; row < rows; row++) {
            for (int64_t o = 0; o < out; o++) {
                for (int64_t i = 0; i < width; i++) {
                    output[o * in + first + i] +=
                        inputs[0][row * out + o] * inputs[k][row * width + i];
                }
            }
        }
        first += width;
    }
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    const struct shape *dy = input_shape(graph, node, 0);
    double rows = (double)(shape_count(dy) / dy->size[dy->rank - 1]);
    least->operations = 2.0 * rows * (double)shape_count(&node->shape);
}

const struct op op_linear_weight_gradient = {.name = "linear_weight_gradient",
                                             .min_inputs = 3,
                                             .max_inputs = 3,
                                             .infer = infer,
                                             .reference = reference,
                                             .cost = cost,
                                             .storage = STORAGE_FLOAT32};
