/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a table by index: y[i] = table[indices[i]], such as an embedding of labels. Its transpose
   is scatter_add; there is no gradient by the indices. */
#include "ops/gather.h"

#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(ops_rank_expect(graph, node, 0, "the table [rows, d]", 2));
    TRY(ops_rank_expect(graph, node, 1, "the list of indices [n]", 1));
    node->shape = (struct shape){
        2, {input_shape(graph, node, 1)->size[0], input_shape(graph, node, 0)->size[1]}};
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    int64_t rows = input_shape(graph, node, 0)->size[0], width = node->shape.size[1];
    for (int64_t i = 0; i < node->shape.size[0]; i++) {
        const double *row = inputs[0] + gather_row(inputs[1][i], rows) * width;
        for (int64_t j = 0; j < width; j++) output[i * width + j] = row[j];
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    const struct node *forward = graph_node(graph, node);
    gradients[0] = ops_scatter_add(graph, upstream, forward->inputs[1],
                                   input_shape(graph, forward, 0)->size[0]);
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    double indices = (double)shape_count(input_shape(graph, node, 1));
    least->operations = 0;
    least->bytes = (indices + 2.0 * (double)shape_count(&node->shape)) * (double)sizeof(float);
}

const struct op op_gather = {.name = "gather",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .integer_inputs = 1u << 1,
                             .infer = infer,
                             .gradient = gradient,
                             .reference = reference,
                             .cost = cost};

sumi_node sumi_op_gather(sumi_graph *graph, sumi_node table, sumi_node indices)
{
    return graph_append(graph, &op_gather, 2, (sumi_node[]){table, indices}, NULL);
}
