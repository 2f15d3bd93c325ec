/* SPDX-License-Identifier: Apache-2.0 */
/* Byte-pair merging in O(n log n) of a word's bytes: the possible merges wait in a heap; see
   byte_pairs.h. */
#include "text/byte_pairs.h"

void byte_pairs_close(struct byte_pairs *pairs)
{
    context_release(pairs->context, pairs->ids);
    context_release(pairs->context, pairs->previous);
    context_release(pairs->context, pairs->next);
    context_release(pairs->context, pairs->waiting);
}

sumi_status byte_pairs_open(sumi_context *context, int64_t capacity, struct byte_pairs *pairs)
{
    size_t count = (size_t)capacity;
    *pairs = (struct byte_pairs){.context = context, .capacity = capacity};
    pairs->ids = context_allocate(context, count, sizeof *pairs->ids);
    pairs->previous = context_allocate(context, count, sizeof *pairs->previous);
    pairs->next = context_allocate(context, count, sizeof *pairs->next);
    pairs->waiting = context_allocate(context, 3 * count, sizeof *pairs->waiting);
    if (pairs->ids && pairs->previous && pairs->next && pairs->waiting) return SUMI_OK;
    byte_pairs_close(pairs);
    return SUMI_ERROR_MEMORY;
}

/* ---- The heap ---- */

static bool is_before(const struct waiting *a, const struct waiting *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->place < b->place;
}

static void push(struct byte_pairs *pairs, struct waiting fresh)
{
    int64_t at = pairs->waiting_count++;
    while (at > 0 && is_before(&fresh, &pairs->waiting[(at - 1) / 2])) {
        pairs->waiting[at] = pairs->waiting[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    pairs->waiting[at] = fresh;
}

static struct waiting pop(struct byte_pairs *pairs)
{
    struct waiting *heap = pairs->waiting, first = heap[0];
    struct waiting last = heap[--pairs->waiting_count];
    int64_t at = 0, count = pairs->waiting_count;
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_before(&heap[child + 1], &heap[child])) child++;
        if (!is_before(&heap[child], &last)) break;
        heap[at] = heap[child];
    }
    heap[at] = last;
    return first;
}

/* ---- Merging ---- */

/* The merge of a place with the next one, or NULL. */
static const struct merge *merge_at(const struct byte_pairs *pairs,
                                    const struct vocabulary *vocabulary, int32_t place)
{
    if (place < 0 || pairs->next[place] < 0) return NULL;
    return vocabulary_merge(vocabulary, pairs->ids[place], pairs->ids[pairs->next[place]]);
}

static void consider(struct byte_pairs *pairs, const struct vocabulary *vocabulary, int32_t place)
{
    const struct merge *merge = merge_at(pairs, vocabulary, place);
    if (merge) push(pairs, (struct waiting){merge->rank, place, merge->joined});
}

static void join(struct byte_pairs *pairs, int32_t place, int32_t joined)
{
    int32_t right = pairs->next[place], after = pairs->next[right];
    pairs->ids[place] = joined;
    pairs->ids[right] = -1;
    pairs->next[right] = -1;
    pairs->next[place] = after;
    if (after >= 0) pairs->previous[after] = place;
}

int64_t byte_pairs_merge(struct byte_pairs *pairs, const struct vocabulary *vocabulary,
                         int64_t count)
{
    int64_t kept = 0;
    pairs->waiting_count = 0;
    for (int32_t i = 0; i < count; i++) {
        pairs->previous[i] = i - 1;
        pairs->next[i] = i + 1 < count ? i + 1 : -1;
    }
    for (int32_t i = 0; i < count; i++) consider(pairs, vocabulary, i);
    while (pairs->waiting_count > 0) {
        struct waiting top = pop(pairs);
        const struct merge *merge = merge_at(pairs, vocabulary, top.place);
        /* What waited may have been merged with another neighbour since; as in the reference, the
           same result by another pair counts. */
        if (!merge || merge->joined != top.joined) continue;
        join(pairs, top.place, top.joined);
        consider(pairs, vocabulary, pairs->previous[top.place]);
        consider(pairs, vocabulary, top.place);
    }
    for (int32_t i = 0; i >= 0 && i < count; i = pairs->next[i]) pairs->ids[kept++] = pairs->ids[i];
    return kept;
}
