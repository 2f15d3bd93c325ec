/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of the fused linear layer and of the gradient by its weight. */
#ifndef SUMI_OPS_LINEAR_H
#define SUMI_OPS_LINEAR_H

#include "ops/epilogue.h"

/* In attributes.epilogue.parts: there is a second array of x's channels, behind the other inputs.
 */
enum { LINEAR_SECOND = 8 };

struct linear_sizes {
    int64_t rows, first, second, out; /* channels of x's two arrays, and of y */
    int64_t w_in, w_out;              /* steps in the weight along x's channels and along y's */
};
struct linear_sizes linear_sizes_of(const sumi_graph *graph, const struct node *node);

extern const struct op op_linear_whole, op_linear_weight_gradient;

#endif
