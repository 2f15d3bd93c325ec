/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of 1-D Winograd, F(4, 3), which computes a convolution of width 3 with stride 1 as
   6 matrix products. Compiled once for each instruction set, like loops.h. A tile is 4 neighbouring
   pixels of the result and the 6 of the input that they depend on. In the domain of the products a
   tile has 6 values a channel: value p of channel c is at [p * stride + c]. */
#ifndef SUMI_CPU_LOOPS_WINOGRAD_1D_H
#define SUMI_CPU_LOOPS_WINOGRAD_1D_H

#include <stdbool.h>
#include <stdint.h>

#include "base/element.h"

enum { WINOGRAD_1D_TILE = 4, WINOGRAD_1D_SPAN = 6, WINOGRAD_1D_KERNEL = 3 };

/* y = scale (y + bias[c] + item[c] + residual[pixel, c]); absent parts are NULL. */
struct winograd_1d_epilogue {
    const float *bias, *item, *residual; /* the residual laid out as the result */
    float scale;
};

struct winograd_1d_loops {
    /* out = B^T d of 6 pixels, of which first <= i < end exist; others count as zero */
    void (*input)(int64_t channels, const float *data, int first, int end, float *out,
                  int64_t stride);
    /* the first `end` pixels of data = epilogue(A^T m) */
    void (*output)(int64_t channels, const float *in, int64_t stride,
                   const struct winograd_1d_epilogue *epilogue, float *data, int end);
    /* out = A d of 4 pixels, of which the first `end` exist: the transpose of `output` */
    void (*gradient)(int64_t channels, const float *data, int end, float *out, int64_t stride);
    /* out[p * stride + k] = G g of kernel k, `count` of them, each 3 numbers of that type at [k *
       step], the last first if `turned` */
    void (*weight)(int64_t count, const void *weight, sumi_element element, int64_t step,
                   bool turned, float *out, int64_t stride);
    /* weight[count, 3] = G^T u: the transpose of `weight` for kernels that are not reversed */
    void (*weight_gradient)(int64_t count, const float *in, int64_t stride, float *weight);
};

const struct winograd_1d_loops *winograd_1d_loops_select(void);

#endif
