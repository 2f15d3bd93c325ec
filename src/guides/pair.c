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
    TRY(sumi_condition_create(context, &pair->joined));
    if (!pair->x || !pair->products || !pair->output || !pair->vectors || !pair->times
        || !pair->again)
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
