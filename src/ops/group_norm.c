/* SPDX-License-Identifier: Apache-2.0 */
/* Group normalisation (Wu and He 2018, eq. 1-4) with scale and shift, then optional SiLU, from x
   and its moments. */
#include "ops/group_norm.h"

#include <math.h>

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(group_norm_check_all(graph, node, 0));
    node->shape = *input_shape(graph, node, 0);
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct group_norm_sizes sizes = group_norm_sizes_of(graph, node);
    int64_t pixels = sizes.n * sizes.space;
    for (int64_t pixel = 0; pixel < pixels; pixel++) {
        for (int64_t c = 0; c < sizes.channels; c++) {
            struct group_norm_channel channel =
                group_norm_channel_at(&sizes, inputs, pixel / sizes.space, c);
            double x = inputs[0][pixel * sizes.channels + c];
            double z =
                (x - channel.mean) * channel.inverse_deviation * channel.scale + channel.shift;
            output[pixel * sizes.channels + c] = node->attributes.norm.silu ? z / (1 + exp(-z)) : z;
        }
    }
}

/* Two fused passes: the sums for the gradients of the parameters and of x, then the gradient of x.
   It includes the dependence of the moments on x, so the moments get no gradient. */
static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    struct node forward = *graph_node(graph, node);
    struct shape parameter = *input_shape(graph, &forward, 2);
    sumi_node inputs[6] = {forward.inputs[0], forward.inputs[1], forward.inputs[2],
                           forward.inputs[3], upstream};
    sumi_node sums = graph_append(graph, &op_group_norm_sums, 5, inputs, &forward.attributes);
    inputs[5] = sums;
    gradients[0] =
        graph_append(graph, &op_group_norm_data_gradient, 6, inputs, &forward.attributes);
    gradients[2] = ops_row_of_sums(graph, sums, 1, &parameter);
    gradients[3] = ops_row_of_sums(graph, sums, 0, &parameter);
}

/* a multiplication, an addition, and SiLU */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    least->operations =
        (node->attributes.norm.silu ? 3.0 : 2.0) * (double)shape_count(&node->shape);
}

const struct op op_group_norm = {.name = "group_norm",
                                 .min_inputs = 4,
                                 .max_inputs = 4,
                                 .infer = infer,
                                 .gradient = gradient,
                                 .reference = reference,
                                 .cost = cost,
                                 .in_place = true};

sumi_node sumi_op_group_norm(sumi_graph *graph, sumi_node x, sumi_node scale, sumi_node shift,
                             int64_t groups, double epsilon, bool silu)
{
    struct attributes attributes = {.norm = {groups, epsilon, silu}};
    sumi_node moments = graph_append(graph, &op_group_moments, 1, &x, &attributes);
    return graph_append(graph, &op_group_norm, 4, (sumi_node[]){x, moments, scale, shift},
                        &attributes);
}
