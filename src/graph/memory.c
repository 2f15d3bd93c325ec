/* SPDX-License-Identifier: Apache-2.0 */
/* Memory layout of a plan: assigns offsets in one block to spans with lifetimes. */
#include <stdlib.h>

#include "graph/plan.h"

static int compare_by_size(const void *left, const void *right)
{
    const struct span *a = *(struct span *const *)left, *b = *(struct span *const *)right;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? 1 : -1;
    return a < b ? -1 : a > b;
}

static bool alive_together(const struct span *left, const struct span *right)
{
    return left->first <= right->last && right->first <= left->last;
}

/* Inserts order[placed] among order[0 .. placed - 1], which stay sorted by offset. */
static void insert_by_offset(struct span **order, int32_t placed)
{
    struct span *span = order[placed];
    int32_t i = placed;
    while (i > 0 && order[i - 1]->offset > span->offset) {
        order[i] = order[i - 1];
        i--;
    }
    order[i] = span;
}

sumi_status memory_layout(sumi_context *context, struct span *spans, int32_t count, int64_t *total)
{
    struct span **order = context_allocate(context, (size_t)count, sizeof *order);
    if (!order) return SUMI_ERROR_MEMORY;
    for (int32_t i = 0; i < count; i++) {
        spans[i].bytes = (spans[i].bytes + 63) / 64 * 64;
        order[i] = &spans[i];
    }
    qsort(order, (size_t)count, sizeof *order, compare_by_size);
    *total = 0;
    for (int32_t i = 0; i < count; i++) {
        struct span *span = order[i];
        span->offset = 0;
        for (int32_t j = 0; j < i; j++) { /* placed spans, by ascending offset */
            const struct span *other = order[j];
            bool overlaps = other->offset < span->offset + span->bytes
                            && span->offset < other->offset + other->bytes;
            if (overlaps && alive_together(span, other)) {
                span->offset = other->offset + other->bytes;
            }
        }
        insert_by_offset(order, i);
        if (span->offset + span->bytes > *total) *total = span->offset + span->bytes;
    }
    context_release(context, order);
    return SUMI_OK;
}
