/* SPDX-License-Identifier: Apache-2.0 */
/* GELU (Hendrycks and Gimpel 2016) in its exact form: y = x (1 + erf(x/sqrt 2)) / 2, composed of
   elementary ops. */
#include "ops/ops.h"

sumi_node sumi_op_gelu(sumi_graph *graph, sumi_node x)
{
    static const double ROOT_HALF = 0.70710678118654752440;
    sumi_node error = sumi_op_erf(graph, sumi_op_affine(graph, x, ROOT_HALF, 0));
    return sumi_op_multiply(graph, x, sumi_op_affine(graph, error, 0.5, 0.5));
}
