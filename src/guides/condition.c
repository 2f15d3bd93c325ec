/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of named arrays; see condition.h. */
#include "guides/condition.h"
#include "base/structure.h"

#include <math.h>
#include <string.h>

static const int64_t NUMBER_LIMIT = (int64_t)1 << 40;

sumi_status sumi_condition_create(sumi_context *context, sumi_condition **condition)
{
    *condition = context_allocate_zeroed(context, 1, sizeof **condition);
    if (!*condition) return SUMI_ERROR_MEMORY;
    (*condition)->context = context;
    return SUMI_OK;
}

static void clear(sumi_condition *condition)
{
    for (int i = 0; i < condition->count; i++) {
        context_release(condition->context, condition->entries[i].name);
        context_release(condition->context, condition->entries[i].values);
    }
    condition->count = 0;
}

void sumi_condition_free(sumi_condition *condition)
{
    if (!condition) return;
    clear(condition);
    context_release(condition->context, condition);
}

const struct condition_entry *condition_find(const sumi_condition *condition, const char *name)
{
    for (int i = 0; condition && i < condition->count; i++) {
        if (strcmp(condition->entries[i].name, name) == 0) return &condition->entries[i];
    }
    return NULL;
}

/* ---- Setting ---- */

static sumi_status check_shape(sumi_context *context, const char *name, int rank,
                               const int64_t *shape, int64_t *total)
{
    *total = 1;
    if (rank < 1 || rank > SUMI_MAX_RANK) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "condition \"%.60s\": an array has 1 to %d dimensions, the first for "
                            "the items, not %d",
                            name, SUMI_MAX_RANK, rank);
    }
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 1 || shape[i] > NUMBER_LIMIT / *total) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "condition \"%.60s\": dimension %d cannot be %lld", name, i,
                                (long long)shape[i]);
        }
        *total *= shape[i];
    }
    return SUMI_OK;
}

/* The entry of that name, which is created if it is new. */
static sumi_status claim_entry(sumi_condition *condition, const char *name,
                               struct condition_entry **entry)
{
    *entry = (struct condition_entry *)(uintptr_t)condition_find(condition, name);
    if (*entry) return SUMI_OK;
    if (condition->count == CONDITION_ENTRIES) {
        return context_fail(condition->context, SUMI_ERROR_ARGUMENT,
                            "a condition has at most %d arrays, and \"%.60s\" would be one more",
                            CONDITION_ENTRIES, name);
    }
    struct condition_entry fresh = {.name = context_copy_text(condition->context, name)};
    if (!fresh.name) return SUMI_ERROR_MEMORY;
    *entry = &condition->entries[condition->count++];
    **entry = fresh;
    return SUMI_OK;
}

/* Ensures memory for an array of that shape; float and int32_t have the same size. */
static sumi_status reserve(sumi_condition *condition, struct condition_entry *entry, bool integers,
                           int rank, const int64_t *shape, int64_t total)
{
    if (total > entry->capacity) {
        void *values = context_allocate(condition->context, (size_t)total, sizeof(float));
        if (!values) return SUMI_ERROR_MEMORY;
        context_release(condition->context, entry->values);
        entry->values = values;
        entry->capacity = total;
    }
    entry->integers = integers;
    entry->rank = rank;
    memcpy(entry->shape, shape, (size_t)rank * sizeof *shape);
    entry->size = total / shape[0];
    return SUMI_OK;
}

static void drop_last_if_empty(sumi_condition *condition)
{
    struct condition_entry *last = &condition->entries[condition->count - 1];
    if (last->values) return;
    context_release(condition->context, last->name);
    condition->count--;
}

static sumi_status set(sumi_condition *condition, const char *name, bool integers, int rank,
                       const int64_t *shape, const void *values)
{
    struct condition_entry *entry = NULL;
    int64_t total = 0;
    if (!name || !name[0] || !shape || !values) {
        return context_fail(condition->context, SUMI_ERROR_ARGUMENT,
                            "an array of a condition needs a name, a shape and values, not NULL");
    }
    TRY(check_shape(condition->context, name, rank, shape, &total));
    TRY(claim_entry(condition, name, &entry));
    sumi_status status = reserve(condition, entry, integers, rank, shape, total);
    if (status == SUMI_OK) memcpy(entry->values, values, (size_t)total * sizeof(float));
    else drop_last_if_empty(condition);
    return status;
}

sumi_status sumi_condition_set(sumi_condition *condition, const char *name, int rank,
                               const int64_t *shape, const float *values)
{
    int64_t total = 0;
    if (name && shape && values) {
        TRY(check_shape(condition->context, name, rank, shape, &total));
    }
    for (int64_t i = 0; i < total; i++) {
        if (isfinite(values[i])) continue;
        return context_fail(condition->context, SUMI_ERROR_NUMBER,
                            "condition \"%.60s\": number %lld is not finite", name, (long long)i);
    }
    return set(condition, name, false, rank, shape, values);
}

sumi_status sumi_condition_set_integers(sumi_condition *condition, const char *name, int rank,
                                        const int64_t *shape, const int32_t *values)
{
    return set(condition, name, true, rank, shape, values);
}

