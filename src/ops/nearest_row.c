/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest row of a table for each row of x, by the squared distance: numbers [n] of x[n, d] and
   table[rows, d], as whole numbers held as float32; of rows equally near the first. Steps have no
   derivative. */
#include "ops/check.h"
#include "ops/ops.h"

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    TRY(ops_rank_expect(graph, node, 0, "the list of rows [n, d]", 2));
    TRY(ops_rank_expect(graph, node, 1, "the table [rows, d]", 2));
    const struct shape *x = input_shape(graph, node, 0), *table = input_shape(graph, node, 1);
    if (x->size[1] != table->size[1])
        return ops_pair_refuse(graph, node->op->name, x, table, "rows must be equally long");
    node->shape = (struct shape){1, {x->size[0]}};
    return SUMI_OK;
}

static double squared_distance(int64_t width, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < width; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    int64_t rows = input_shape(graph, node, 1)->size[0];
    int64_t width = input_shape(graph, node, 1)->size[1];
    for (int64_t i = 0; i < node->shape.size[0]; i++) {
        const double *x = inputs[0] + i * width;
        double least = squared_distance(width, x, inputs[1]);
        output[i] = 0;
        for (int64_t row = 1; row < rows; row++) {
            double distance = squared_distance(width, x, inputs[1] + row * width);
            if (distance >= least) continue;
            least = distance;
            output[i] = (double)row;
        }
    }
}

static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    (void)graph, (void)node, (void)upstream, (void)gradients;
}

/* A difference, a square and a sum for each number of each pair of rows. */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    least->operations =
        3.0 * (double)node->shape.size[0] * (double)shape_count(input_shape(graph, node, 1));
}

const struct op op_nearest_row = {.name = "nearest_row",
                                  .min_inputs = 2,
                                  .max_inputs = 2,
                                  .infer = infer,
                                  .gradient = gradient,
                                  .reference = reference,
                                  .cost = cost,
                                  .storage = STORAGE_FLOAT32};

sumi_node ops_nearest_row(sumi_graph *graph, sumi_node x, sumi_node table)
{
    return graph_append(graph, &op_nearest_row, 2, (sumi_node[]){x, table}, NULL);
}
