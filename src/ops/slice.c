/* SPDX-License-Identifier: Apache-2.0 */
/* `last - first` neighbours along one axis. Its transpose is pad. */
#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    const struct attributes *attributes = &node->attributes;
    TRY(ops_axis_expect(graph, "slice", attributes->slice.axis, x));
    int64_t size = x->size[attributes->slice.axis];
    if (attributes->slice.first < 0 || attributes->slice.end > size
        || attributes->slice.first >= attributes->slice.end) {
        char text[SHAPE_TEXT];
        return graph_fail(graph, "slice: axis %d of %s has no elements %lld to before %lld",
                          attributes->slice.axis, shape_text(x, text),
                          (long long)attributes->slice.first, (long long)attributes->slice.end);
    }
    node->shape = *x;
    node->shape.size[attributes->slice.axis] = attributes->slice.end - attributes->slice.first;
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    const struct shape *x = input_shape(graph, node, 0), *y = &node->shape;
    int axis = node->attributes.slice.axis;
    int64_t outer = shape_span(x, 0, axis), inner = shape_span(x, axis + 1, x->rank);
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < y->size[axis]; i++) {
            int64_t from = (o * x->size[axis] + node->attributes.slice.first + i) * inner;
            int64_t to = (o * y->size[axis] + i) * inner;
            for (int64_t j = 0; j < inner; j++) output[to + j] = inputs[0][from + j];
        }
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct attributes attributes = graph_node(graph, node)->attributes;
    int64_t size = input_shape(graph, graph_node(graph, node), 0)->size[attributes.slice.axis];
    gradients[0] = sumi_op_pad(graph, upstream, attributes.slice.axis, attributes.slice.first,
                               size - attributes.slice.end);
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    least->operations = 0;
    least->bytes = 2.0 * (double)shape_count(&node->shape) * (double)sizeof(float);
}

const struct op op_slice = {.name = "slice",
                            .min_inputs = 1,
                            .max_inputs = 1,
                            .infer = infer,
                            .gradient = gradient,
                            .reference = reference,
                            .cost = cost};

sumi_node sumi_op_slice(sumi_graph *graph, sumi_node x, int axis, int64_t first, int64_t count)
{
    struct attributes attributes = {.slice = {.axis = axis, .first = first}};
    if (__builtin_add_overflow(first, count, &attributes.slice.end))
        attributes.slice.end = INT64_MAX;
    return graph_append(graph, &op_slice, 1, &x, &attributes);
}
