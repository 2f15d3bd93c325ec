/* SPDX-License-Identifier: Apache-2.0 */
/* Clipping and dynamic thresholding; see limit.h. */
#include "solvers/limit.h"

#include <math.h>

#include "base/team.h"

const struct option limit_options[] = {
    {FLAG_OPTION("clip_sample", "true", "clip the estimate of clean data"), AT(clip_sample)},
    {FLAG_OPTION("clip_denoised", "true", "another name of clip_sample"), AT(clip_sample)},
    {NUMBER_OPTION("clip_sample_range", "1", 0, 1e30, "largest absolute value after clipping"),
     AT(clip_sample_range), "clip_sample=true, thresholding=false"},
    {FLAG_OPTION("thresholding", "false", "clip each item at a quantile of its values instead"),
     AT(thresholding)},
    {NUMBER_OPTION("dynamic_thresholding_ratio", "0.995", 0, 1, "quantile of thresholding"),
     AT(dynamic_thresholding_ratio), "thresholding=true"},
    {NUMBER_OPTION("sample_max_value", "1", 1e-30, 1e30,
                   "largest threshold that the quantile gives"),
     AT(sample_max_value), "thresholding=true"},
    {.name = NULL},
};

/* Partially sorts values[count] so that entry `rank` is that of the sorted array, no entry before
   it is greater and none after it smaller (Hoare's selection). */
static void select_rank(float *values, int64_t count, int64_t rank)
{
    int64_t low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        int64_t left = low, right = high;
        while (left <= right) {
            while (values[left] < pivot) left++;
            while (values[right] > pivot) right--;
            if (left > right) break;
            float moved = values[left];
            values[left++] = values[right];
            values[right--] = moved;
        }
        if (rank <= right) high = right;
        else if (rank >= left) low = left;
        else return;
    }
}

/* The `ratio` quantile of |values|, with linear interpolation. */
static double magnitude_quantile(const float *values, int64_t count, double ratio, float *scratch)
{
    for (int64_t i = 0; i < count; i++) scratch[i] = fabsf(values[i]);
    double rank = ratio * (double)(count - 1);
    int64_t below = (int64_t)rank;
    select_rank(scratch, count, below);
    double lower = scratch[below], upper = lower;
    if (below + 1 < count) {
        upper = scratch[below + 1];
        /* a comparison, because gcc 12 fails to compile fmin here for 64-bit Arm */
        for (int64_t i = below + 2; i < count; i++) {
            if (scratch[i] < upper) upper = scratch[i];
        }
    }
    return lower + (upper - lower) * (rank - (double)below);
}

/* Uses comparisons because they vectorise; fminf and fmaxf do not, because of how they treat
   NaN. */
static void clip(float *values, int64_t count, double limit, double divisor)
{
    float most = (float)limit;
    float scale = (float)(1 / divisor);
    for (int64_t i = 0; i < count; i++) {
        float value = values[i] < -most ? -most : values[i];
        values[i] = (value > most ? most : value) * scale;
    }
}

/* Saharia et al. 2022 (Imagen), section 2.3: clip each item to its own quantile s of |x0|, where
   that is above 1, and divide by s. sample_max_value is an upper limit of s, even below 1. */
static void threshold_item(const struct solver_options *options, int64_t item_size, float *scratch,
                           float *clean)
{
    double limit =
        magnitude_quantile(clean, item_size, options->dynamic_thresholding_ratio, scratch);
    limit = fmin(fmax(limit, 1), options->sample_max_value);
    clip(clean, item_size, limit, limit);
}

/* Called by every thread of a team, which share the loop. */
static void limit_items(const struct solver_options *options, int64_t items, int64_t item_size,
                        float *scratch, float *clean)
{
#pragma omp for schedule(static)
    for (int64_t item = 0; item < items; item++) {
        int64_t start = item * item_size;
        if (options->thresholding)
            threshold_item(options, item_size, scratch + start, clean + start);
        else clip(clean + start, item_size, options->clip_sample_range, 1);
    }
}

void limit_clean(const struct solver_options *options, int threads, int64_t items,
                 int64_t item_size, float *scratch, float *clean)
{
    if (!options->thresholding && !options->clip_sample) return;
    if (items * item_size < 1 << 15) threads = 1;
    BY_TEAM(threads, limit_items(options, items, item_size, scratch, clean));
}
