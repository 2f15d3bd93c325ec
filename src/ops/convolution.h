/* SPDX-License-Identifier: Apache-2.0 */
/* What the convolution and its two gradients share. The three are the partial products of one sum
   over taps, x[n,h,w,in] weight[out,in,kh,kw] y[n,oh,ow,out], so each one's gradients are the
   other two. */
#ifndef SUMI_OPS_CONVOLUTION_H
#define SUMI_OPS_CONVOLUTION_H

#include "ops/ops.h"

struct convolution_sizes {
    int64_t n, height, width, in;
    int64_t out, kernel_height, kernel_width;
    int64_t out_height, out_width;
    sumi_convolution geometry;
};

/* The sizes of the convolution of an input [n,h,w,in] and a weight [out,in,kh,kw]. */
struct convolution_sizes convolution_sizes_of(const sumi_convolution *geometry,
                                              const struct shape *x, const struct shape *weight);

/* The same for unchecked shapes; records a failure where they do not match. */
sumi_status convolution_describe(sumi_graph *graph, const char *name,
                                 const sumi_convolution *geometry, const struct shape *x,
                                 const struct shape *weight, struct convolution_sizes *sizes);

/* The shape [n, oh, ow, out] of its result. */
struct shape convolution_result(const struct convolution_sizes *sizes);

/* Records a failure unless `y` has that shape. */
sumi_status convolution_expect(sumi_graph *graph, const char *name, const struct shape *y,
                               const struct convolution_sizes *sizes);

/* A tap: one output pixel and one position of the kernel that meets one input pixel. Elements:
   x[tap.x + i], y[tap.y + o], weight[(o * in + i) * kernel places + tap.weight]. */
struct convolution_tap {
    int64_t x, y, weight;
};

/* The number of taps, and the tap by number; false where it falls on padding. */
int64_t convolution_taps(const struct convolution_sizes *sizes);
bool convolution_tap_at(const struct convolution_sizes *sizes, int64_t number,
                        struct convolution_tap *tap);

/* The reference kernel of y and of the gradients by x and by the weight: with p = x weight y of a
   tap and a pair of channels, adds dp / d(operand) to the operand of each, from zero. `first` and
   `second` are the other two operands, in the order of the names. */
enum convolution_operand { TAP_X, TAP_WEIGHT, TAP_Y };
void convolution_reference(const struct convolution_sizes *sizes, enum convolution_operand operand,
                           const double *first, const double *second, double *output);

/* The multiplications and additions of the sum over taps, without those on padding. */
double convolution_operations(const struct convolution_sizes *sizes);

/* Builds the gradient by the input, for an input of shape `x`. */
sumi_node convolution_data_gradient(sumi_graph *graph, sumi_node upstream, sumi_node weight,
                                    const sumi_convolution *geometry, const struct shape *x);

#endif
