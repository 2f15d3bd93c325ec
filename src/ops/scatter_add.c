/* SPDX-License-Identifier: Apache-2.0 */
/* Adds rows x[n, d] into zeros [rows, d] (attributes.shape) at indices[n]; the transpose of gather.
   There is no gradient by the indices. */
#include "ops/check.h"
#include "ops/gather.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(ops_rank_expect(graph, node, 0, "the list of rows [n, d]", 2));
    TRY(ops_rank_expect(graph, node, 1, "the list of indices [n]", 1));
    const struct shape *x = input_shape(graph, node, 0), *indices = input_shape(graph, node, 1);
    if (x->size[0] != indices->size[0]) {
        return ops_pair_refuse(graph, "scatter_add", x, indices, "each row needs one index");
    }
    node->shape = node->attributes.shape;
    node->shape.size[1] = x->size[1];
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    int64_t rows = node->shape.size[0], width = node->shape.size[1];
    int64_t count = input_shape(graph, node, 0)->size[0];
    for (int64_t i = 0; i < rows * width; i++) output[i] = 0;
    for (int64_t i = 0; i < count; i++) {
        double *row = output + gather_row(inputs[1][i], rows) * width;
        for (int64_t j = 0; j < width; j++) row[j] += inputs[0][i * width + j];
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    gradients[0] = sumi_op_gather(graph, upstream, graph_node(graph, node)->inputs[1]);
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    least->operations = (double)shape_count(input_shape(graph, node, 0));
}

const struct op op_scatter_add = {.name = "scatter_add",
                                  .min_inputs = 2,
                                  .max_inputs = 2,
                                  .integer_inputs = 1u << 1,
                                  .infer = infer,
                                  .gradient = gradient,
                                  .reference = reference,
                                  .cost = cost};

sumi_node ops_scatter_add(sumi_graph *graph, sumi_node upstream, sumi_node indices, int64_t rows)
{
    struct attributes attributes = {.shape = {2, {rows, 1}}};
    return graph_append(graph, &op_scatter_add, 2, (sumi_node[]){upstream, indices}, &attributes);
}
