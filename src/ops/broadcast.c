/* SPDX-License-Identifier: Apache-2.0 */
/* Repetition along axes of size 1 and along new axes in front, by numpy's rules. */
#include "ops/check.h"
#include "ops/ops.h"
#include "ops/strides.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *from = input_shape(graph, node, 0), *to = &node->attributes.shape;
    int added = to->rank - from->rank;
    bool fits = added >= 0;
    for (int i = 0; fits && i < from->rank; i++) {
        fits = from->size[i] == 1 || from->size[i] == to->size[i + added];
    }
    if (!fits) {
        return ops_pair_refuse(graph, "broadcast", from, to,
                               "only axes of size 1 and new axes in front repeat");
    }
    node->shape = *to;
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    int64_t stride[SUMI_MAX_RANK];
    broadcast_strides(input_shape(graph, node, 0), &node->shape, stride);
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) {
        output[i] = inputs[0][strided_offset(&node->shape, stride, i)];
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    const struct shape *x = input_shape(graph, graph_node(graph, node), 0);
    gradients[0] = ops_unbroadcast(graph, upstream, x);
}

const struct op op_broadcast = {.name = "broadcast",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .infer = infer,
                                .gradient = gradient,
                                .reference = reference,
                                .cost = cost_of_moving,
                                .storage = STORAGE_FLOAT32};

sumi_node sumi_op_broadcast(sumi_graph *graph, sumi_node x, int rank, const int64_t *shape)
{
    struct attributes attributes = {0};
    if (!ops_node_known(graph, "broadcast", x)) return -1;
    if (!ops_shape_given(graph, "broadcast", rank, shape, &attributes.shape)) return -1;
    if (shape_equal(graph_shape(graph, x), &attributes.shape)) return x;
    return graph_append(graph, &op_broadcast, 1, &x, &attributes);
}
