/* SPDX-License-Identifier: Apache-2.0 */
/* The images of a 3x3 convolution with stride 1 as tiles of 4x4 pixels, for two files: winograd.c
   by blocks of tiles, winograd_panels.c by panels of channels. */
#ifndef SUMI_CPU_WINOGRAD_TILES_H
#define SUMI_CPU_WINOGRAD_TILES_H

#include "cpu/convolution.h"
#include "cpu/loops/winograd.h"

/* An image that is read or written by tiles. Its pixel (0, 0) is pixel (-top, -left) of tile 0. */
struct image {
    int64_t height, width, channels, top, left;
};

struct tiling {
    bool turned;                 /* the weights: computing a gradient by data */
    struct image from, to;       /* what is read by spans of 6x6, and the 4x4 pixels */
    int64_t down, across, count; /* tiles of one item, and of all */
    int64_t in;                  /* input channels of the weights[out][in][3][3] */
    bool bf16;                   /* images are of bfloat16 */
    sumi_element weights;        /* their type */
};

/* A range of tiles. */
struct tiles {
    int64_t first, end;
};

/* Whether the algorithm supports the problem, and its number of tiles. */
bool tiling_suits(const struct convolution_problem *problem);
int64_t tiling_count(const struct convolution_problem *problem);
struct tiling tiling_of(const struct convolution_problem *problem);

/* Distance between positions for `size` values: whole cache lines, an odd number of them, so that
   the 36 places that a tile writes to do not fall on the same lines of the cache. */
int64_t tiling_stride(int64_t size);

/* Transforms tiles of what is read, from[n,h,w,channels], to out[36][tile][channels] with the given
   stride from position to position. */
void tiling_read_spans(const struct tiling *t, struct tiles tiles, const void *from, float *out,
                       int64_t stride);
/* The same for the 4x4 pixels, in a gradient by weight. */
void tiling_read_tiles(const struct tiling *t, struct tiles tiles, const void *to, float *out,
                       int64_t stride);

/* Transforms in[36][tile][count] back to channels first .. first + count - 1 of to[n,h,w,channels],
   through the epilogue. */
void tiling_write_tiles(const struct tiling *t, struct tiles tiles, int64_t first, int64_t count,
                        const struct epilogue *epilogue, const float *in, int64_t stride, void *to);

/* Transforms the weights of `rows` channels that are read, from number `row` on, and `count` that
   are written, from number `first` on, to out[36][rows][count], rows out_row apart. */
void tiling_transform_weights(const struct tiling *t, const void *weight, int64_t row, int64_t rows,
                              int64_t first, int64_t count, float *out, int64_t out_row,
                              int64_t stride);

#endif
