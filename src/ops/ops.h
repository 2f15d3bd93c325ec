/* SPDX-License-Identifier: Apache-2.0 */
/* The list of all ops. Each is defined in the file of its name. The builders (sumi_op_...) are
   declared in sumi_graph.h, those that only gradients use here. */
#ifndef SUMI_OPS_OPS_H
#define SUMI_OPS_OPS_H

#include "graph/graph.h"

extern const struct op op_add, op_subtract, op_multiply, op_divide, op_affine, op_exp, op_log,
    op_sqrt, op_sin, op_cos, op_sigmoid, op_tanh, op_silu, op_softplus, op_erf, op_relu, op_step,
    op_reshape, op_permute, op_broadcast, op_sum, op_slice, op_window, op_pad, op_concat, op_matmul,
    op_convolution, op_convolution_data_gradient, op_convolution_weight_gradient, op_group_moments,
    op_group_norm, op_group_norm_whole, op_group_norm_sums, op_group_norm_data_gradient,
    op_group_norm_backward, op_softmax, op_attention, op_attention_gradient, op_upsample,
    op_block_sum, op_gather, op_scatter_add, op_squared_error, op_squared_error_loss,
    op_dropout_mask, op_stop_gradient, op_activate, op_activate_gradient, op_gate, op_gate_gradient,
    op_layer_norm, op_layer_norm_gradient, op_layer_norm_sums, op_rotary, op_log_normal_cdf,
    op_normal_hazard, op_nearest_row, op_patchify, op_unpatchify, op_pool;

/* An array of a shape filled with one number, by broadcast. */
sumi_node ops_filled(sumi_graph *graph, const struct shape *shape, double value);
/* reshape and broadcast that take a shape. */
sumi_node ops_reshape(sumi_graph *graph, sumi_node x, const struct shape *shape);
sumi_node ops_broadcast(sumi_graph *graph, sumi_node x, const struct shape *shape);
/* Sums over the axes that broadcasting added, so that the result has `shape`. */
sumi_node ops_unbroadcast(sumi_graph *graph, sumi_node x, const struct shape *shape);

/* The gradient of a normalisation's scale or shift: row `row` of sums[2, n, c], summed over the
   items where the parameter is [c]; -1 where sums is. */
sumi_node ops_row_of_sums(sumi_graph *graph, sumi_node sums, int64_t row,
                          const struct shape *parameter);

/* A view of `shape` that starts `first` elements into x's row-major memory; its gradient pads
   with zeros. */
sumi_node ops_window(sumi_graph *graph, sumi_node x, int64_t first, const struct shape *shape);

/* Gradient of a convolution by its weight, of shape [out,in,kh,kw]. The gradient by its input is
   sumi_op_convolution_transposed. */
sumi_node ops_convolution_weight_gradient(sumi_graph *graph, sumi_node x, sumi_node upstream,
                                          const sumi_convolution *geometry, int64_t kernel_height,
                                          int64_t kernel_width);

/* The product of rows a[m, k], which are positions of items, with a matrix b: a plan in bf16 stores
   it, and its gradient by `a`, as bfloat16. */
sumi_node ops_product_of_positions(sumi_graph *graph, sumi_node a, sumi_node b, bool transpose_b);

/* The index in its stream of the first random number of a dropout mask. */
uint64_t dropout_mask_first(const struct node *node, const struct run_key *key);

/* The transpose of gather: adds rows of upstream[n, d] into zeros [rows, d] at indices[n]. */
sumi_node ops_scatter_add(sumi_graph *graph, sumi_node upstream, sumi_node indices, int64_t rows);

/* The number of the nearest row of table[rows, d] for each row of x[n, d]: [n]. */
sumi_node ops_nearest_row(sumi_graph *graph, sumi_node x, sumi_node table);

/* The largest or the mean number of each window [down, across] of x[n,h,w,c], without the padding
   of the geometry. It has no derivative. */
enum pool_kind { POOL_LARGEST, POOL_MEAN };
sumi_node ops_pool(sumi_graph *graph, sumi_node x, enum pool_kind kind, const int64_t window[2],
                   const sumi_convolution *geometry);

/* x, without derivatives. */
sumi_node ops_stop_gradient(sumi_graph *graph, sumi_node x);

/* log Phi(x) and phi(x) / Phi(x) of the standard normal distribution. */
sumi_node ops_log_normal_cdf(sumi_graph *graph, sumi_node x);
sumi_node ops_normal_hazard(sumi_graph *graph, sumi_node x);

/* The loss of a prediction[n, ...]: the sum over items of c[n] times the mean squared error;
   *losses receives the node of the mean squared errors [n]. Coefficients may be -1 for 1/n each.
   The gradient is computed together with the loss. */
sumi_node ops_squared_error(sumi_graph *graph, sumi_node prediction, sumi_node target,
                            sumi_node coefficients, sumi_node *losses);

#endif
