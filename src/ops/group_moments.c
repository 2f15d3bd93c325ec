/* SPDX-License-Identifier: Apache-2.0 */
/* Mean and inverse deviation of each group of channels of each item of x[n, ..., c]:
   [n, groups, 2] with 1/sqrt(population variance + epsilon) second. */
#include <math.h>

#include "ops/group_norm.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(group_norm_check(graph, node));
    node->shape =
        (struct shape){3, {input_shape(graph, node, 0)->size[0], node->attributes.norm.groups, 2}};
    return SUMI_OK;
}

/* Sum of (x - centre)^power over a group whose first element x points to. */
static double group_sum(const struct group_norm_sizes *sizes, const double *x, double centre,
                        int power)
{
    double sum = 0;
    for (int64_t s = 0; s < sizes->space; s++) {
        for (int64_t c = 0; c < sizes->width; c++) {
            double centred = x[s * sizes->channels + c] - centre;
            sum += power == 2 ? centred * centred : centred;
        }
    }
    return sum;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct group_norm_sizes sizes = group_norm_sizes_of(graph, node);
    double count = (double)(sizes.space * sizes.width);
    for (int64_t item = 0; item < sizes.n; item++) {
        for (int64_t g = 0; g < sizes.groups; g++) {
            const double *x = inputs[0] + item * sizes.space * sizes.channels + g * sizes.width;
            double *moments = output + (item * sizes.groups + g) * 2;
            moments[0] = group_sum(&sizes, x, 0, 1) / count;
            double variance = group_sum(&sizes, x, moments[0], 2) / count;
            moments[1] = 1 / sqrt(variance + node->attributes.norm.epsilon);
        }
    }
}

static sumi_node expand(sumi_graph *graph, sumi_node node)
{
    struct node fused = *graph_node(graph, node);
    struct group_norm_sizes sizes = group_norm_sizes_of(graph, &fused);
    struct group_norm_parts parts =
        group_norm_normalize(graph, fused.inputs[0], &sizes, fused.attributes.norm.epsilon);
    sumi_node pair = sumi_op_concat(graph, parts.mean, parts.inverse_deviation, 3);
    return ops_reshape(graph, pair, &fused.shape);
}

/* two sums and a square */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    least->operations = 3.0 * (double)shape_count(input_shape(graph, node, 0));
}

const struct op op_group_moments = {.name = "group_moments",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .infer = infer,
                                    .expand = expand,
                                    .reference = reference,
                                    .cost = cost,
                                    .storage = STORAGE_FLOAT32};
