/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithm of the normal distribution function Phi, accurate far into the lower tail, where Phi
   itself is zero in float32: y' = phi(x) / Phi(x), the op `normal_hazard`. */
#include <math.h>

#include "ops/unary.h"

/* Uses, below -5, Laplace's continued fraction for Mills' ratio (Abramowitz & Stegun 26.2.14),
   whose 40 levels are exact to double precision there. */
static double log_cdf(double x)
{
    static const double HALF_LOG_TWO_PI = 0.91893853320467274178,
                        ROOT_HALF = 0.70710678118654752440;
    if (x > -5) return log(0.5 * erfc(-x * ROOT_HALF));
    double fraction = -x;
    for (int level = 40; level > 0; level--) fraction = -x + level / fraction;
    return -0.5 * x * x - HALF_LOG_TWO_PI - log(fraction);
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node x = graph_node(graph, node)->inputs[0];
    gradients[0] = sumi_op_multiply(graph, upstream, ops_normal_hazard(graph, x));
}

const struct op op_log_normal_cdf = {.name = "log_normal_cdf",
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .infer = unary_infer,
                                     .gradient = gradient,
                                     .reference = unary_reference,
                                     .of_one = log_cdf,
                                     .in_place = true};

sumi_node ops_log_normal_cdf(sumi_graph *graph, sumi_node x)
{
    return unary_append(graph, &op_log_normal_cdf, x);
}
