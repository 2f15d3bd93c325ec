/* SPDX-License-Identifier: Apache-2.0 */
/* A range of consecutive elements with its own shape: a view into the input's memory. It splits the
   array of a fused op with several results. */
#include <string.h>

#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    int64_t available = shape_count(x), needed = shape_count(&node->attributes.shape);
    int64_t first = node->attributes.view.first;
    if (first < 0 || first > available || needed > available - first) {
        char text[SHAPE_TEXT];
        return graph_fail(graph, "window: %s has no %lld elements from number %lld on",
                          shape_text(x, text), (long long)needed, (long long)first);
    }
    node->shape = node->attributes.shape;
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    memcpy(output, inputs[0] + node->attributes.view.first,
           (size_t)shape_count(&node->shape) * sizeof(double));
}

/* The upstream values at their positions, zeros elsewhere. */
static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct shape x = *input_shape(graph, graph_node(graph, node), 0);
    int64_t count = shape_count(graph_shape(graph, node));
    int64_t before = graph_node(graph, node)->attributes.view.first;
    sumi_node flat = sumi_op_reshape(graph, upstream, 1, &count);
    sumi_node padded = sumi_op_pad(graph, flat, 0, before, shape_count(&x) - count - before);
    gradients[0] = ops_reshape(graph, padded, &x);
}

const struct op op_window = {.name = "window",
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .infer = infer,
                             .gradient = gradient,
                             .reference = reference,
                             .view = true};

sumi_node ops_window(sumi_graph *graph, sumi_node x, int64_t first, const struct shape *shape)
{
    struct attributes attributes = {.view.first = first, .shape = *shape};
    return graph_append(graph, &op_window, 1, &x, &attributes);
}
