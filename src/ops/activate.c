/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of GELU as one op, and its gradient: dx = y'(x) dy. (SiLU has an op of its own.) */
#include "ops/activation.h"
#include "ops/check.h"
#include "ops/unary.h"

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) {
        output[i] = activation_value(node->attributes.activate.activation, inputs[0][i]);
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    sumi_node inputs[2] = {forward.inputs[0], upstream};
    gradients[0] = graph_append(graph, &op_activate_gradient, 2, inputs, &forward.attributes);
}

/* s(x) and a product */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    least->operations = 2.0 * (double)shape_count(&node->shape);
}

const struct op op_activate = {.name = "activate",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = unary_infer,
                               .gradient = gradient,
                               .reference = reference,
                               .cost = cost,
                               .in_place = true};

sumi_node ops_activate(sumi_graph *graph, enum activation_form form, sumi_node x)
{
    if (form == ACTIVATION_SILU) return sumi_op_silu(graph, x);
    struct attributes attributes = {.activate.activation = form};
    return graph_append(graph, &op_activate, 1, &x, &attributes);
}

sumi_node sumi_op_gelu(sumi_graph *graph, sumi_node x)
{
    return ops_activate(graph, ACTIVATION_GELU, x);
}

sumi_node sumi_op_gelu_tanh(sumi_graph *graph, sumi_node x)
{
    return ops_activate(graph, ACTIVATION_GELU_TANH, x);
}

sumi_node sumi_op_gelu_quick(sumi_graph *graph, sumi_node x)
{
    return ops_activate(graph, ACTIVATION_GELU_QUICK, x);
}

/* ---- the gradient ---- */

static sumi_status infer_gradient(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0), *dy = input_shape(graph, node, 1);
    node->shape = *x;
    if (shape_equal(x, dy)) return SUMI_OK;
    return ops_pair_refuse(graph, "activate_gradient", x, dy, "x and dy have one shape");
}

static void reference_gradient(const sumi_graph *graph, const struct node *node,
                               const double *const *inputs, double *output,
                               const struct run_key *key)
{
    (void)graph, (void)key;
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) {
        output[i] =
            inputs[1][i] * activation_slope(node->attributes.activate.activation, inputs[0][i]);
    }
}

static sumi_node expand_gradient(sumi_graph *graph, sumi_node node)
{
    struct node fused = *graph_node(graph, node);
    sumi_node slope =
        activation_build_slope(graph, fused.attributes.activate.activation, fused.inputs[0]);
    return sumi_op_multiply(graph, fused.inputs[1], slope);
}

/* s(x), its derivative, and the products with x and dy */
static void cost_gradient(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    least->operations = 6.0 * (double)shape_count(&node->shape);
}

const struct op op_activate_gradient = {.name = "activate_gradient",
                                        .min_inputs = 2,
                                        .max_inputs = 2,
                                        .infer = infer_gradient,
                                        .expand = expand_gradient,
                                        .reference = reference_gradient,
                                        .cost = cost_gradient,
                                        .in_place = true};
