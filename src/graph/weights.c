/* SPDX-License-Identifier: Apache-2.0 */
/* Weights: a growing list of named arrays with their initial values, which depend only on the seed
   and the name, not on the order of creation. */
#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "base/structure.h"
#include "graph/backend.h"

sumi_status sumi_weights_create(sumi_context *context, uint64_t seed, sumi_weights **weights)
{
    *weights = context_allocate_zeroed(context, 1, sizeof **weights);
    if (!*weights) return SUMI_ERROR_MEMORY;
    (*weights)->context = context;
    (*weights)->seed = seed;
    (*weights)->version = 1;
    return SUMI_OK;
}

void sumi_weights_free(sumi_weights *weights)
{
    if (!weights) return;
    for (int64_t i = 0; i < weights->count; i++) {
        context_release(weights->context, weights->items[i].name);
        weights->context->backend->release(weights->context, weights->items[i].data);
    }
    context_release(weights->context, weights->items);
    if (weights->backing.release) weights->backing.release(weights->backing.user);
    context_release(weights->context, weights->backing.name);
    context_release(weights->context, weights);
}

void weights_changed(sumi_weights *weights)
{
    weights->version++;
}

int64_t sumi_weights_count(const sumi_weights *weights)
{
    return weights->count;
}

bool sumi_weights_get(const sumi_weights *weights, int64_t number, sumi_weight *weight)
{
    if (number < 0 || number >= weights->count) return false;
    const struct weight *item = &weights->items[number];
    sumi_weight all = {.name = item->name,
                       .rank = item->shape.rank,
                       .data = weights->context->backend->host_memory ? item->data : NULL,
                       .trainable = item->trainable};
    for (int i = 0; i < item->shape.rank; i++) all.shape[i] = item->shape.size[i];
    return structure_fill(weight, &all, sizeof all);
}

int64_t weights_find(const sumi_weights *weights, const char *name)
{
    for (int64_t i = 0; i < weights->count; i++) {
        if (strcmp(weights->items[i].name, name) == 0) return i;
    }
    return -1;
}

/* FNV-1a (Fowler, Noll, Vo), to key the random numbers by name. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash;
}

static void fill(const sumi_weights *weights, const struct weight *weight,
                 const struct weight_start *start, float *data)
{
    int64_t count = shape_count(&weight->shape);
    double scale = start->scale;
    philox_stream stream = {weights->seed ^ hash_name(weight->name), PURPOSE_WEIGHTS, 0};
    if (start->table) {
        memcpy(data, start->table, (size_t)count * sizeof *data);
        return;
    }
    switch (start->kind) {
    case SUMI_START_ZERO: memset(data, 0, (size_t)count * sizeof(float)); break;
    case SUMI_START_ONE:
        for (int64_t i = 0; i < count; i++) data[i] = 1;
        break;
    case SUMI_START_FAN_IN: {
        float bound = (float)(1 / sqrt(scale));
        for (int64_t i = 0; i < count; i++) {
            data[i] = bound * (2 * philox_uniform(&stream, (uint64_t)i) - 1);
        }
        break;
    }
    case SUMI_START_NORMAL:
    case SUMI_START_FIXED:
        philox_normal(&stream, 0, count, data);
        for (int64_t i = 0; i < count; i++) data[i] *= (float)scale;
        break;
    }
}

sumi_status weight_begin(const sumi_weights *weights, struct weight *weight, float **values)
{
    sumi_context *context = weights->context;
    size_t count = (size_t)shape_count(&weight->shape);
    weight->data = context->backend->allocate(context, count * sizeof(float));
    *values = weight->data;
    if (weight->data && !context->backend->host_memory) {
        *values = context_allocate(context, count, sizeof(float));
    }
    return *values ? SUMI_OK : SUMI_ERROR_MEMORY;
}

sumi_status weight_end(const sumi_weights *weights, struct weight *weight, float *values,
                       sumi_status status)
{
    sumi_context *context = weights->context;
    if (values == weight->data) return status;
    size_t bytes = (size_t)shape_count(&weight->shape) * sizeof(float);
    if (status == SUMI_OK) status = context->backend->upload(context, values, bytes, weight->data);
    context_release(context, values);
    return status;
}

static sumi_status grow(sumi_weights *weights)
{
    if (weights->count < weights->capacity) return SUMI_OK;
    int64_t capacity = weights->capacity ? 2 * weights->capacity : 64;
    struct weight *items = context_allocate(weights->context, (size_t)capacity, sizeof *items);
    if (!items) return SUMI_ERROR_MEMORY;
    if (weights->count) memcpy(items, weights->items, (size_t)weights->count * sizeof *items);
    context_release(weights->context, weights->items);
    weights->items = items;
    weights->capacity = capacity;
    return SUMI_OK;
}

/* Maps the values of a new weight at the source, or allocates and fills them. */
static sumi_status find_values(const sumi_weights *weights, size_t place,
                               const struct weight_start *start, struct weight *weight)
{
    const struct weight_source *source = weights->source;
    const struct backend *backend = weights->context->backend;
    if (source && source->map && backend->host_memory)
        weight->mapped = source->map(source->user, place, &weight->element);
    if (weight->mapped) return SUMI_OK;
    float *data = NULL;
    TRY(weight_begin(weights, weight, &data));
    sumi_status status = SUMI_OK;
    if (source) status = source->read(source->user, place, data);
    else fill(weights, weight, start, data);
    return weight_end(weights, weight, data, status);
}

sumi_status weights_add(sumi_weights *weights, const char *name, const struct shape *shape,
                        const struct weight_start *start, int64_t *number)
{
    const struct weight_source *source = weights->source;
    size_t place = 0;
    if (source) TRY(source->find(source->user, name, shape, &place));
    TRY(grow(weights));
    struct weight weight = {.shape = *shape, .trainable = start->kind != SUMI_START_FIXED};
    weight.name = context_copy_text(weights->context, name);
    if (!weight.name) return SUMI_ERROR_MEMORY;
    sumi_status status = find_values(weights, place, start, &weight);
    if (status != SUMI_OK) {
        context_release(weights->context, weight.name);
        weights->context->backend->release(weights->context, weight.data);
        return status;
    }
    *number = weights->count;
    weights->items[weights->count++] = weight;
    weights->mapped += weight.mapped != NULL;
    return SUMI_OK;
}
