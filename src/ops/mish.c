/* SPDX-License-Identifier: Apache-2.0 */
/* Mish (Misra 2019): y = x tanh(softplus x), composed of elementary ops. */
#include "ops/ops.h"

sumi_node sumi_op_mish(sumi_graph *graph, sumi_node x)
{
    return sumi_op_multiply(graph, x, sumi_op_tanh(graph, sumi_op_softplus(graph, x)));
}
