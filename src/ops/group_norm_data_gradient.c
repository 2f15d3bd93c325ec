/* SPDX-License-Identifier: Apache-2.0 */
/* The gradient of group normalisation by x, including the dependence of the moments on x: with d =
   dy y'(z), e = d scale, and means taken over the group of the item,
   dx = r (e - mean(e) - xhat mean(e xhat)); the means come from group_norm_sums. */
#include "ops/check.h"
#include "ops/group_norm.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(group_norm_check_all(graph, node, 4));
    const struct shape *x = input_shape(graph, node, 0);
    struct shape sums = {3, {2, x->size[0], x->size[x->rank - 1]}};
    if (!shape_equal(input_shape(graph, node, 5), &sums)) {
        return ops_pair_refuse(graph, "group_norm", x, input_shape(graph, node, 5),
                               "the sums are [2, n, c]");
    }
    node->shape = *x;
    return SUMI_OK;
}

/* Mean over the group of channel c of e (row 0) or e xhat (row 1). */
static double group_mean(const struct group_norm_sizes *sizes, const double *const *inputs,
                         int64_t item, int64_t c, int64_t row)
{
    const double *sums = inputs[5] + (row * sizes->n + item) * sizes->channels;
    int64_t first = c - c % sizes->width;
    double mean = 0;
    for (int64_t i = first; i < first + sizes->width; i++) {
        mean += sums[i] * group_norm_channel_at(sizes, inputs, item, i).scale;
    }
    return mean / (double)(sizes->space * sizes->width);
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct group_norm_sizes sizes = group_norm_sizes_of(graph, node);
    for (int64_t item = 0; item < sizes.n; item++) {
        for (int64_t c = 0; c < sizes.channels; c++) {
            struct group_norm_channel channel = group_norm_channel_at(&sizes, inputs, item, c);
            double mean = group_mean(&sizes, inputs, item, c, 0);
            double product = group_mean(&sizes, inputs, item, c, 1);
            for (int64_t s = 0; s < sizes.space; s++) {
                int64_t i = (item * sizes.space + s) * sizes.channels + c;
                double xhat = (inputs[0][i] - channel.mean) * channel.inverse_deviation;
                double z = xhat * channel.scale + channel.shift;
                double e =
                    inputs[4][i] * group_norm_slope(z, node->attributes.norm.silu) * channel.scale;
                output[i] = channel.inverse_deviation * (e - mean - xhat * product);
            }
        }
    }
}

static sumi_node expand(sumi_graph *graph, sumi_node node)
{
    const unsigned group = 1u << 1 | 1u << 3;
    struct node fused = *graph_node(graph, node);
    struct group_norm_parts parts = group_norm_differentiate(graph, &fused);
    sumi_node e = sumi_op_multiply(graph, parts.slope, parts.scale);
    sumi_node weighted = sumi_op_multiply(graph, e, parts.normalized);
    sumi_node product = sumi_op_mean(graph, weighted, group);
    sumi_node along = sumi_op_multiply(graph, parts.normalized, product);
    sumi_node centred = sumi_op_subtract(graph, e, sumi_op_mean(graph, e, group));
    sumi_node rest = sumi_op_subtract(graph, centred, along);
    sumi_node dx = sumi_op_multiply(graph, rest, parts.inverse_deviation);
    return ops_reshape(graph, dx, &fused.shape);
}

/* xhat; the slope of SiLU from z; e - mean - xhat product, times r */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    (void)graph;
    double each = node->attributes.norm.silu ? 13.0 : 7.0;
    least->operations = each * (double)shape_count(&node->shape);
}

const struct op op_group_norm_data_gradient = {.name = "group_norm_data_gradient",
                                               .min_inputs = 6,
                                               .max_inputs = 6,
                                               .infer = infer,
                                               .expand = expand,
                                               .reference = reference,
                                               .cost = cost};
