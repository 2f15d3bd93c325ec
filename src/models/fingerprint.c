/* SPDX-License-Identifier: Apache-2.0 */
/* The fingerprint of a model, by which samples name the model that made them: it opens fast also
   where weights are gigabytes, so of each weight only some numbers count. */
#include <string.h>

#include "models/auto_encoder.h"

enum { RUNS = 16, RUN_NUMBERS = 256 }; /* of a weight: its first numbers, its last, and between */

/* Adds up to RUNS x RUN_NUMBERS numbers of a weight, as float32 whatever type they are stored in.
 */
static sumi_status sum_weight(const sumi_weights *weights, const struct weight *weight,
                              uint64_t *sum)
{
    float values[RUN_NUMBERS];
    int64_t count = shape_count(&weight->shape);
    int64_t size = count < RUN_NUMBERS ? count : RUN_NUMBERS;
    int64_t runs = count / RUN_NUMBERS < RUNS ? (count + RUN_NUMBERS - 1) / RUN_NUMBERS : RUNS;
    *sum = hash_bytes(*sum, weight->name, strlen(weight->name));
    for (int64_t run = 0; run < runs; run++) {
        int64_t first = runs > 1 ? (count - size) / (runs - 1) * run : 0;
        if (run == runs - 1) first = count - size;
        TRY(weight_read_part(weights, weight, first, size, values));
        *sum = hash_bytes(*sum, values, (size_t)size * sizeof *values);
    }
    return SUMI_OK;
}

static sumi_status sum_weights(const sumi_weights *weights, uint64_t *sum)
{
    for (int64_t i = 0; i < weights->count; i++) {
        if (weight_is_beside(&weights->items[i])) continue;
        TRY(sum_weight(weights, &weights->items[i], sum));
    }
    return SUMI_OK;
}

sumi_status sumi_model_fingerprint(const sumi_model *model, char **text)
{
    char mark[HASH_TEXT];
    const char *config = model->net->config, *scheduler = model->scheduler;
    uint64_t sum = hash_bytes(1, config ? config : "", config ? strlen(config) : 0);
    *text = NULL;
    sum = hash_bytes(sum, scheduler, strlen(scheduler));
    TRY(sum_weights(model->weights, &sum));
    if (model->auto_encoder) {
        const struct auto_encoder *net = model->auto_encoder->net;
        sum = hash_bytes(sum, net->scales, 2 * (size_t)net->latent_channels * sizeof(double));
        TRY(sum_weights(model->auto_encoder->weights, &sum));
    }
    hash_to_text(sum, mark);
    *text = context_copy_text(model->context, mark);
    return *text ? SUMI_OK : SUMI_ERROR_MEMORY;
}