bool sumi_condition_get(const sumi_condition *condition, int number, sumi_condition_entry *entry)
{
    if (number < 0 || number >= condition->count) return false;
    const struct condition_entry *found = &condition->entries[number];
    sumi_condition_entry all = {.name = found->name, .rank = found->rank};
    memcpy(all.shape, found->shape, sizeof all.shape);
    if (found->integers) all.integers = found->values;
    else all.numbers = found->values;
    return structure_fill(entry, &all, sizeof all);
}

/* ---- Copies ---- */

/* Removes the entries that `source` does not have. */
static void keep_common(sumi_condition *condition, const sumi_condition *source)
{
    int kept = 0;
    for (int i = 0; i < condition->count; i++) {
        struct condition_entry *entry = &condition->entries[i];
        if (condition_find(source, entry->name)) {
            condition->entries[kept++] = *entry;
            continue;
        }
        context_release(condition->context, entry->name);
        context_release(condition->context, entry->values);
    }
    condition->count = kept;
}

sumi_status condition_assign(sumi_condition *condition, const sumi_condition *source)
{
    keep_common(condition, source);
    for (int i = 0; i < source->count; i++) {
        const struct condition_entry *entry = &source->entries[i];
        TRY(set(condition, entry->name, entry->integers, entry->rank, entry->shape, entry->values));
    }
    return SUMI_OK;
}

sumi_status condition_copy(sumi_context *context, const sumi_condition *source,
                           sumi_condition **copy)
{
    *copy = NULL;
    if (!source) return SUMI_OK;
    TRY(sumi_condition_create(context, copy));
    sumi_status status = condition_assign(*copy, source);
    if (status == SUMI_OK) return SUMI_OK;
    sumi_condition_free(*copy);
    *copy = NULL;
    return status;
}

/* Copies items[count] of `from` (NULL: 0, 1 ...) to `to` from item `first` on; items beyond the
   last repeat from the first. */
static void copy_items(const struct condition_entry *from, int64_t count, const int64_t *items,
                       int64_t first, const struct condition_entry *to)
{
    size_t row = (size_t)from->size * sizeof(float);
    for (int64_t k = 0; k < count; k++) {
        const char *values = from->values;
        int64_t item = items ? items[k] : k;
        memcpy((char *)to->values + (size_t)(first + k) * row,
               values + (size_t)(item % from->shape[0]) * row, row);
    }
}

/* Makes the entry of that name in `condition` one of `count` items like those of `from`. */
static sumi_status resize_like(sumi_condition *condition, const struct condition_entry *from,
                               int64_t count, struct condition_entry **to)
{
    int64_t shape[SUMI_MAX_RANK];
    memcpy(shape, from->shape, sizeof shape);
    shape[0] = count;
    TRY(claim_entry(condition, from->name, to));
    sumi_status status =
        reserve(condition, *to, from->integers, from->rank, shape, count * from->size);
    if (status != SUMI_OK) drop_last_if_empty(condition);
    return status;
}

sumi_status condition_gather(sumi_condition *condition, const sumi_condition *source, int64_t count,
                             const int64_t *items)
{
    keep_common(condition, source);
    for (int i = 0; i < source->count; i++) {
        struct condition_entry *to = NULL;
        TRY(resize_like(condition, &source->entries[i], count, &to));
        copy_items(&source->entries[i], count, items, 0, to);
    }
    return SUMI_OK;
}

/* ---- Two conditions as one ---- */

static bool same_item(const struct condition_entry *a, const struct condition_entry *b)
{
    size_t axes = (size_t)(a->rank - 1);
    return a->integers == b->integers && a->rank == b->rank
           && memcmp(a->shape + 1, b->shape + 1, axes * sizeof *a->shape) == 0;
}

/* Each array of one must be an array of the other, with items of the same shape. */
static sumi_status check_null(sumi_context *context, const sumi_condition *condition,
                              const sumi_condition *null)
{
    for (int i = 0; i < null->count; i++) {
        if (condition_find(condition, null->entries[i].name)) continue;
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the null condition has \"%.60s\", but the condition has not",
                            null->entries[i].name);
    }
    for (int i = 0; i < condition->count; i++) {
        const struct condition_entry *entry = &condition->entries[i];
        const struct condition_entry *other = condition_find(null, entry->name);
        if (other && same_item(entry, other)) continue;
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            other ? "\"%.60s\" of the null condition has items of another shape "
                                    "or type than that of the condition"
                                  : "the condition has \"%.60s\", but the null condition has not",
                            entry->name);
    }
    return SUMI_OK;
}

sumi_status condition_join(sumi_condition *condition, const sumi_condition *source, int64_t count,
                           const sumi_condition *null, int64_t null_count,
                           const int64_t *null_items)
{
    TRY(check_null(condition->context, source, null));
    keep_common(condition, source);
    for (int i = 0; i < source->count; i++) {
        const struct condition_entry *entry = &source->entries[i];
        struct condition_entry *to = NULL;
        TRY(resize_like(condition, entry, count + null_count, &to));
        copy_items(entry, count, NULL, 0, to);
        copy_items(condition_find(null, entry->name), null_count, null_items, count, to);
    }
    return SUMI_OK;
}
