/* SPDX-License-Identifier: Apache-2.0 */
/* Batches for training: which items a step takes, with augmentation, and whether other threads
   should read them ahead. */
#include "data/ahead.h"
#include "data/augment.h"
#include "data/buckets.h"
#include "data/shuffle.h"

int64_t data_place(const sumi_data *data, uint64_t seed, int64_t position)
{
    uint64_t epoch = (uint64_t)(position / data->count);
    int64_t place = position % data->count;
    if (data->kind->order && !data->items) return data->kind->order(data, seed, epoch, place);
    return shuffle_index(seed, epoch, data->count, place);
}

sumi_status data_read_place(sumi_data *data, uint8_t *bytes, const struct batch_key *key, int64_t i,
                            float *item, int32_t *label)
{
    int64_t position = key->step * key->batch + i;
    int64_t index = data_place(data, key->seed, position);
    TRY(data_read_item(data, bytes, index, item, label));
    if (data->kind->draw) data->kind->draw(data, key->seed, position, index, item);
    augment_item(&data->augment, key->seed, position, data->shape, item);
    return SUMI_OK;
}

/* For items in memory, waking a thread pays only for large batches on several processors. */
static bool is_worth_a_thread(const sumi_data *data, int64_t batch)
{
    enum { WORK_OF_AN_ITEM = 256, WORK_OF_A_THREAD = 1 << 16 }; /* in numbers copied */
    if (data->readers == 0) return false;
    return !data->items
           || (data->context->threads > 1
               && batch * (WORK_OF_AN_ITEM + data->item_size) >= WORK_OF_A_THREAD);
}

sumi_status data_read_batch(sumi_data *data, uint64_t seed, int64_t step, int64_t batch,
                            float *items, int32_t *labels)
{
    const struct batch_key key = {seed, buckets_place(data, step), batch};
    if (is_worth_a_thread(data, batch)) {
        if (!data->ahead) TRY(ahead_create(data, &data->ahead));
        return ahead_read(data->ahead, &key, items, labels);
    }
    for (int64_t i = 0; i < batch; i++) {
        TRY(data_read_place(data, data->bytes, &key, i, items + i * data->item_size,
                            labels ? &labels[i] : NULL));
    }
    return SUMI_OK;
}
