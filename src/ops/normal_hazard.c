/* SPDX-License-Identifier: Apache-2.0 */
/* phi(x) / Phi(x), the slope of the log of the normal distribution function: y' = -y (x + y). */
#include <math.h>

#include "ops/unary.h"

/* Uses, below -5, the continued fraction of log_normal_cdf.c. */
static double hazard(double x)
{
    static const double ROOT_TWO_BY_PI = 0.79788456080286535588, ROOT_HALF = 0.70710678118654752440;
    if (x > -5) return ROOT_TWO_BY_PI * exp(-0.5 * x * x) / erfc(-x * ROOT_HALF);
    double fraction = -x;
    for (int level = 40; level > 0; level--) fraction = -x + level / fraction;
    return fraction;
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node x = graph_node(graph, node)->inputs[0];
    sumi_node falling = sumi_op_multiply(graph, node, sumi_op_add(graph, x, node));
    sumi_node slope = sumi_op_affine(graph, falling, -1, 0);
    gradients[0] = sumi_op_multiply(graph, upstream, slope);
}

const struct op op_normal_hazard = {.name = "normal_hazard",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .infer = unary_infer,
                                    .gradient = gradient,
                                    .reference = unary_reference,
                                    .of_one = hazard,
                                    .in_place = true};

sumi_node ops_normal_hazard(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_normal_hazard, x);
}
