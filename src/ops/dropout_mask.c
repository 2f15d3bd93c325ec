/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout (Srivastava et al. 2014): elements are zeroed with probability p and the rest scaled by
   1/(1 - p). The mask is different in every run, and gradients in the same run use the same
   mask. */
#include "base/philox.h"
#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    (void)graph;
    node->shape = node->attributes.shape;
    return SUMI_OK;
}

uint64_t dropout_mask_first(const struct node *node, const struct run_key *key)
{
    return (node->attributes.dropout_mask.stream << 32)
           + key->part * (uint64_t)shape_count(&node->shape);
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)graph, (void)inputs;
    philox_stream stream = {key->seed, PURPOSE_DROPOUT, key->step};
    uint64_t first = dropout_mask_first(node, key);
    double probability = node->attributes.dropout_mask.probability;
    int64_t count = shape_count(&node->shape);
    for (int64_t i = 0; i < count; i++) {
        bool keep = philox_uniform(&stream, first + (uint64_t)i) >= probability;
        output[i] = keep ? 1 / (1 - probability) : 0;
    }
}

const struct op op_dropout_mask = {.name = "dropout_mask",
                                   .infer = infer,
                                   .reference = reference,
                                   .cost = cost_of_moving,
                                   .storage = STORAGE_FLOAT32};

sumi_node sumi_op_dropout(sumi_graph *graph, sumi_node x, double probability)
{
    if (!ops_node_known(graph, "dropout", x)) return -1;
    if (!(probability >= 0 && probability < 1)) {
        graph_fail(graph, "dropout: the probability is from 0 to below 1, not %g", probability);
        return -1;
    }
    if (!graph->training || probability == 0) return x;
    struct attributes attributes = {.dropout_mask = {probability, graph->masks++},
                                    .shape = *graph_shape(graph, x)};
    sumi_node mask = graph_append(graph, &op_dropout_mask, 0, NULL, &attributes);
    return sumi_op_multiply(graph, x, mask);
}
