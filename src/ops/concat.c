/* SPDX-License-Identifier: Apache-2.0 */
/* Two arrays joined along an axis. */
#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *a = input_shape(graph, node, 0), *b = input_shape(graph, node, 1);
    int axis = node->attributes.concat.axis;
    TRY(ops_axis_expect(graph, "concat", axis, a));
    struct shape like_a = *b;
    if (b->rank == a->rank) like_a.size[axis] = a->size[axis];
    if (!shape_equal(a, &like_a)) {
        return ops_pair_refuse(graph, "concat", a, b, "all axes but the joined one must agree");
    }
    node->shape = *a;
    node->shape.size[axis] += b->size[axis];
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    int axis = node->attributes.concat.axis;
    int64_t outer = shape_span(&node->shape, 0, axis);
    int64_t run[2];
    for (int i = 0; i < 2; i++) {
        run[i] = shape_span(input_shape(graph, node, i), axis, node->shape.rank);
    }
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < run[0]; i++) *output++ = inputs[0][o * run[0] + i];
        for (int64_t i = 0; i < run[1]; i++) *output++ = inputs[1][o * run[1] + i];
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    const struct node *forward = graph_node(graph, node);
    int axis = forward->attributes.concat.axis;
    int64_t left = input_shape(graph, forward, 0)->size[axis];
    int64_t right = input_shape(graph, forward, 1)->size[axis];
    gradients[0] = sumi_op_slice(graph, upstream, axis, 0, left);
    gradients[1] = sumi_op_slice(graph, upstream, axis, left, right);
}

const struct op op_concat = {.name = "concat",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .infer = infer,
                             .gradient = gradient,
                             .reference = reference,
                             .cost = cost_of_moving};

sumi_node sumi_op_concat(sumi_graph *graph, sumi_node a, sumi_node b, int axis)
{
    struct attributes attributes = {.concat.axis = axis};
    return graph_append(graph, &op_concat, 2, (sumi_node[]){a, b}, &attributes);
}
