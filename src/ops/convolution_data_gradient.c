/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of a convolution by its input, which is the transposed convolution: each y[n,oh,ow]
   adds its multiple of the kernel into x[n,h,w,in] (attributes.shape); and an epilogue, which only
   fusion adds. */
#include "ops/check.h"
#include "ops/convolution.h"
#include "ops/epilogue.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    struct convolution_sizes sizes;
    const char *name = node->op->name;
    const struct shape *x = &node->attributes.shape;
    TRY(convolution_describe(graph, name, &node->attributes.convolution, x,
                             input_shape(graph, node, 1), &sizes));
    TRY(convolution_expect(graph, name, input_shape(graph, node, 0), &sizes));
    node->shape = *x;
    return epilogue_check(graph, node, x);
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct convolution_sizes s = convolution_sizes_of(&node->attributes.convolution, &node->shape,
                                                      input_shape(graph, node, 1));
    convolution_reference(&s, TAP_X, inputs[1], inputs[0], output);
    epilogue_reference(node, inputs, output);
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    const sumi_convolution *geometry = &forward.attributes.convolution;
    sumi_node y = forward.inputs[0], weight = forward.inputs[1];
    struct shape kernel = *graph_shape(graph, weight);
    gradients[0] = sumi_op_convolution(graph, upstream, weight, -1, geometry);
    gradients[1] = ops_convolution_weight_gradient(graph, upstream, y, geometry, kernel.size[2],
                                                   kernel.size[3]);
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    struct convolution_sizes s = convolution_sizes_of(&node->attributes.convolution, &node->shape,
                                                      input_shape(graph, node, 1));
    least->operations = convolution_operations(&s) + epilogue_operations(node);
}

const struct op op_convolution_data_gradient = {.name = "transposed convolution",
                                                .min_inputs = 2,
                                                .max_inputs = 5,
                                                .infer = infer,
                                                .gradient = gradient,
                                                .reference = reference,
                                                .cost = cost,
                                                .storage = STORAGE_BFLOAT16};

sumi_node convolution_data_gradient(sumi_graph *graph, sumi_node upstream, sumi_node weight,
                                    const sumi_convolution *geometry, const struct shape *x)
{
    struct attributes attributes = {.convolution = *geometry, .shape = *x, .epilogue.scale = 1};
    return graph_append(graph, &op_convolution_data_gradient, 2, (sumi_node[]){upstream, weight},
                        &attributes);
}

sumi_node sumi_op_convolution_transposed(sumi_graph *graph, sumi_node y, sumi_node weight,
                                         const sumi_convolution *geometry, int64_t height,
                                         int64_t width)
{
    static const char *NAME = "transposed convolution";
    if (!ops_node_known(graph, NAME, y) || !ops_node_known(graph, NAME, weight)) return -1;
    const struct shape *from = graph_shape(graph, y), *kernel = graph_shape(graph, weight);
    if (from->rank != 4 || kernel->rank != 4) {
        ops_pair_refuse(graph, NAME, from, kernel,
                        "the input is [n, h, w, out] and the weight [out, in, kh, kw]");
        return -1;
    }
    struct shape x;
    int64_t size[4] = {from->size[0], height, width, kernel->size[1]};
    if (!ops_shape_given(graph, NAME, 4, size, &x)) return -1;
    return convolution_data_gradient(graph, y, weight, geometry, &x);
}
