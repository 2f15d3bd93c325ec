/* SPDX-License-Identifier: Apache-2.0 */
/* What the gradients of group normalisation need of dy, summed over space: with d = dy y'(z),
   sums[0, n, c] = sum(d) and sums[1, n, c] = sum(d xhat). These are the gradients by shift and
   scale. */
#include "ops/group_norm.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(group_norm_check_all(graph, node, 4));
    const struct shape *x = input_shape(graph, node, 0);
    node->shape = (struct shape){3, {2, x->size[0], x->size[x->rank - 1]}};
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct group_norm_sizes sizes = group_norm_sizes_of(graph, node);
    for (int64_t item = 0; item < sizes.n; item++) {
        for (int64_t c = 0; c < sizes.channels; c++) {
            struct group_norm_channel channel = group_norm_channel_at(&sizes, inputs, item, c);
            double sum = 0, product = 0;
            for (int64_t s = 0; s < sizes.space; s++) {
                int64_t i = (item * sizes.space + s) * sizes.channels + c;
                double xhat = (inputs[0][i] - channel.mean) * channel.inverse_deviation;
                double z = xhat * channel.scale + channel.shift;
                double d = inputs[4][i] * group_norm_slope(z, node->attributes.norm.silu);
                sum += d;
                product += d * xhat;
            }
            output[item * sizes.channels + c] = sum;
            output[(sizes.n + item) * sizes.channels + c] = product;
        }
    }
}

static sumi_node expand(sumi_graph *graph, sumi_node node)
{
    struct node fused = *graph_node(graph, node);
    struct group_norm_parts parts = group_norm_differentiate(graph, &fused);
    sumi_node sum = sumi_op_sum(graph, parts.slope, 1u << 1);
    sumi_node weighted = sumi_op_multiply(graph, parts.slope, parts.normalized);
    sumi_node product = sumi_op_sum(graph, weighted, 1u << 1);
    sumi_node both = sumi_op_concat(graph, sum, product, 0); /* [2 n, 1, groups, width] */
    return ops_reshape(graph, both, &fused.shape);
}

/* xhat; the slope of SiLU from z; two sums, one of them of products */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    double each = node->attributes.norm.silu ? 11.0 : 5.0;
    least->operations = each * (double)shape_count(input_shape(graph, node, 0));
}

const struct op op_group_norm_sums = {.name = "group_norm_sums",
                                      .min_inputs = 5,
                                      .max_inputs = 5,
                                      .infer = infer,
                                      .expand = expand,
                                      .reference = reference,
                                      .cost = cost,
                                      .storage = STORAGE_FLOAT32};
