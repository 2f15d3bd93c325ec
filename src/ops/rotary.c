/* SPDX-License-Identifier: Apache-2.0 */
/* Rotary position embedding (Su et al. 2021, eq. 34): each pair (a, b) of neighbouring numbers of a
   head is rotated by an angle that depends on its position, to (a cos - b sin, b cos + a sin). The
   angles are given as tables of cosines and sines, which get no derivative. */
#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0), *cosine = input_shape(graph, node, 1);
    const struct shape *sine = input_shape(graph, node, 2);
    int64_t heads = node->attributes.rotary.heads;
    bool fits = x->rank == 3 && cosine->rank == 2 && shape_equal(cosine, sine)
                && cosine->size[0] == x->size[1] && heads > 0
                && cosine->size[1] * 2 * heads == x->size[2];
    node->shape = *x;
    if (fits) return SUMI_OK;
    return ops_pair_refuse(graph, "rotary", x, cosine,
                           "x is [n, length, heads * 2 pairs], both tables are [length, pairs]");
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    const struct shape *table = input_shape(graph, node, 1);
    int64_t length = table->size[0], pairs = table->size[1], heads = node->attributes.rotary.heads;
    int64_t count = shape_count(&node->shape) / 2;
    double direction = node->attributes.rotary.inverse ? -1 : 1;
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i / pairs / heads % length * pairs + i % pairs;
        double cosine = inputs[1][at], sine = direction * inputs[2][at];
        double a = inputs[0][2 * i], b = inputs[0][2 * i + 1];
        output[2 * i] = a * cosine - b * sine;
        output[2 * i + 1] = b * cosine + a * sine;
    }
}

/* The transpose of a rotation is the rotation back. */
static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    sumi_node inputs[3] = {upstream, forward.inputs[1], forward.inputs[2]};
    forward.attributes.rotary.inverse = !forward.attributes.rotary.inverse;
    gradients[0] = graph_append(graph, &op_rotary, 3, inputs, &forward.attributes);
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    least->operations = 3.0 * (double)shape_count(&node->shape);
}

const struct op op_rotary = {.name = "rotary",
                             .min_inputs = 3,
                             .max_inputs = 3,
                             .infer = infer,
                             .gradient = gradient,
                             .reference = reference,
                             .cost = cost};

sumi_node sumi_op_rotary(sumi_graph *graph, sumi_node x, sumi_node cosine, sumi_node sine,
                         int64_t heads)
{
    struct attributes attributes = {.rotary.heads = heads};
    return graph_append(graph, &op_rotary, 3, (sumi_node[]){x, cosine, sine}, &attributes);
}
