/* SPDX-License-Identifier: Apache-2.0 */
/* Moving the axis of the channels; see channels.h. */
#include "files/channels.h"

/* Transposes n matrices [rows, columns]. */
static void transpose(int64_t n, int64_t rows, int64_t columns, const float *from, float *to)
{
    for (int64_t i = 0; i < n; i++) {
        const float *source = from + i * rows * columns;
        float *target = to + i * rows * columns;
        for (int64_t row = 0; row < rows; row++)
            for (int64_t column = 0; column < columns; column++)
                target[column * rows + row] = source[row * columns + column];
    }
}

void channels_to_first(const int64_t shape[4], const float *last, float *first)
{
    transpose(shape[0], shape[1] * shape[2], shape[3], last, first);
}

void channels_to_last(const int64_t shape[4], const float *first, float *last)
{
    transpose(shape[0], shape[3], shape[1] * shape[2], first, last);
}
