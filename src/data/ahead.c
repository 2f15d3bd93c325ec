/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of threads and the batch that they fill; see ahead.h. It starts with one thread; each time
   a batch is not ready when it is requested, another thread is added, up to the recipe's number,
   and the caller helps. The data do not depend on which thread reads them. */
#include "data/ahead.h"

#include <string.h>

#include "base/thread_pool.h"

struct ahead {
    sumi_data *data;
    struct thread_pool *pool;
    int most;        /* threads */
    uint8_t **bytes; /* [1 + most]: scratch of each thread, where pictures are read on demand */
    bool running;    /* whether the pool reads, or has read, a batch that was not requested yet */
    struct batch_key key; /* the batch that the pool reads or has read last */
    bool labelled;
    struct batch_key last; /* the batch that was requested last; batch size 0 before the first */
    float *items;          /* [capacity, item] */
    int32_t *labels;       /* [capacity] */
    int64_t capacity;
    float *items_to; /* destination of the pool */
    int32_t *labels_to;
};

static sumi_status make_scratch(struct ahead *ahead)
{
    sumi_context *context = ahead->data->context;
    size_t count = 1 + (size_t)ahead->most;
    ahead->bytes = context_allocate_zeroed(context, count, sizeof *ahead->bytes);
    if (!ahead->bytes) return SUMI_ERROR_MEMORY;
    for (size_t i = 0; i < count && ahead->data->bytes; i++) {
        ahead->bytes[i] = context_allocate(context, (size_t)ahead->data->item_size, 1);
        if (!ahead->bytes[i]) return SUMI_ERROR_MEMORY;
    }
    return SUMI_OK;
}

sumi_status ahead_create(sumi_data *data, struct ahead **ahead)
{
    *ahead = NULL;
    struct ahead *made = context_allocate_zeroed(data->context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->data = data;
    made->most = data->readers < data->context->threads ? data->readers : data->context->threads;
    sumi_status status = make_scratch(made);
    if (status == SUMI_OK) status = thread_pool_create(data->context, made->most, &made->pool);
    if (status == SUMI_OK) *ahead = made;
    else ahead_free(made);
    return status;
}

void ahead_free(struct ahead *ahead)
{
    if (!ahead) return;
    sumi_context *context = ahead->data->context;
    thread_pool_free(ahead->pool);
    for (int i = 0; ahead->bytes && i <= ahead->most; i++)
        context_release(context, ahead->bytes[i]);
    context_release(context, ahead->bytes);
    context_release(context, ahead->items);
    context_release(context, ahead->labels);
    context_release(context, ahead);
}

static sumi_status reserve(struct ahead *ahead, int64_t batch)
{
    sumi_context *context = ahead->data->context;
    if (batch <= ahead->capacity) return SUMI_OK;
    context_release(context, ahead->items);
    context_release(context, ahead->labels);
    ahead->capacity = 0;
    ahead->items =
        context_allocate(context, (size_t)batch, (size_t)ahead->data->item_size * sizeof(float));
    ahead->labels = context_allocate(context, (size_t)batch, sizeof *ahead->labels);
    if (!ahead->items || !ahead->labels) return SUMI_ERROR_MEMORY;
    ahead->capacity = batch;
    return SUMI_OK;
}

static sumi_status read_place(void *user, int member, int64_t i)
{
    struct ahead *ahead = user;
    return data_read_place(ahead->data, ahead->bytes[member], &ahead->key, i,
                           ahead->items_to + i * ahead->data->item_size,
                           ahead->labels_to ? &ahead->labels_to[i] : NULL);
}

static void begin(struct ahead *ahead, const struct batch_key *key, float *items, int32_t *labels)
{
    ahead->key = *key;
    ahead->items_to = items;
    ahead->labels_to = labels;
    thread_pool_begin(ahead->pool, read_place, ahead, key->batch);
}

static struct batch_key next_of(const struct batch_key *key)
{
    return (struct batch_key){key->seed, key->step + 1, key->batch};
}

static bool same(const struct batch_key *key, const struct batch_key *other)
{
    return key->seed == other->seed && key->step == other->step && key->batch == other->batch;
}

/* Copies the batch that was read ahead to the caller's arrays. */
static sumi_status take(struct ahead *ahead, float *items, int32_t *labels)
{
    size_t batch = (size_t)ahead->key.batch;
    if (!thread_pool_is_done(ahead->pool)) thread_pool_grow(ahead->pool);
    TRY(thread_pool_finish(ahead->pool));
    memcpy(items, ahead->items, batch * (size_t)ahead->data->item_size * sizeof *items);
    if (labels) memcpy(labels, ahead->labels, batch * sizeof *labels);
    return SUMI_OK;
}

static sumi_status read_now(struct ahead *ahead, const struct batch_key *key, float *items,
                            int32_t *labels)
{
    thread_pool_abandon(ahead->pool);
    begin(ahead, key, items, labels);
    return thread_pool_finish(ahead->pool);
}

static sumi_status read_next(struct ahead *ahead, const struct batch_key *key, bool labelled)
{
    TRY(reserve(ahead, key->batch));
    if (ahead->last.batch == 0) thread_pool_grow(ahead->pool);
    const struct batch_key next = next_of(key);
    ahead->running = true;
    ahead->labelled = labelled;
    begin(ahead, &next, ahead->items, labelled ? ahead->labels : NULL);
    return SUMI_OK;
}

sumi_status ahead_read(struct ahead *ahead, const struct batch_key *key, float *items,
                       int32_t *labels)
{
    const struct batch_key expected = next_of(&ahead->last);
    bool read = ahead->running && same(&ahead->key, key) && ahead->labelled == (labels != NULL);
    bool follows = ahead->last.batch == 0 || same(&expected, key);
    ahead->running = false;
    TRY(read ? take(ahead, items, labels) : read_now(ahead, key, items, labels));
    if (follows) TRY(read_next(ahead, key, labels != NULL));
    ahead->last = *key;
    return SUMI_OK;
}
