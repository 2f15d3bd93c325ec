/* SPDX-License-Identifier: Apache-2.0 */
/* The activations of activation.h in double, and their derivatives as graphs. */
#include "ops/activation.h"

#include <math.h>

static const double ROOT_HALF = 0.70710678118654752440;        /* sqrt(1/2) */
static const double BELL = 0.39894228040143267794;             /* 1 / sqrt(2 pi) */
static const double TANH_SCALE = 2 * 0.79788456080286535588;   /* 2 sqrt(2/pi) */
static const double TANH_CUBE = 0.044715, QUICK_SCALE = 1.702; /* published constants */

/* The argument of the sigmoid at x and its derivative, for the forms with a sigmoid. */
static double argument(enum activation_form form, double x, double *slope)
{
    if (form == ACTIVATION_GELU_TANH) {
        *slope = TANH_SCALE * (1 + 3 * TANH_CUBE * x * x);
        return TANH_SCALE * (x + TANH_CUBE * x * x * x);
    }
    *slope = form == ACTIVATION_GELU_QUICK ? QUICK_SCALE : 1;
    return *slope * x;
}

double activation_value(enum activation_form form, double x)
{
    double slope;
    if (form == ACTIVATION_GELU) return 0.5 * x * erfc(-ROOT_HALF * x);
    return x / (1 + exp(-argument(form, x, &slope)));
}

double activation_slope(enum activation_form form, double x)
{
    if (form == ACTIVATION_GELU) {
        return 0.5 * erfc(-ROOT_HALF * x) + x * BELL * exp(-0.5 * x * x);
    }
    double slope, share = 1 / (1 + exp(-argument(form, x, &slope)));
    return share + x * slope * share * (1 - share);
}

/* Phi + x phi */
static sumi_node build_normal_slope(sumi_graph *graph, sumi_node x)
{
    sumi_node error = sumi_op_erf(graph, sumi_op_affine(graph, x, ROOT_HALF, 0));
    sumi_node share = sumi_op_affine(graph, error, 0.5, 0.5);
    sumi_node square = sumi_op_affine(graph, sumi_op_multiply(graph, x, x), -0.5, 0);
    sumi_node bell = sumi_op_affine(graph, sumi_op_exp(graph, square), BELL, 0);
    return sumi_op_add(graph, share, sumi_op_multiply(graph, x, bell));
}

sumi_node activation_build_slope(sumi_graph *graph, enum activation_form form, sumi_node x)
{
    if (form == ACTIVATION_GELU) return build_normal_slope(graph, x);
    double scale = form == ACTIVATION_GELU_QUICK ? QUICK_SCALE : 1;
    sumi_node z = sumi_op_affine(graph, x, scale, 0), slope = sumi_graph_number(graph, scale);
    if (form == ACTIVATION_GELU_TANH) {
        sumi_node square = sumi_op_multiply(graph, x, x);
        sumi_node stretch = sumi_op_affine(graph, square, TANH_SCALE * TANH_CUBE, TANH_SCALE);
        z = sumi_op_multiply(graph, x, stretch);
        slope = sumi_op_affine(graph, square, 3 * TANH_SCALE * TANH_CUBE, TANH_SCALE);
    }
    sumi_node share = sumi_op_sigmoid(graph, z);
    sumi_node complement = sumi_op_affine(graph, share, -1, 1);
    sumi_node change = sumi_op_multiply(graph, share, complement);
    change = sumi_op_multiply(graph, sumi_op_multiply(graph, x, slope), change);
    return sumi_op_add(graph, share, change);
}
