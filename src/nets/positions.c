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

/* ---- Videos ---- */

/* The token's frame, row and column. */
static void place_of(const struct position_video *video, int64_t token, int64_t place[3])
{
    place[2] = token % video->columns;
    place[1] = token / video->columns % video->rows;
    place[0] = token / video->columns / video->rows;
}

void positions_of_video(const struct position_video *video, int64_t channels, float *table)
{
    int64_t time = channels / 4, space = (channels - time) / 2, place[3];
    for (int64_t i = 0; i < video->frames * video->rows * video->columns; i++) {
        float *row = table + i * channels;
        place_of(video, i, place);
        positions_of((double)place[0] / video->time_scale, time, row);
        positions_of((double)place[2] / video->space_scale, space, row + time);
        positions_of((double)place[1] / video->space_scale, space, row + time + space);
    }
}

/* Cosines and sines of a position times 10000^(-i / pairs), into rows of the tables. */
static void rotate(double position, int64_t pairs, float *cosine, float *sine)
{
    for (int64_t i = 0; i < pairs; i++) {
        double angle = position * pow(LONGEST, -(double)i / (double)pairs);
        cosine[i] = (float)cos(angle);
        sine[i] = (float)sin(angle);
    }
}

void positions_rotary(const struct position_video *video, const struct position_window *window,
                      int64_t pairs, float *cosine, float *sine)
{
    int64_t time = pairs / 4, space = (pairs - time) / 2, place[3];
    for (int64_t i = 0; i < video->frames * video->rows * video->columns; i++) {
        int64_t at = i * pairs;
        place_of(video, i, place);
        double row = window->top + (double)place[1] * window->down;
        double column = window->left + (double)place[2] * window->across;
        rotate((double)place[0], time, cosine + at, sine + at);
        rotate(row, space, cosine + at + time, sine + at + time);
        rotate(column, space, cosine + at + time + space, sine + at + time + space);
    }
}

/* rint rounds halves to even, as Python does. */
struct position_window positions_window(int64_t rows, int64_t columns, int64_t base_rows,
                                        int64_t base_columns)
{
    double height = (double)rows, width = (double)columns, tall = (double)base_rows;
    double wide = (double)base_columns;
    if (height / width > tall / wide) {
        width = rint(tall / height * width);
        height = tall;
    } else {
        height = rint(wide / width * height);
        width = wide;
    }
    double top = rint((tall - height) / 2), left = rint((wide - width) / 2);
    struct position_window window = {.top = top, .left = left, .down = 0, .across = 0};
    /* The places are spread evenly from the start to (end (n - 1) / n). */
    if (rows > 1)
        window.down =
            ((top + height) * (double)(rows - 1) / (double)rows - top) / (double)(rows - 1);
    if (columns > 1)
        window.across = ((left + width) * (double)(columns - 1) / (double)columns - left)
                        / (double)(columns - 1);
    return window;
}
