/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products a[..., m, k] b[..., k, n] for each pair of matrices of the equal leading
   dimensions; either may be stored transposed. */
#include "ops/check.h"
#include "ops/ops.h"

/* The sizes of one product and the strides along rows and columns of the two factors. */
struct product {
    int64_t m, k, n;
    int64_t a_row, a_column, b_row, b_column;
};

static struct product describe(const struct attributes *attributes, const struct shape *a,
                               const struct shape *b)
{
    int64_t a_rows = a->size[a->rank - 2], a_columns = a->size[a->rank - 1];
    int64_t b_rows = b->size[b->rank - 2], b_columns = b->size[b->rank - 1];
    bool ta = attributes->matmul.transpose_a, tb = attributes->matmul.transpose_b;
    return (struct product){.m = ta ? a_columns : a_rows,
                            .k = ta ? a_rows : a_columns,
                            .n = tb ? b_rows : b_columns,
                            .a_row = ta ? 1 : a_columns,
                            .a_column = ta ? a_columns : 1,
                            .b_row = tb ? 1 : b_columns,
                            .b_column = tb ? b_columns : 1};
}

static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *a = input_shape(graph, node, 0), *b = input_shape(graph, node, 1);
    if (a->rank < 2 || a->rank != b->rank) {
        return ops_pair_refuse(graph, "matmul", a, b,
                               "both need the same number of dimensions, at least 2");
    }
    for (int i = 0; i < a->rank - 2; i++) {
        if (a->size[i] != b->size[i]) {
            return ops_pair_refuse(graph, "matmul", a, b, "the leading dimensions differ");
        }
    }
    struct product product = describe(&node->attributes, a, b);
    int64_t inner = b->size[b->rank - (node->attributes.matmul.transpose_b ? 1 : 2)];
    if (product.k != inner) {
        char a_text[SHAPE_TEXT], b_text[SHAPE_TEXT];
        return graph_fail(graph, "matmul: inner sizes %lld and %lld of %s and %s differ",
                          (long long)product.k, (long long)inner, shape_text(a, a_text),
                          shape_text(b, b_text));
    }
    node->shape = *a;
    node->shape.size[a->rank - 2] = product.m;
    node->shape.size[a->rank - 1] = product.n;
    return SUMI_OK;
}

static void multiply(const struct product *p, const double *a, const double *b, double *output)
{
    for (int64_t i = 0; i < p->m; i++) {
        for (int64_t j = 0; j < p->n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < p->k; l++) {
                sum += a[i * p->a_row + l * p->a_column] * b[l * p->b_row + j * p->b_column];
            }
            output[i * p->n + j] = sum;
        }
    }
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    struct product p =
        describe(&node->attributes, input_shape(graph, node, 0), input_shape(graph, node, 1));
    int64_t batch = shape_span(&node->shape, 0, node->shape.rank - 2);
    for (int64_t i = 0; i < batch; i++) {
        multiply(&p, inputs[0] + i * p.m * p.k, inputs[1] + i * p.k * p.n, output + i * p.m * p.n);
    }
}

/* For C = A B: dA = dC B', dB = A' dC, each transposed where the factor is stored transposed. */
static void gradient(sumi_graph *graph, sumi_node node, sumi_node upstream,
                     sumi_node gradients[MAX_INPUTS])
{
    sumi_node a = graph_node(graph, node)->inputs[0], b = graph_node(graph, node)->inputs[1];
    bool ta = graph_node(graph, node)->attributes.matmul.transpose_a;
    bool tb = graph_node(graph, node)->attributes.matmul.transpose_b;
    bool activations = graph_node(graph, node)->attributes.matmul.activations;
    gradients[0] = ta            ? sumi_op_matmul(graph, b, upstream, tb, true)
                   : activations ? ops_product_of_positions(graph, upstream, b, !tb)
                                 : sumi_op_matmul(graph, upstream, b, false, !tb);
    gradients[1] = tb ? sumi_op_matmul(graph, upstream, a, true, ta)
                      : sumi_op_matmul(graph, a, upstream, !ta, false);
}

static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    struct product p =
        describe(&node->attributes, input_shape(graph, node, 0), input_shape(graph, node, 1));
    least->operations = 2.0 * (double)shape_count(&node->shape) * (double)p.k;
}

const struct op op_matmul = {.name = "matmul",
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .infer = infer,
                             .gradient = gradient,
                             .reference = reference,
                             .cost = cost};

sumi_node sumi_op_matmul(sumi_graph *graph, sumi_node a, sumi_node b, bool transpose_a,
                         bool transpose_b)
{
    struct attributes attributes = {.matmul = {transpose_a, transpose_b, false}};
    return graph_append(graph, &op_matmul, 2, (sumi_node[]){a, b}, &attributes);
}

sumi_node ops_product_of_positions(sumi_graph *graph, sumi_node a, sumi_node b, bool transpose_b)
{
    struct attributes attributes = {.matmul = {false, transpose_b, true}};
    return graph_append(graph, &op_matmul, 2, (sumi_node[]){a, b}, &attributes);
}
