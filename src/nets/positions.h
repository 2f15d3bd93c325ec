/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of positions for transformers: of a position p, the sines of p w_i in the first half of
   the channels and the cosines in the second, w_i = 10000^(-i / half) (Vaswani et al. 2017, 3.5).
 */
#ifndef SUMI_NETS_POSITIONS_H
#define SUMI_NETS_POSITIONS_H

#include <stdint.h>

/* The row of one position, channels[even], into the table. */
void positions_of(double position, int64_t channels, float *row);

/* Patches of a picture, and the grid of the network's training. */
struct position_grid {
    int64_t rows, columns;
    int64_t base; /* patches of a side in training, whose span other grids are scaled to */
    double scale; /* positions are divided by it */
};

/* table[rows * columns, channels], patches row by row: the first half of the channels encodes the
   column, the second half the row. `channels` is a multiple of 4. */
void positions_of_grid(const struct position_grid *grid, int64_t channels, float *table);

/* Patches of a video, frame by frame and each row by row. */
struct position_video {
    int64_t frames, rows, columns;
    double time_scale, space_scale; /* positions are divided by them */
};

/* table[frames * rows * columns, channels]: the first quarter of the channels encodes the frame,
   the next 3/8 the column, the last the row (Yang et al. 2024, CogVideoX). `channels` is a multiple
   of 16. */
void positions_of_video(const struct position_video *video, int64_t channels, float *table);

/* Where the rows and columns of patches lie in the grid of the network's training. */
struct position_window {
    double top, left;    /* of the first */
    double down, across; /* from one to the next */
};

/* Tables [frames * rows * columns, pairs] of sumi_op_rotary: a quarter of the pairs turns by the
   frame, 3/8 by the row and 3/8 by the column; `pairs` is a multiple of 8. The scales are not
   read. */
void positions_rotary(const struct position_video *video, const struct position_window *window,
                      int64_t pairs, float *cosine, float *sine);

/* The window of a grid that is scaled to fit into that of training, and put into its middle. */
struct position_window positions_window(int64_t rows, int64_t columns, int64_t base_rows,
                                        int64_t base_columns);

#endif
