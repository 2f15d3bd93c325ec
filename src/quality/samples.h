/* SPDX-License-Identifier: Apache-2.0 */
/* A set of samples [rows, columns], such as items or their features, in either precision. Measures
   read it by panels of a few rows in double, so that no second copy of a large set is needed. */
#ifndef SUMI_QUALITY_SAMPLES_H
#define SUMI_QUALITY_SAMPLES_H

#include <stdint.h>

struct samples {
    int64_t rows, columns;
    const float *narrow; /* [rows, columns], or NULL */
    const double *wide;  /* the same where `narrow` is NULL */
};

/* Writes rows first ... first + count - 1 to panel[count, columns]. */
void samples_panel(const struct samples *samples, int64_t first, int64_t count, double *panel);

/* The first `rows` rows of a set. */
struct samples samples_first(const struct samples *samples, int64_t rows);

/* The rows from `first` on, `rows` of them. */
struct samples samples_part(const struct samples *samples, int64_t first, int64_t rows);

#endif
