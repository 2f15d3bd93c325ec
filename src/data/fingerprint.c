/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums of data sets; see fingerprint.h. They detect accidental changes, not deliberate
   forgeries. */
#include "data/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLED = 64 };

/* Adds eight bytes; the map is invertible, so that no information of the word is lost. */
static uint64_t add_word(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15); /* odd: 2^64 over the golden ratio */
    return sum ^ sum >> 29;
}

static uint64_t add_bytes(uint64_t sum, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t word;
    for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        sum = add_word(sum, word);
    }
    word = size;
    for (size_t i = 0; i < size; i++) word = word << 8 | bytes[i];
    return add_word(sum, word);
}

/* The checksum of a few items as the network gets them, with their labels. */
static sumi_status sum_sample(sumi_data *data, float *item, uint64_t *sum)
{
    int64_t count = data->count < SAMPLED ? data->count : SAMPLED;
    for (int64_t i = 0; i < count; i++) {
        int64_t index = count > 1 ? i * (data->count - 1) / (count - 1) : 0;
        int32_t label = -1;
        TRY(sumi_data_read(data, &index, 1, item, &label));
        *sum = add_bytes(*sum, item, (size_t)data->item_size * sizeof *item);
        *sum = add_word(*sum, (uint64_t)label);
    }
    return SUMI_OK;
}

static uint64_t sum_all(const sumi_data *data)
{
    size_t number = data->kind->read_bytes ? 1 : sizeof(float), count = (size_t)data->count;
    uint64_t sum = add_bytes(1, data->items, count * (size_t)data->item_size * number);
    return data->labels ? add_bytes(sum, data->labels, count * sizeof *data->labels) : sum;
}

static void describe_items(const sumi_data *data, struct fingerprint *fingerprint)
{
    char *text = fingerprint->items;
    int length = snprintf(text, FINGERPRINT_SIZE, "%" PRId64 " items of ", data->count);
    for (int i = 0; i < data->rank; i++) {
        length += snprintf(text + length, (size_t)(FINGERPRINT_SIZE - length), "%s%" PRId64,
                           i ? "x" : "", data->shape[i]);
    }
    snprintf(text + length, (size_t)(FINGERPRINT_SIZE - length), " in %d classes", data->classes);
}

sumi_status fingerprint_take(sumi_data *data, struct fingerprint *fingerprint)
{
    *fingerprint = (struct fingerprint){.items = ""};
    if (!data->kind->reads_files) return SUMI_OK;
    float *item = context_allocate(data->context, (size_t)data->item_size, sizeof *item);
    if (!item) return SUMI_ERROR_MEMORY;
    uint64_t sum = 1;
    sumi_status status = sum_sample(data, item, &sum);
    context_release(data->context, item);
    TRY(status);
    describe_items(data, fingerprint);
    snprintf(fingerprint->sample, CHECKSUM_SIZE, "%016" PRIx64, sum);
    if (data->items) snprintf(fingerprint->all, CHECKSUM_SIZE, "%016" PRIx64, sum_all(data));
    return SUMI_OK;
}
