/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of a convolution by its weight [out,in,kh,kw] (attributes.shape), from the input
   x[n,h,w,in] and the gradient y[n,oh,ow,out] by the result. */
#include "ops/check.h"
#include "ops/convolution.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    struct convolution_sizes sizes;
    const char *name = node->op->name;
    TRY(convolution_describe(graph, name, &node->attributes.convolution,
                             input_shape(graph, node, 0), &node->attributes.shape, &sizes));
    TRY(convolution_expect(graph, name, input_shape(graph, node, 1), &sizes));
    node->shape = node->attributes.shape;
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct convolution_sizes s = convolution_sizes_of(&node->attributes.convolution,
                                                      input_shape(graph, node, 0), &node->shape);
    convolution_reference(&s, TAP_WEIGHT, inputs[0], inputs[1], output);
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    const sumi_convolution *geometry = &forward.attributes.convolution;
    sumi_node x = forward.inputs[0], y = forward.inputs[1];
    struct shape from = *graph_shape(graph, x);
    gradients[0] = convolution_data_gradient(graph, y, upstream, geometry, &from);
    gradients[1] = sumi_op_convolution(graph, x, upstream, -1, geometry);
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    struct convolution_sizes s = convolution_sizes_of(&node->attributes.convolution,
                                                      input_shape(graph, node, 0), &node->shape);
    least->operations = convolution_operations(&s);
}

const struct op op_convolution_weight_gradient = {.name = "convolution weight gradient",
                                                  .min_inputs = 2,
                                                  .max_inputs = 2,
                                                  .infer = infer,
                                                  .gradient = gradient,
                                                  .reference = reference,
                                                  .cost = cost,
                                                  .storage = STORAGE_FLOAT32};

sumi_node ops_convolution_weight_gradient(sumi_graph *graph, sumi_node x, sumi_node upstream,
                                          const sumi_convolution *geometry, int64_t kernel_height,
                                          int64_t kernel_width)
{
    static const char *NAME = "convolution weight gradient";
    if (!ops_node_known(graph, NAME, x) || !ops_node_known(graph, NAME, upstream)) return -1;
    const struct shape *from = graph_shape(graph, x), *to = graph_shape(graph, upstream);
    if (from->rank != 4 || to->rank != 4) {
        ops_pair_refuse(graph, NAME, from, to, "both are [n, h, w, channels]");
        return -1;
    }
    int64_t size[4] = {to->size[3], from->size[3], kernel_height, kernel_width};
    struct attributes attributes = {.convolution = *geometry};
    if (!ops_shape_given(graph, NAME, 4, size, &attributes.shape)) return -1;
    return graph_append(graph, &op_convolution_weight_gradient, 2, (sumi_node[]){x, upstream},
                        &attributes);
}
