/* SPDX-License-Identifier: Apache-2.0 */
/* The linear layer as one op, y[..., out] = x[..., in] W' or x W, and an epilogue: fusion replaces
   a matrix product with additions, and a 1x1 convolution of a concatenation, by it. x may consist
   of two arrays, whose channels follow each other (the last input). Arrays are rows of their last
   axis, for any axes before it, and W may have further axes of size one at the end. */
#include "ops/linear.h"

#include "ops/check.h"

struct linear_sizes linear_sizes_of(const sumi_graph *graph, const struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0), *w = input_shape(graph, node, 1);
    int second = epilogue_input(node, LINEAR_SECOND);
    bool transposed = node->attributes.matmul.transpose_b;
    int64_t rows = w->size[0], columns = shape_count(w) / rows;
    struct linear_sizes sizes = {.rows = shape_count(x) / x->size[x->rank - 1],
                                 .first = x->size[x->rank - 1],
                                 .out = transposed ? rows : columns,
                                 .w_in = transposed ? 1 : columns,
                                 .w_out = transposed ? columns : 1};
    if (second >= 0) {
        const struct shape *more = input_shape(graph, node, second);
        sizes.second = more->size[more->rank - 1];
    }
    return sizes;
}

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0), *w = input_shape(graph, node, 1);
    struct linear_sizes s = linear_sizes_of(graph, node);
    node->shape = node->attributes.shape;
    bool product = (s.first + s.second) * s.out == shape_count(w);
    bool result = shape_count(&node->shape) == s.rows * s.out
                  && node->shape.size[node->shape.rank - 1] == s.out;
    if (product && result) return epilogue_check(graph, node, &node->shape);
    return ops_pair_refuse(graph, "linear", x, w, "the inner sizes differ");
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct linear_sizes s = linear_sizes_of(graph, node);
    int second = epilogue_input(node, LINEAR_SECOND);
    for (int64_t row = 0; row < s.rows; row++) {
        for (int64_t o = 0; o < s.out; o++) {
            double sum = 0;
            for (int64_t i = 0; i < s.first; i++) {
                sum += inputs[0][row * s.first + i] * inputs[1][i * s.w_in + o * s.w_out];
            }
            for (int64_t i = 0; i < s.second; i++) {
                sum += inputs[second][row * s.second + i]
                       * inputs[1][(s.first + i) * s.w_in + o * s.w_out];
            }
            output[row * s.out + o] = sum;
        }
    }
    epilogue_reference(node, inputs, output);
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    struct linear_sizes s = linear_sizes_of(graph, node);
    least->operations = 2.0 * (double)(s.first + s.second) * (double)shape_count(&node->shape)
                        + epilogue_operations(node);
}

const struct op op_linear_whole = {.name = "linear",
                                   .min_inputs = 2,
                                   .max_inputs = 6,
                                   .infer = infer,
                                   .reference = reference,
                                   .cost = cost};
