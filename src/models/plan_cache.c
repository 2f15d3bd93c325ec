/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping plans for later calls; see plan_cache.h. */
#include "models/plan_cache.h"

#include "base/structure.h"

/* So that batches of two alternating sizes do not replan in every call. */
enum { LEAST_PLANS = 2 };
static const int64_t BATCH_MEMORY = (int64_t)512 << 20; /* largest size of a plan, in bytes */

/* Whether the signatures differ only in the number of items. */
static bool same_call(const struct signature *a, const struct signature *b)
{
    if (a->purpose != b->purpose || a->threads != b->threads || a->bfloat16 != b->bfloat16)
        return false;
    for (int i = 0; i < NET_INPUTS; i++) {
        struct shape left = a->shapes[i], right = b->shapes[i];
        if (left.rank) left.size[0] = right.size[0];
        if (!shape_equal(&left, &right)) return false;
    }
    return true;
}

static void release(struct plan_cache *cache, struct kept_plan *kept)
{
    sumi_plan_free(kept->plan);
    sumi_graph_free(kept->graph);
    context_release(cache->context, kept);
}

void plan_cache_forget(struct plan_cache *cache)
{
    while (cache->plans) {
        struct kept_plan *first = cache->plans;
        cache->plans = first->next;
        release(cache, first);
    }
}

/* Releases the plan that was used least recently. */
static void release_oldest(struct plan_cache *cache)
{
    struct kept_plan **oldest = &cache->plans;
    for (struct kept_plan **at = &cache->plans; *at; at = &(*at)->next) {
        if ((*at)->last_used < (*oldest)->last_used) oldest = at;
    }
    struct kept_plan *gone = *oldest;
    *oldest = gone->next;
    release(cache, gone);
}

/* Releases plans until the rest and `coming` further bytes fit the budget, or few enough remain
   beside `places` further ones. */
static void fit_budget(struct plan_cache *cache, int64_t coming, int places)
{
    for (;;) {
        int64_t bytes = coming;
        int count = places;
        for (const struct kept_plan *kept = cache->plans; kept; kept = kept->next) {
            bytes += kept->bytes;
            count++;
        }
        if (bytes <= cache->memory || count <= LEAST_PLANS) return;
        release_oldest(cache);
    }
}

/* Releases the plans whose weights have been reallocated. */
static void drop_stale(struct plan_cache *cache)
{
    for (struct kept_plan **at = &cache->plans; *at;) {
        struct kept_plan *kept = *at;
        if (!plan_is_stale(kept->plan)) {
            at = &kept->next;
            continue;
        }
        *at = kept->next;
        release(cache, kept);
    }
}

static struct kept_plan *find(const struct plan_cache *cache, const struct signature *signature)
{
    struct kept_plan *kept = cache->plans;
    while (
        kept
        && (kept->signature.items != signature->items || !same_call(&kept->signature, signature)))
        kept = kept->next;
    return kept;
}

struct kept_plan *plan_cache_at_least(struct plan_cache *cache, const struct signature *signature)
{
    struct kept_plan *best = NULL;
    drop_stale(cache);
    for (struct kept_plan *kept = cache->plans; kept; kept = kept->next) {
        int64_t items = kept->signature.items;
        if (items < signature->items || !same_call(&kept->signature, signature)) continue;
        if (!best || items < best->signature.items) best = kept;
    }
    if (best) best->last_used = ++cache->uses;
    return best;
}

static sumi_status create(struct plan_cache *cache, const struct signature *signature,
                          struct kept_plan **made)
{
    struct kept_plan *fresh = context_allocate_zeroed(cache->context, 1, sizeof *fresh);
    if (!fresh) return SUMI_ERROR_MEMORY;
    fresh->signature = *signature;
    sumi_status status = cache->build(cache->user, fresh);
    if (status == SUMI_OK) {
        fresh->bytes = (int64_t)(plan_memory(fresh->plan) + plan_kept(fresh->plan));
        *made = fresh;
    } else {
        release(cache, fresh);
    }
    return status;
}

sumi_status plan_cache_get(struct plan_cache *cache, const struct signature *signature,
                           int64_t coming, struct kept_plan **found)
{
    drop_stale(cache);
    *found = find(cache, signature);
    if (!*found) {
        struct kept_plan *made = NULL;
        fit_budget(cache, coming, 1);
        TRY(create(cache, signature, &made));
        made->last_used = cache->uses + 1;
        made->next = cache->plans;
        cache->plans = made;
        fit_budget(cache, 0, 0);
        *found = made;
    }
    (*found)->last_used = ++cache->uses;
    return SUMI_OK;
}

bool plan_cache_describe(const struct plan_cache *cache, int number, sumi_plan_info *info)
{
    const struct kept_plan *kept = number < 0 ? NULL : cache->plans;
    while (kept && number-- > 0) kept = kept->next;
    if (!kept) return false;
    const sumi_plan_info all = {.items = kept->signature.items,
                                .bf16 = kept->signature.bfloat16,
                                .bytes = kept->bytes,
                                .kept = (int64_t)plan_kept(kept->plan)};
    return structure_fill(info, &all, sizeof all);
}

int64_t plan_batch(int64_t count, int64_t item_memory, int64_t limit)
{
    int64_t most = item_memory ? BATCH_MEMORY / item_memory : 1;
    if (most > limit) most = limit;
    if (most < 1) most = 1;
    int64_t parts = (count + most - 1) / most;
    return (count + parts - 1) / parts;
}
