/* SPDX-License-Identifier: Apache-2.0 */
/* Zeros before (`first`) and after (`last`) along one axis. Its transpose is slice. */
#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    const struct attributes *attributes = &node->attributes;
    TRY(ops_axis_expect(graph, "pad", attributes->pad.axis, x));
    bool possible = attributes->pad.before >= 0 && attributes->pad.before <= ELEMENT_LIMIT
                    && attributes->pad.after >= 0 && attributes->pad.after <= ELEMENT_LIMIT;
    if (!possible) {
        return graph_fail(graph, "pad: %lld zeros before and %lld after are not possible",
                          (long long)attributes->pad.before, (long long)attributes->pad.after);
    }
    node->shape = *x;
    node->shape.size[attributes->pad.axis] += attributes->pad.before + attributes->pad.after;
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    const struct shape *x = input_shape(graph, node, 0), *y = &node->shape;
    int axis = node->attributes.pad.axis;
    int64_t outer = shape_span(x, 0, axis), inner = shape_span(x, axis + 1, x->rank);
    int64_t count = shape_count(y);
    for (int64_t i = 0; i < count; i++) output[i] = 0;
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < x->size[axis]; i++) {
            int64_t from = (o * x->size[axis] + i) * inner;
            int64_t to = (o * y->size[axis] + node->attributes.pad.before + i) * inner;
            for (int64_t j = 0; j < inner; j++) output[to + j] = inputs[0][from + j];
        }
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct attributes attributes = graph_node(graph, node)->attributes;
    int64_t size = input_shape(graph, graph_node(graph, node), 0)->size[attributes.pad.axis];
    gradients[0] = sumi_op_slice(graph, upstream, attributes.pad.axis, attributes.pad.before, size);
}

const struct op op_pad = {.name = "pad",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .infer = infer,
                          .gradient = gradient,
                          .reference = reference,
                          .cost = cost_of_moving};

sumi_node sumi_op_pad(sumi_graph *graph, sumi_node x, int axis, int64_t before, int64_t after)
{
    struct attributes attributes = {.pad = {axis, before, after}};
    return graph_append(graph, &op_pad, 1, &x, &attributes);
}
