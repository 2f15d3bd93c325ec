/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution of images: y[n,oh,ow,o] = the sum over input channels i and kernel places (ky, kx) of
   weight[o,i,ky,kx] x[n, oh stride - before + ky, ow stride - before + kx, i], where x is zero
   outside (what torch and most networks call convolution; no kernel is flipped); and an epilogue,
   of which the builder sets the bias. */
#include "ops/convolution.h"

#include "ops/check.h"
#include "ops/epilogue.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    struct convolution_sizes sizes;
    TRY(convolution_describe(graph, "convolution", &node->attributes.convolution,
                             input_shape(graph, node, 0), input_shape(graph, node, 1), &sizes));
    if (node->attributes.epilogue.parts & EPILOGUE_BIAS) {
        const struct shape *bias = input_shape(graph, node, 2);
        if (bias->rank != 1 || bias->size[0] != sizes.out) {
            return ops_pair_refuse(graph, "convolution", input_shape(graph, node, 1), bias,
                                   "the weight is [out, in, kh, kw] and the bias [out]");
        }
    }
    node->shape = convolution_result(&sizes);
    return epilogue_check(graph, node, &node->shape);
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct convolution_sizes s = convolution_sizes_of(
        &node->attributes.convolution, input_shape(graph, node, 0), input_shape(graph, node, 1));
    convolution_reference(&s, TAP_Y, inputs[0], inputs[1], output);
    epilogue_reference(node, inputs, output);
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    const sumi_convolution *geometry = &forward.attributes.convolution;
    struct shape x = *input_shape(graph, &forward, 0), weight = *input_shape(graph, &forward, 1);
    gradients[0] = convolution_data_gradient(graph, upstream, forward.inputs[1], geometry, &x);
    gradients[1] = ops_convolution_weight_gradient(graph, forward.inputs[0], upstream, geometry,
                                                   weight.size[2], weight.size[3]);
    if (!forward.attributes.epilogue.parts) return;
    sumi_node sum = sumi_op_sum(graph, upstream, 1u << 0 | 1u << 1 | 1u << 2);
    gradients[2] = sumi_op_reshape(graph, sum, 1, &weight.size[0]);
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    struct convolution_sizes s = convolution_sizes_of(
        &node->attributes.convolution, input_shape(graph, node, 0), input_shape(graph, node, 1));
    least->operations = convolution_operations(&s) + epilogue_operations(node);
}

const struct op op_convolution = {.name = "convolution",
                                  .min_inputs = 2,
                                  .max_inputs = 5,
                                  .infer = infer,
                                  .gradient = gradient,
                                  .reference = reference,
                                  .cost = cost,
                                  .storage = STORAGE_BFLOAT16};

sumi_node sumi_op_convolution(sumi_graph *graph, sumi_node x, sumi_node weight, sumi_node bias,
                              const sumi_convolution *geometry)
{
    struct attributes attributes = {.convolution = *geometry, .epilogue.scale = 1};
    if (bias != -1) attributes.epilogue.parts = EPILOGUE_BIAS;
    return graph_append(graph, &op_convolution, 3, (sumi_node[]){x, weight, bias}, &attributes);
}
