/* Weighted sums of rows; see rows.h. */
#include "noise/rows.h"

#include <math.h>

/* Elements summed at a time, in double; and the size from which threads are worth waking. */
enum { STRIP = 512, WORTH_THREADS = 1 << 16 };

/* Loops of one thread are plain loops: others call them from threads of their own. */
static void combine_strip(int64_t start, int64_t count, float *output, int terms,
                          const struct row_term *term)
{
    int64_t length = count - start < STRIP ? count - start : STRIP;
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
    if (threads == 1 || count < WORTH_THREADS) {
        for (int64_t at = 0; at < count; at += STRIP) {
            combine_strip(at, count, output, terms, term);
        }
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t at = 0; at < count; at += STRIP) combine_strip(at, count, output, terms, term);
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
