/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of positions; see positions.h. */
#include "nets/positions.h"

#include <math.h>

static const double LONGEST = 10000; /* wavelength over 2 pi */

void positions_of(double position, int64_t channels, float *row)
{
    int64_t half = channels / 2;
    for (int64_t i = 0; i < half; i++) {
        double angle = position * pow(LONGEST, -(double)i / (double)half);
        row[i] = (float)sin(angle);
        row[half + i] = (float)cos(angle);
    }
}

/* Position `number` of `count`, in units of the training grid. */
static double place(const struct position_grid *grid, int64_t number, int64_t count)
{
    return (double)number * (double)grid->base / (double)count / grid->scale;
}

void positions_of_grid(const struct position_grid *grid, int64_t channels, float *table)
{
    int64_t half = channels / 2;
    for (int64_t i = 0; i < grid->rows * grid->columns; i++) {
        int64_t row = i / grid->columns, column = i % grid->columns;
        positions_of(place(grid, column, grid->columns), half, table + i * channels);
        positions_of(place(grid, row, grid->rows), half, table + i * channels + half);
    }
}
