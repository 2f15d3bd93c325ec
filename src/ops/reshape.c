/* SPDX-License-Identifier: Apache-2.0 */
/* The same elements in the same order with another shape: a view, no copy. */
#include <string.h>

#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *from = input_shape(graph, node, 0), *to = &node->attributes.shape;
    if (shape_count(from) != shape_count(to)) {
        return ops_pair_refuse(graph, "reshape", from, to, "the numbers of elements differ");
    }
    node->shape = *to;
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    memcpy(output, inputs[0], (size_t)shape_count(&node->shape) * sizeof(double));
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    gradients[0] = ops_reshape(graph, upstream, input_shape(graph, graph_node(graph, node), 0));
}

const struct op op_reshape = {.name = "reshape",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .infer = infer,
                              .gradient = gradient,
                              .reference = reference,
                              .view = true};

sumi_node sumi_op_reshape(sumi_graph *graph, sumi_node x, int rank, const int64_t *shape)
{
    struct attributes attributes = {0};
    if (!ops_node_known(graph, "reshape", x)) return -1;
    if (!ops_shape_given(graph, "reshape", rank, shape, &attributes.shape)) return -1;
    if (shape_equal(graph_shape(graph, x), &attributes.shape)) return x;
    return graph_append(graph, &op_reshape, 1, &x, &attributes);
}
