/* SPDX-License-Identifier: Apache-2.0 */
/* The squared error of a prediction and its gradient in one pass. One array has the gradient by the
   prediction, the losses of the items and the total loss: with N numbers per item,
       losses[i] = sum (prediction - target)^2 / N        loss = sum c[i] losses[i]
       gradient = 2 c[i] (prediction - target) / N
   where c[n] is 1/n if omitted. The loss is a view of the array with its own gradient rule, because
   its gradient is already computed. */
#include "ops/check.h"
#include "ops/ops.h"

/* prediction [n, ...], target of the same shape, and coefficients [n] if there are any. */
static sumi_status infer(sumi_graph *graph, struct node *node)
{
    const struct shape *x = input_shape(graph, node, 0), *target = input_shape(graph, node, 1);
    if (x->rank < 1 || !shape_equal(x, target)) {
        return ops_pair_refuse(graph, "squared_error", x, target,
                               "prediction and target have one shape, [n, ...]");
    }
    if (node->input_count > 2) {
        const struct shape *c = input_shape(graph, node, 2);
        if (c->rank != 1 || c->size[0] != x->size[0]) {
            return ops_pair_refuse(graph, "squared_error", x, c, "there is a number for each item");
        }
    }
    node->shape = (struct shape){1, {shape_count(x) + x->size[0] + 1}};
    return SUMI_OK;
}

static void reference(const sumi_graph *graph, const struct node *node, const double *const *inputs,
                      double *output, const struct run_key *key)
{
    (void)key;
    const struct shape *x = input_shape(graph, node, 0);
    int64_t items = x->size[0], count = shape_count(x), size = count / items;
    double *losses = output + count, *loss = losses + items;
    for (int64_t i = 0; i <= items; i++) losses[i] = 0;
    for (int64_t i = 0; i < count; i++) {
        double c = node->input_count > 2 ? inputs[2][i / size] : 1.0 / (double)items;
        double error = inputs[0][i] - inputs[1][i];
        output[i] = 2 * c * error / (double)size;
        losses[i / size] += error * error / (double)size;
        *loss += c * error * error / (double)size;
    }
}

/* The same array from elementary ops. */
static sumi_node expand(sumi_graph *graph, sumi_node node)
{
    struct node fused = *graph_node(graph, node);
    struct shape x = *input_shape(graph, &fused, 0), each = {.rank = x.rank};
    int64_t items = x.size[0], count = shape_count(&x), one = 1;
    for (int i = 0; i < x.rank; i++) each.size[i] = i ? 1 : items;
    sumi_node error = sumi_op_subtract(graph, fused.inputs[0], fused.inputs[1]), c = -1;
    sumi_node gradient = sumi_op_affine(graph, error, 2 * (double)items / (double)count, 0);
    sumi_node square = sumi_op_multiply(graph, error, error);
    unsigned all = (1u << x.rank) - 1;
    sumi_node losses = sumi_op_mean(graph, square, all & ~1u);
    if (fused.input_count > 2) c = ops_reshape(graph, fused.inputs[2], &each);
    else c = ops_filled(graph, &each, 1.0 / (double)items);
    gradient = sumi_op_multiply(graph, gradient, c);
    sumi_node loss = sumi_op_sum(graph, sumi_op_multiply(graph, losses, c), all);
    sumi_node parts = sumi_op_concat(graph, sumi_op_reshape(graph, gradient, 1, &count),
                                     sumi_op_reshape(graph, losses, 1, &items), 0);
    return sumi_op_concat(graph, parts, sumi_op_reshape(graph, loss, 1, &one), 0);
}

/* difference, square and sum; the gradient */
static void cost(const sumi_graph *graph, const struct node *node, struct cost *least)
{
    least->operations = 4.0 * (double)shape_count(input_shape(graph, node, 0));
}

const struct op op_squared_error = {.name = "squared_error",
                                    .min_inputs = 2,
                                    .max_inputs = 3,
                                    .infer = infer,
                                    .expand = expand,
                                    .reference = reference,
                                    .cost = cost,
                                    .storage = STORAGE_FLOAT32};

/* ---- the loss: a view of the array (input 0), which has the others' gradients ---- */

static sumi_status infer_loss(sumi_graph *graph, struct node *node)
{
    (void)graph;
    node->shape = (struct shape){.rank = 0};
    return SUMI_OK;
}

static void reference_loss(const sumi_graph *graph, const struct node *node,
                           const double *const *inputs, double *output, const struct run_key *key)
{
    (void)graph, (void)key;
    *output = inputs[0][node->attributes.view.first];
}

/* Whether the node is the constant one, as the adjoint of the differentiated loss is. */
static bool is_one(const sumi_graph *graph, sumi_node node)
{
    return graph_node(graph, node)->op == &op_constant && graph_shape(graph, node)->rank == 0
           && *graph_node(graph, node)->constant == 1;
}

static void gradient_loss(sumi_graph *graph, sumi_node node, sumi_node upstream,
                          sumi_node gradients[MAX_INPUTS])
{
    struct node loss = *graph_node(graph, node);
    struct shape x = *input_shape(graph, &loss, 1), items = {1, {x.size[0]}};
    sumi_node by_x = ops_window(graph, loss.inputs[0], 0, &x);
    gradients[1] = is_one(graph, upstream) ? by_x : sumi_op_multiply(graph, by_x, upstream);
    gradients[2] = sumi_op_affine(graph, gradients[1], -1, 0);
    if (loss.input_count < 4) return;
    sumi_node losses = ops_window(graph, loss.inputs[0], shape_count(&x), &items);
    gradients[3] = sumi_op_multiply(graph, losses, upstream);
}

const struct op op_squared_error_loss = {.name = "squared_error_loss",
                                         .min_inputs = 3,
                                         .max_inputs = 4,
                                         .infer = infer_loss,
                                         .gradient = gradient_loss,
                                         .reference = reference_loss,
                                         .view = true};

sumi_node ops_squared_error(sumi_graph *graph, sumi_node prediction, sumi_node target,
                            sumi_node coefficients, sumi_node *losses)
{
    sumi_node inputs[] = {prediction, target, coefficients};
    sumi_node array = graph_append(graph, &op_squared_error, 3, inputs, NULL);
    *losses = -1;
    if (array < 0) return -1;
    struct shape x = *graph_shape(graph, prediction), items = {1, {x.size[0]}};
    struct attributes attributes = {.view.first = shape_count(&x) + x.size[0]};
    *losses = ops_window(graph, array, shape_count(&x), &items);
    return graph_append(graph, &op_squared_error_loss, 4,
                        (sumi_node[]){array, prediction, target, coefficients}, &attributes);
}
