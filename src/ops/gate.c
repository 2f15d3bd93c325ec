/* SPDX-License-Identifier: Apache-2.0 */
/* Gated units (Shazeer 2020): x[..., 2 d] holds values, then gates; y[..., d] = value act(gate).
   With GELU this is GEGLU. */
#include "ops/activation.h"
#include "ops/check.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0);
    if (x->rank < 1 || x->size[x->rank - 1] % 2 != 0) {
        char text[SHAPE_TEXT];
        return graph_fail(graph, "gate: the last axis holds values and gates, so %s must be even",
                          shape_text(x, text));
    }
    node->shape = *x;
    node->shape.size[x->rank - 1] /= 2;
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    int64_t count = shape_count(&node->shape), d = node->shape.size[node->shape.rank - 1];
    for (int64_t i = 0; i < count; i++) {
        const double *value = inputs[0] + i / d * 2 * d + i % d;
        output[i] = value[0] * activation_value(node->attributes.activate.activation, value[d]);
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    sumi_node inputs[2] = {forward.inputs[0], upstream};
    gradients[0] = graph_append(graph, &op_gate_gradient, 2, inputs, &forward.attributes);
}

/* the activation and two products */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    least->operations = 3.0 * (double)shape_count(&node->shape);
}

const struct op op_gate = {.name = "gate",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .infer = infer,
                           .gradient = gradient,
                           .reference = reference,
                           .cost = cost};

sumi_node ops_gate(sumi_graph *graph, enum activation_form form, sumi_node x)
{
    struct attributes attributes = {.activate.activation = form};
    return graph_append(graph, &op_gate, 1, &x, &attributes);
}

sumi_node sumi_op_geglu(sumi_graph *graph, sumi_node x)
{
    return ops_gate(graph, ACTIVATION_GELU, x);
}

/* ---- the gradient: dvalue = act(gate) dy, dgate = value act'(gate) dy ---- */

static sumi_status infer_gradient(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0), *dy = input_shape(graph, node, 1);
    struct shape half = *x;
    half.size[x->rank - 1] /= 2;
    node->shape = *x;
    if (shape_equal(&half, dy)) return SUMI_OK;
    return ops_pair_refuse(graph, "gate_gradient", x, dy, "dy has half of x's last axis");
}

static void reference_gradient(const sumi_graph *graph, const struct node *node,
                               const double *const *inputs, double *output,
                               const struct run_key *key)
{
    (void)key;
    const struct shape *dy = input_shape(graph, node, 1);
    int64_t count = shape_count(dy), d = dy->size[dy->rank - 1];
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i / d * 2 * d + i % d;
        double value = inputs[0][at], gate = inputs[0][at + d];
        output[at] = activation_value(node->attributes.activate.activation, gate) * inputs[1][i];
        output[at + d] =
            value * activation_slope(node->attributes.activate.activation, gate) * inputs[1][i];
    }
}

static sumi_node expand_gradient(sumi_graph *graph, sumi_node node)
{
    struct node fused = *graph_node(graph, node);
    enum activation_form form = fused.attributes.activate.activation;
    int last = fused.shape.rank - 1;
    int64_t d = fused.shape.size[last] / 2;
    sumi_node value = sumi_op_slice(graph, fused.inputs[0], last, 0, d);
    sumi_node gate = sumi_op_slice(graph, fused.inputs[0], last, d, d);
    sumi_node by_value = sumi_op_multiply(graph, fused.inputs[1], ops_activate(graph, form, gate));
    sumi_node by_gate = sumi_op_multiply(graph, fused.inputs[1], value);
    by_gate = sumi_op_multiply(graph, by_gate, activation_build_slope(graph, form, gate));
    return sumi_op_concat(graph, by_value, by_gate, last);
}

/* the activation, its slope, and four products */
static void cost_gradient(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    least->operations = 9.0 * (double)shape_count(input_shape(graph, node, 1));
}

const struct op op_gate_gradient = {.name = "gate_gradient",
                                    .min_inputs = 2,
                                    .max_inputs = 2,
                                    .infer = infer_gradient,
                                    .expand = expand_gradient,
                                    .reference = reference_gradient,
                                    .cost = cost_gradient};
