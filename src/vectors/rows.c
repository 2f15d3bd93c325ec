/* SPDX-License-Identifier: Apache-2.0 */
/* Weighted sums of rows; see rows.h. */
#include "vectors/rows.h"

#include <math.h>

/* STRIP: elements summed at a time, in double. WORTH_THREADS: least size for which threads are
   used. FEW: largest number of terms whose sum stays in registers. */
enum { STRIP = 512, WORTH_THREADS = 1 << 15, FEW = 4 };

/* `terms` is a constant at each call. The output may be one of the rows, which does not prevent
   vectorisation. */
static inline void sum_few(int64_t length, float *output, int terms, const struct row_term *term)
{
#pragma omp simd
    for (int64_t i = 0; i < length; i++) {
        double sum = 0;
        for (int k = 0; k < terms; k++) sum += term[k].weight * term[k].row[i];
        output[i] = (float)sum;
    }
}

static void sum_many(int64_t length, float *output, int terms, const struct row_term *term)
{
    double sum[STRIP] = {0};
    for (int k = 0; k < terms; k++) {
        double weight = term[k].weight;
        const float *row = term[k].row;
        for (int64_t i = 0; i < length; i++) sum[i] += weight * row[i];
    }
    for (int64_t i = 0; i < length; i++) output[i] = (float)sum[i];
}

/* Sums the strip from `start` on, of rows whose weights are not zero. */
static void combine_strip(int64_t start, int64_t count, float *output, int terms,
                          const struct row_term *term)
{
    struct row_term part[MOST_TERMS];
    int64_t length = count - start < STRIP ? count - start : STRIP;
    for (int k = 0; k < terms; k++)
        part[k] = (struct row_term){term[k].weight, term[k].row + start};
    output += start;
    switch (terms) {
    case 1: sum_few(length, output, 1, part); break;
    case 2: sum_few(length, output, 2, part); break;
    case 3: sum_few(length, output, 3, part); break;
    case FEW: sum_few(length, output, FEW, part); break;
    default: sum_many(length, output, terms, part);
    }
}

/* With one thread it is a plain loop, because callers may run it in their own threads. */
void rows_combine(int threads, int64_t count, float *output, int terms, const struct row_term *term)
{
    struct row_term used[MOST_TERMS];
    int left = 0;
    for (int k = 0; k < terms; k++)
        if (term[k].weight != 0) used[left++] = term[k];
    if (threads == 1 || count < WORTH_THREADS) {
        for (int64_t at = 0; at < count; at += STRIP) combine_strip(at, count, output, left, used);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t at = 0; at < count; at += STRIP) combine_strip(at, count, output, left, used);
}

static bool strip_is_finite(int64_t start, int64_t count, const float *row)
{
    int64_t end = count - start < STRIP ? count : start + STRIP;
    int bad = 0;
    for (int64_t i = start; i < end; i++) bad |= !isfinite(row[i]);
    return !bad;
}

bool rows_are_finite(int threads, int64_t count, const float *row)
{
    int bad = 0;
    if (threads == 1 || count < WORTH_THREADS) {
        for (int64_t at = 0; at < count; at += STRIP) bad |= !strip_is_finite(at, count, row);
        return !bad;
    }
#pragma omp parallel for num_threads(threads) schedule(static) reduction(| : bad)
    for (int64_t at = 0; at < count; at += STRIP) bad |= !strip_is_finite(at, count, row);
    return !bad;
}
