/* SPDX-License-Identifier: Apache-2.0 */
/* Two conditions as one batch; see pair.h. */
#include "guides/pair.h"

#include <string.h>

void pair_release(sumi_context *context, struct pair *pair)
{
    context_release(context, pair->x);
    context_release(context, pair->times);
    context_release(context, pair->output);
    context_release(context, pair->vectors);
    context_release(context, pair->products);
    context_release(context, pair->again);
    context_release(context, pair->scales);
    sumi_condition_free(pair->joined);
    *pair = (struct pair){.capacity = 0};
}

sumi_status pair_prepare(sumi_context *context, const struct guide_call *call, struct pair *pair)
{
    size_t rows = 2 * (size_t)call->count;
    pair->again_count = 0;
    if (pair->capacity >= 2 * call->count && pair->item_size == call->item_size
        && pair->output_size == call->output_size)
        return SUMI_OK;
    pair_release(context, pair);
    size_t items = rows * (size_t)call->item_size, outputs = rows * (size_t)call->output_size;
    pair->x = context_allocate(context, items, sizeof *pair->x);
    pair->products = context_allocate(context, items, sizeof *pair->products);
    pair->output = context_allocate(context, outputs, sizeof *pair->output);
    pair->vectors = context_allocate(context, outputs, sizeof *pair->vectors);
    pair->times = context_allocate(context, rows, sizeof *pair->times);
    pair->again = context_allocate(context, (size_t)call->count, sizeof *pair->again);
    pair->scales = context_allocate(context, (size_t)call->count, sizeof *pair->scales);
    TRY(sumi_condition_create(context, &pair->joined));
    if (!pair->x || !pair->products || !pair->output || !pair->vectors || !pair->times
        || !pair->again || !pair->scales)
        return SUMI_ERROR_MEMORY;
    pair->capacity = 2 * call->count;
    pair->item_size = call->item_size;
    pair->output_size = call->output_size;
    return SUMI_OK;
}

sumi_status pair_fill(struct pair *pair, const struct denoising *inner,
                      const struct guide_call *call)
{
    int64_t size = call->item_size;
    size_t row = (size_t)size * sizeof *pair->x;
    memcpy(pair->x, call->x, (size_t)call->count * row);
    memcpy(pair->times, call->times, (size_t)call->count * sizeof *pair->times);
    for (int64_t k = 0; k < pair->again_count; k++) {
        memcpy(pair->x + (call->count + k) * size, call->x + pair->again[k] * size, row);
        pair->times[call->count + k] = call->times[pair->again[k]];
    }
    TRY(condition_join(pair->joined, call->condition, call->count, call->null, pair->again_count,
                       pair->again));
    return inner->set_condition(inner->user, pair->joined);
}

sumi_status pair_predict(struct pair *pair, const struct denoising *inner,
                         const struct guide_call *call)
{
    return inner->predict(inner->user, call->count + pair->again_count, call->item_size,
                          call->output_size, pair->x, pair->times, pair->output);
}

sumi_status pair_product(struct pair *pair, const struct denoising *inner,
                         const struct guide_call *call)
{
    return inner->product(inner->user, call->count + pair->again_count, call->item_size,
                          call->output_size, pair->x, pair->times, pair->vectors, pair->output,
                          pair->products);
}

/* ---- Comparing ---- */

/* rows = null + scale (condition - null), from rows[2 count, size] of the pair. */
static void mix(const struct pair *pair, int64_t count, int64_t size, const float *both,
                float *rows)
{
    const float *null = both + count * size;
    for (int64_t i = 0; i < count * size; i++)
        rows[i] = (float)(null[i] + pair->scales[i / size] * ((double)both[i] - null[i]));
}

/* All rows with both conditions. */
static sumi_status fill_all(struct pair *pair, const struct denoising *inner,
                            const struct guide_call *call)
{
    for (int64_t i = 0; i < call->count; i++) pair->again[i] = i;
    pair->again_count = call->count;
    return pair_fill(pair, inner, call);
}

sumi_status pair_compare(struct pair *pair, const struct denoising *inner,
                         const struct guide_call *call, float *output)
{
    TRY(fill_all(pair, inner, call));
    TRY(pair_predict(pair, inner, call));
    mix(pair, call->count, call->output_size, pair->output, output);
    return SUMI_OK;
}

sumi_status pair_compare_product(struct pair *pair, const struct denoising *inner,
                                 const struct guide_call *call, const float *vectors, float *output,
                                 float *products)
{
    int64_t all = call->count * call->output_size;
    TRY(fill_all(pair, inner, call));
    memcpy(pair->vectors, vectors, (size_t)all * sizeof *vectors);
    memcpy(pair->vectors + all, vectors, (size_t)all * sizeof *vectors);
    TRY(pair_product(pair, inner, call));
    mix(pair, call->count, call->output_size, pair->output, output);
    mix(pair, call->count, call->item_size, pair->products, products);
    return SUMI_OK;
}
