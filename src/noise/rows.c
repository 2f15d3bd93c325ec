/* Weighted sums of rows; see rows.h. */
#include "noise/rows.h"

#include <math.h>

/* Elements summed at a time, in double; and the size from which threads are worth waking. */
enum { STRIP = 512, WORTH_THREADS = 1 << 16 };

static void combine_strip(int64_t start, int64_t length, float *output, int terms,
                          const struct row_term *term)
{
    double sum[STRIP] = {0};
    for (int k = 0; k < terms; k++) {
        double weight = term[k].weight;
        if (weight == 0) continue;
        const float *row = term[k].row + start;
        for (int64_t i = 0; i < length; i++) sum[i] += weight * row[i];
    }
    for (int64_t i = 0; i < length; i++) output[start + i] = (float)sum[i];
}

void rows_combine(int threads, int64_t count, float *output, int terms,
                  const struct row_term *term)
{
    int64_t strips = (count + STRIP - 1) / STRIP;
#pragma omp parallel for num_threads(threads) if (count >= WORTH_THREADS)
    for (int64_t strip = 0; strip < strips; strip++) {
        int64_t start = strip * STRIP, left = count - start;
        combine_strip(start, left < STRIP ? left : STRIP, output, terms, term);
    }
}

bool rows_are_finite(int threads, int64_t count, const float *row)
{
    int bad = 0;
#pragma omp parallel for num_threads(threads) if (count >= WORTH_THREADS) reduction(| : bad)
    for (int64_t i = 0; i < count; i++) bad |= !isfinite(row[i]);
    return !bad;
}
