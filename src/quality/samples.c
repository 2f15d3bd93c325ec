/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a set of samples in double. */
#include "quality/samples.h"

#include <string.h>

void samples_panel(const struct samples *samples, int64_t first, int64_t count, double *panel)
{
    int64_t start = first * samples->columns, size = count * samples->columns;
    if (samples->narrow) {
        for (int64_t i = 0; i < size; i++) panel[i] = samples->narrow[start + i];
    } else {
        memcpy(panel, samples->wide + start, (size_t)size * sizeof *panel);
    }
}

struct samples samples_first(const struct samples *samples, int64_t rows)
{
    return samples_part(samples, 0, rows);
}

struct samples samples_part(const struct samples *samples, int64_t first, int64_t rows)
{
    int64_t start = first * samples->columns;
    return (struct samples){.rows = rows,
                            .columns = samples->columns,
                            .narrow = samples->narrow ? samples->narrow + start : NULL,
                            .wide = samples->narrow ? NULL : samples->wide + start};
}
