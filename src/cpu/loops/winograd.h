/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of Winograd's algorithm F(4x4, 3x3) (Lavin & Gray 2016, section 4.3), which does
   a convolution of 3x3 with stride 1 as 36 matrix products. Compiled once for each instruction
   set, like loops.h.

   A tile is 4x4 pixels of the result and the 6x6 pixels of the input that they depend on. In the
   domain of the products a tile has 36 values a channel: value p of channel c is at
   [p * stride + c]. */
#ifndef SUMI_CPU_LOOPS_WINOGRAD_H
#define SUMI_CPU_LOOPS_WINOGRAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/element.h"

enum { WINOGRAD_TILE = 4, WINOGRAD_SPAN = 6, WINOGRAD_POSITIONS = 36, WINOGRAD_WEIGHT_ROWS = 8 };

/* A tile's pixels in an image: pixel (row, column) of the tile is at
   [row * row_step + column * pixel_step] and exists for first_row <= row < end_row and
   first_column <= column < end_column. Others count as zero, and are not written. */
struct winograd_pixels {
    int64_t row_step, pixel_step;
    int first_row, end_row, first_column, end_column;
    bool bf16; /* the image, and a residual, are bfloat16 */
};

/* The epilogue of a result: additions, then a factor. NULL adds nothing. */
struct winograd_epilogue {
    const float *bias, *item; /* [channels] */
    const void *residual;     /* laid out as the result */
    float scale;
};

struct winograd_loops {
    /* out = B^T d B of the 6x6 pixels d */
    void (*input)(int64_t channels, const void *data, const struct winograd_pixels *pixels,
                  float *out, int64_t stride);
    /* data = epilogue(A^T m A) for the 4x4 pixels */
    void (*output)(int64_t channels, const float *in, int64_t stride,
                   const struct winograd_epilogue *epilogue, void *data,
                   const struct winograd_pixels *pixels);
    /* out = A d A^T of the 4x4 pixels d: the transpose of `output` */
    void (*gradient)(int64_t channels, const void *data, const struct winograd_pixels *pixels,
                     float *out, int64_t stride);
    /* out = G g G^T of kernels of 3x3 numbers of that type, rows (WINOGRAD_WEIGHT_ROWS at most) by
       columns of them: kernel (row, column) starts at [row * row_step + column * column_step], and
       is read backwards, rotated by 180 degrees, if `turned`. The result is at [p * stride + row *
       out_row + column]. */
    void (*weight)(int64_t rows, int64_t columns, const void *weight, sumi_element element,
                   int64_t row_step, int64_t column_step, bool turned, float *out, int64_t out_row,
                   int64_t stride);
    /* weight = G^T u G: the transpose of `weight`, for kernels that are not rotated */
    void (*weight_gradient)(int64_t count, const float *in, int64_t stride, float *weight,
                            int64_t step);
};

const struct winograd_loops *winograd_loops_select(void);

#endif
