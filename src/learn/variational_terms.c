/* SPDX-License-Identifier: Apache-2.0 */
/* Divergence, density and decoder as graphs; see variational_terms.h. */
#include "learn/variational_terms.h"

#include "ops/ops.h"

static const double LOG_TWO_PI = 1.8378770664093454836;
static const double HALF_BIN = 1.0 / 255;  /* half the step between two of 256 levels */
static const double NEARLY_ONE = 1 - 1e-3; /* above it a number is the last level, 1 */
static const double LEAST_SHARE = 1e-30;

/* exp(-log_variance) times x */
static sumi_node over_variance(sumi_graph *graph, sumi_node x, sumi_node log_variance)
{
    sumi_node precision = sumi_op_exp(graph, sumi_op_affine(graph, log_variance, -1, 0));
    return sumi_op_multiply(graph, x, precision);
}

sumi_node variational_divergence(sumi_graph *graph, sumi_node square, sumi_node log_variance_q,
                                 sumi_node log_variance_p)
{
    sumi_node log_ratio = sumi_op_subtract(graph, log_variance_q, log_variance_p);
    sumi_node sum = sumi_op_subtract(graph, sumi_op_exp(graph, log_ratio), log_ratio);
    sum = sumi_op_add(graph, sum, over_variance(graph, square, log_variance_p));
    return sumi_op_affine(graph, sum, 0.5, -0.5);
}

sumi_node variational_density(sumi_graph *graph, sumi_node square, sumi_node log_variance)
{
    sumi_node sum = sumi_op_add(graph, over_variance(graph, square, log_variance), log_variance);
    return sumi_op_affine(graph, sum, 0.5, 0.5 * LOG_TWO_PI);
}

/* 1 where the mean is below its interval, so that the interval is mirrored: both of its ends then
   lie in the lower tail, where log Phi is accurate. The open interval at 1 is always mirrored, that
   at -1 never. */
static sumi_node mirrored(sumi_graph *graph, sumi_node centre, sumi_node low, sumi_node high)
{
    sumi_node inside =
        sumi_op_multiply(graph, sumi_op_step(graph, centre), sumi_op_affine(graph, low, -1, 1));
    return sumi_op_step(graph, sumi_op_add(graph, inside, high));
}

/* The interval is (lower, upper) in standard deviations from the mean; log(Phi(upper) - Phi(lower))
   is log Phi(upper) + log(1 - exp(log Phi(lower) - log Phi(upper))). */
sumi_node variational_decoder(sumi_graph *graph, sumi_node clean, sumi_node difference,
                              sumi_node log_variance)
{
    sumi_node precision = sumi_op_exp(graph, sumi_op_affine(graph, log_variance, -0.5, 0));
    sumi_node high = sumi_op_step(graph, sumi_op_affine(graph, clean, 1, -NEARLY_ONE));
    sumi_node low = sumi_op_step(graph, sumi_op_affine(graph, clean, -1, -NEARLY_ONE));
    sumi_node sign = sumi_op_affine(graph, mirrored(graph, difference, low, high), -2, 1);
    sumi_node centre =
        sumi_op_multiply(graph, sumi_op_multiply(graph, difference, precision), sign);
    sumi_node half = sumi_op_affine(graph, precision, HALF_BIN, 0);
    sumi_node upper = ops_log_normal_cdf(graph, sumi_op_add(graph, centre, half));
    sumi_node lower = ops_log_normal_cdf(graph, sumi_op_subtract(graph, centre, half));
    sumi_node below = sumi_op_exp(graph, sumi_op_subtract(graph, lower, upper));
    sumi_node share = sumi_op_affine(graph, sumi_op_affine(graph, below, -1, 1), 1, LEAST_SHARE);
    sumi_node closed = sumi_op_affine(graph, sumi_op_add(graph, low, high), -1, 1);
    sumi_node rest = sumi_op_multiply(graph, closed, sumi_op_log(graph, share));
    return sumi_op_affine(graph, sumi_op_add(graph, upper, rest), -1, 0);
}
