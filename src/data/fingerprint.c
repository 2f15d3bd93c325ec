/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums of data sets; see fingerprint.h. */
#include "data/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLED = 64 };

/* The checksum of a few items as the network gets them, with their labels. */
static sumi_status sum_sample(sumi_data *data, float *item, uint64_t *sum)
{
    int64_t count = data->count < SAMPLED ? data->count : SAMPLED;
    for (int64_t i = 0; i < count; i++) {
        int64_t index = count > 1 ? i * (data->count - 1) / (count - 1) : 0;
        int32_t label = -1;
        TRY(sumi_data_read(data, &index, 1, item, &label));
        *sum = hash_bytes(*sum, item, (size_t)data->item_size * sizeof *item);
        *sum = hash_word(*sum, (uint64_t)label);
    }
    return SUMI_OK;
}

static uint64_t sum_all(const sumi_data *data)
{
    size_t number = data->kind->read_bytes ? 1 : sizeof(float), count = (size_t)data->count;
    uint64_t sum = hash_bytes(1, data->items, count * (size_t)data->item_size * number);
    return data->labels ? hash_bytes(sum, data->labels, count * sizeof *data->labels) : sum;
}

static void describe_items(const sumi_data *data, struct fingerprint *fingerprint)
{
    char *text = fingerprint->items;
    int length = snprintf(text, FINGERPRINT_SIZE, "%" PRId64 " items of ", data->count);
    for (int i = 0; i < data->rank; i++) {
        length += snprintf(text + length, (size_t)(FINGERPRINT_SIZE - length), "%s%" PRId64,
                           i ? "x" : "", data->shape[i]);
    }
    length += snprintf(text + length, (size_t)(FINGERPRINT_SIZE - length), " in %d classes",
                       data->classes);
    for (int i = 0; i < data->bucket_count && length < FINGERPRINT_SIZE; i++) {
        const int64_t *size = data->buckets[i]->shape;
        length += snprintf(text + length, (size_t)(FINGERPRINT_SIZE - length),
                           ", %" PRId64 " as %" PRId64 "x%" PRId64, data->buckets[i]->count,
                           size[0], size[1]);
    }
}

static sumi_status take(sumi_data *data, struct fingerprint *fingerprint)
{
    float *item = context_allocate(data->context, (size_t)data->item_size, sizeof *item);
    if (!item) return SUMI_ERROR_MEMORY;
    uint64_t sum = 1;
    sumi_status status = sum_sample(data, item, &sum);
    context_release(data->context, item);
    TRY(status);
    describe_items(data, fingerprint);
    hash_to_text(sum, fingerprint->sample);
    if (data->items) hash_to_text(sum_all(data), fingerprint->all);
    return SUMI_OK;
}

sumi_status fingerprint_take(sumi_data *data, struct fingerprint *fingerprint)
{
    *fingerprint = (struct fingerprint){.items = ""};
    return data->kind->reads_files ? take(data, fingerprint) : SUMI_OK;
}

sumi_status fingerprint_mark(sumi_data *data, char mark[HASH_TEXT])
{
    struct fingerprint whole = {.items = ""};
    TRY(take(data, &whole));
    uint64_t sum = hash_bytes(1, whole.items, strlen(whole.items));
    sum = hash_bytes(sum, whole.sample, strlen(whole.sample));
    sum = hash_bytes(sum, whole.all, strlen(whole.all));
    if (!data->items) sum = hash_word(sum, data->files);
    hash_to_text(sum, mark);
    return SUMI_OK;
}
