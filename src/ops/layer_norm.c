/* SPDX-License-Identifier: Apache-2.0 */
/* Layer normalisation (Ba et al. 2016, eq. 3-4) along the last axis with an optional scale and
   shift, of the layer or of each item; RMS normalisation (Zhang and Sennrich 2019, eq. 4) does not
   subtract the mean. */
#include "ops/layer_norm.h"

#include "ops/check.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(layer_norm_check(graph, node, 0));
    for (int i = LAYER_NORM_SCALE; i < node->input_count; i++) {
        TRY(layer_norm_check(graph, node, i));
    }
    node->shape = *input_shape(graph, node, LAYER_NORM_X);
    return SUMI_OK;
}

/* Element i of a parameter for an item; `otherwise` where the parameter is omitted. */
static double parameter_at(const sumi_graph *graph, const struct node *node,
                           const double *const *inputs, int parameter, int64_t item, int64_t i,
                           double otherwise)
{
    if (node->input_count <= parameter) return otherwise;
    const struct shape *shape = input_shape(graph, node, parameter);
    return inputs[parameter][(shape->rank == 2 ? item * shape->size[1] : 0) + i];
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct layer_norm_sizes sizes = layer_norm_sizes_of(graph, node);
    for (int64_t row = 0; row < sizes.n * sizes.rows; row++) {
        const double *x = inputs[LAYER_NORM_X] + row * sizes.d;
        struct layer_norm_moments m = layer_norm_moments_of(x, sizes.d, &node->attributes);
        int64_t item = row / sizes.rows;
        for (int64_t i = 0; i < sizes.d; i++) {
            double scale = parameter_at(graph, node, inputs, LAYER_NORM_SCALE, item, i, 1);
            double shift = parameter_at(graph, node, inputs, LAYER_NORM_SHIFT, item, i, 0);
            output[row * sizes.d + i] = (x[i] - m.mean) * m.inverse * scale + shift;
        }
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    bool scaled = forward.input_count > LAYER_NORM_SCALE;
    sumi_node inputs[3] = {forward.inputs[LAYER_NORM_X], upstream,
                           scaled ? forward.inputs[LAYER_NORM_SCALE] : -1};
    struct attributes *attributes = &forward.attributes;
    if (!scaled) {
        gradients[LAYER_NORM_X] =
            graph_append(graph, &op_layer_norm_gradient, 2, inputs, attributes);
        return;
    }
    struct shape scale = *input_shape(graph, &forward, LAYER_NORM_SCALE);
    /* The gradient by x comes before the readers of the sums, so that it can fill them. */
    sumi_node sums = graph_append(graph, &op_layer_norm_sums, 2, inputs, attributes);
    gradients[LAYER_NORM_X] = graph_append(graph, &op_layer_norm_gradient, 3, inputs, attributes);
    gradients[LAYER_NORM_SCALE] = ops_row_of_sums(graph, sums, 1, &scale);
    if (forward.input_count == LAYER_NORM_SHIFT) return;
    struct shape shift = *input_shape(graph, &forward, LAYER_NORM_SHIFT);
    gradients[LAYER_NORM_SHIFT] = ops_row_of_sums(graph, sums, 0, &shift);
}

/* mean, variance, two operations to normalise and two to scale and shift */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    double each = (node->attributes.layer_norm.rms ? 3.0 : 6.0) + (double)node->input_count - 1;
    least->operations = each * (double)shape_count(&node->shape);
}

const struct op op_layer_norm = {.name = "layer_norm",
                                 .min_inputs = 1,
                                 .max_inputs = 3,
                                 .infer = infer,
                                 .gradient = gradient,
                                 .reference = reference,
                                 .cost = cost};

/* Adds a scale of ones to a shift without a scale. */
static sumi_node fill_scale(sumi_graph *graph, sumi_node scale, sumi_node shift)
{
    if (scale != -1 || shift < 0 || !ops_node_known(graph, "layer_norm", shift)) return scale;
    struct shape shape = *graph_shape(graph, shift);
    return ops_filled(graph, &shape, 1);
}

sumi_node sumi_op_layer_norm(sumi_graph *graph, sumi_node x, sumi_node scale, sumi_node shift,
                             double epsilon)
{
    struct attributes attributes = {.layer_norm = {epsilon, false}};
    sumi_node inputs[3] = {x, fill_scale(graph, scale, shift), shift};
    return graph_append(graph, &op_layer_norm, 3, inputs, &attributes);
}

sumi_node sumi_op_rms_norm(sumi_graph *graph, sumi_node x, sumi_node scale, double epsilon)
{
    struct attributes attributes = {.layer_norm = {epsilon, true}};
    return graph_append(graph, &op_layer_norm, 2, (sumi_node[]){x, scale}, &attributes);
}
