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

#endif
