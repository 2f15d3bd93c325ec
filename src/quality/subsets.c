/* SPDX-License-Identifier: Apache-2.0 */
/* Subsets of two sets, and the discrepancy of each pair of them. */
#include "quality/subsets.h"

#include <math.h>

#include "base/philox.h"
#include "quality/kernels.h"

struct subsets {
    struct work *work;
    const struct subset_settings *settings;
    const struct samples *sets[2];
    int64_t size, count;
    int64_t *order[2]; /* [rows] of each set: indices, shuffled further for each subset */
    double *rows[2];   /* [size, columns]: a random subset */
};

/* Swaps `size` random ones of the indices to the front (Fisher & Yates). */
static void draw(struct subsets *subsets, int side, int64_t number)
{
    const struct samples *set = subsets->sets[side];
    int64_t *order = subsets->order[side];
    const philox_stream stream = {.seed = subsets->settings->seed,
                                  .purpose = PURPOSE_MEASURE,
                                  .step = (uint64_t)(2 * number + side)};
    for (int64_t i = 0; i < subsets->size; i++) {
        uint64_t left = (uint64_t)(set->rows - i);
        int64_t other = i + (int64_t)philox_below(&stream, (uint64_t)i, left);
        int64_t kept = order[i];
        order[i] = order[other];
        order[other] = kept;
        samples_panel(set, order[i], 1, subsets->rows[side] + i * set->columns);
    }
}

static struct samples subset(struct subsets *subsets, int side, int64_t number)
{
    const struct samples *set = subsets->sets[side];
    if (subsets->settings->order == SUBSETS_CONSECUTIVE)
        return samples_part(set, number * subsets->size, subsets->size);
    draw(subsets, side, number);
    return (struct samples){
        .rows = subsets->size, .columns = set->columns, .wide = subsets->rows[side]};
}

static sumi_status measure_all(struct subsets *subsets, double *mean, double *deviation)
{
    const struct kernel kernel = {.kind = KERNEL_POLYNOMIAL, .degree = subsets->settings->degree};
    double sum = 0, squares = 0; /* about the first, so that nothing cancels */
    double origin = 0;
    work_begin(subsets->work, 3 * subsets->size * subsets->count);
    for (int64_t i = 0; i < subsets->count; i++) {
        struct samples a = subset(subsets, 0, i), b = subset(subsets, 1, i);
        struct discrepancy result = {0};
        TRY(kernel_discrepancy(subsets->work, &a, &b, &kernel, &result));
        if (i == 0) origin = result.unbiased;
        sum += result.unbiased - origin;
        squares += (result.unbiased - origin) * (result.unbiased - origin);
    }
    double count = (double)subsets->count, shift = sum / count;
    *mean = origin + shift;
    *deviation = sqrt(fmax(squares / count - shift * shift, 0));
    return SUMI_OK;
}

static sumi_status whole_sets(struct subsets *subsets, double *mean, double *deviation)
{
    const struct kernel kernel = {.kind = KERNEL_POLYNOMIAL, .degree = subsets->settings->degree};
    const struct samples *a = subsets->sets[0], *b = subsets->sets[1];
    struct discrepancy result = {0};
    work_begin(subsets->work, 2 * a->rows + b->rows);
    TRY(kernel_discrepancy(subsets->work, a, b, &kernel, &result));
    *mean = result.unbiased;
    *deviation = 0;
    return SUMI_OK;
}

static sumi_status reserve(struct subsets *subsets)
{
    sumi_context *context = subsets->work->context;
    for (int side = 0; side < 2; side++) {
        const struct samples *set = subsets->sets[side];
        subsets->order[side] = context_allocate(context, (size_t)set->rows, sizeof(int64_t));
        subsets->rows[side] =
            context_allocate(context, (size_t)subsets->size, (size_t)set->columns * sizeof(double));
        if (!subsets->order[side] || !subsets->rows[side]) return SUMI_ERROR_MEMORY;
        for (int64_t i = 0; i < set->rows; i++) subsets->order[side][i] = i;
    }
    return SUMI_OK;
}

sumi_status subsets_measure(struct work *work, const struct subset_settings *settings,
                            const struct samples *a, const struct samples *b, double *mean,
                            double *deviation)
{
    struct subsets subsets = {
        .work = work, .settings = settings, .sets = {a, b}, .size = settings->size};
    int64_t fewer = a->rows < b->rows ? a->rows : b->rows;
    if (fewer <= settings->size) return whole_sets(&subsets, mean, deviation);
    bool random = settings->order == SUBSETS_RANDOM;
    subsets.count = random ? settings->count : fewer / settings->size;
    sumi_status status = random ? reserve(&subsets) : SUMI_OK;
    if (status == SUMI_OK) status = measure_all(&subsets, mean, deviation);
    for (int side = 0; side < 2; side++) {
        context_release(work->context, subsets.order[side]);
        context_release(work->context, subsets.rows[side]);
    }
    return status;
}
