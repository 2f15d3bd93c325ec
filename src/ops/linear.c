/* SPDX-License-Identifier: Apache-2.0 */
/* The linear layer y = x W' + b, composed: rows flattened, one matrix product, the bias added. */
#include "ops/check.h"
#include "ops/ops.h"

static sumi_status check(sumi_graph *graph, const struct shape *x, const struct shape *weight)
{
    if (weight->rank != 2 || x->rank < 1 || x->size[x->rank - 1] != weight->size[1]) {
        return ops_pair_refuse(graph, "linear", x, weight,
                               "the input is [..., in] and the weight [out, in]");
    }
    return SUMI_OK;
}

static sumi_status check_bias(sumi_graph *graph, const struct shape *weight,
                              const struct shape *bias)
{
    if (bias->rank == 1 && bias->size[0] == weight->size[0]) return SUMI_OK;
    return ops_pair_refuse(graph, "linear", weight, bias,
                           "the weight is [out, in] and the bias [out]");
}

sumi_node sumi_op_linear(sumi_graph *graph, sumi_node x, sumi_node weight, sumi_node bias)
{
    if (!ops_node_known(graph, "linear", x) || !ops_node_known(graph, "linear", weight)) return -1;
    struct shape from = *graph_shape(graph, x), matrix = *graph_shape(graph, weight), to = from;
    if (check(graph, &from, &matrix) != SUMI_OK) return -1;
    to.size[to.rank - 1] = matrix.size[0];
    int64_t flat[2] = {shape_span(&from, 0, from.rank - 1), matrix.size[1]};
    sumi_node rows = sumi_op_reshape(graph, x, 2, flat);
    bool positions = from.rank > 2; /* else each row is an item */
    sumi_node y = positions ? ops_product_of_positions(graph, rows, weight, true)
                            : sumi_op_matmul(graph, rows, weight, false, true);
    if (bias != -1) {
        if (!ops_node_known(graph, "linear", bias)) return -1;
        if (check_bias(graph, &matrix, graph_shape(graph, bias)) != SUMI_OK) return -1;
        y = sumi_op_add(graph, y, bias);
    }
    if (y < 0) return -1;
    return ops_reshape(graph, y, &to);
}
