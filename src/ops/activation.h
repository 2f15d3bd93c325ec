/* SPDX-License-Identifier: Apache-2.0 */
/* Activations of the form y = x s(x), with s between 0 and 1: GELU in three forms and SiLU. Shared
   by the ops that apply them and by gated units. */
#ifndef SUMI_OPS_ACTIVATION_H
#define SUMI_OPS_ACTIVATION_H

#include "ops/ops.h"

enum activation_form {
    ACTIVATION_GELU,       /* s = Phi(x) (Hendrycks and Gimpel 2016) */
    ACTIVATION_GELU_TANH,  /* s = sigmoid(2 k (x + 0.044715 x^3)), k = sqrt(2 / pi) */
    ACTIVATION_GELU_QUICK, /* s = sigmoid(1.702 x) */
    ACTIVATION_SILU        /* s = sigmoid(x) */
};

/* y and dy/dx. */
double activation_value(enum activation_form form, double x);
double activation_slope(enum activation_form form, double x);

/* The derivative at x, built from elementary ops. */
sumi_node activation_build_slope(sumi_graph *graph, enum activation_form form, sumi_node x);

/* y = x s(x), element-wise. */
sumi_node ops_activate(sumi_graph *graph, enum activation_form form, sumi_node x);

/* x[..., 2 d] as values, then gates: value act(gate), [..., d]. */
sumi_node ops_gate(sumi_graph *graph, enum activation_form form, sumi_node x);

#endif
