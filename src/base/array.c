/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays: shape, memory and element count. Their files are in src/files/. */
#include <string.h>

#include "base/context.h"

sumi_status sumi_array_create(sumi_context *context, int rank, const int64_t *shape,
                              sumi_array *array)
{
    memset(array, 0, sizeof *array);
    if (rank < 0 || rank > SUMI_MAX_RANK) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "an array has 0 to %d dimensions, not %d",
                            SUMI_MAX_RANK, rank);
    }
    int64_t count = 1;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0 || __builtin_mul_overflow(count, shape[i], &count)) {
            return context_fail(context, SUMI_ERROR_ARGUMENT,
                                "dimension %d of an array cannot be %lld", i, (long long)shape[i]);
        }
    }
    array->data = context_allocate_zeroed(context, (size_t)count, sizeof *array->data);
    if (!array->data) return SUMI_ERROR_MEMORY;
    array->rank = rank;
    for (int i = 0; i < rank; i++) array->shape[i] = shape[i];
    return SUMI_OK;
}

void sumi_array_release(sumi_context *context, sumi_array *array)
{
    if (!context || !array) return;
    context_release(context, array->data);
    memset(array, 0, sizeof *array);
}

int64_t sumi_array_count(const sumi_array *array)
{
    int64_t count = 1;
    for (int i = 0; i < array->rank; i++) count *= array->shape[i];
    return count;
}

sumi_status sumi_array_interleave(sumi_context *context, const sumi_array *first,
                                  const sumi_array *second, sumi_array *pairs)
{
    int64_t shape[SUMI_MAX_RANK];
    size_t rank = (size_t)first->rank;
    memset(pairs, 0, sizeof *pairs);
    if (first->rank < 1 || first->shape[0] < 1 || second->rank != first->rank
        || memcmp(first->shape, second->shape, rank * sizeof *shape) != 0) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "the items of two arrays are put in turn only if both have the same "
                            "shape, with one item at least");
    }
    memcpy(shape, first->shape, rank * sizeof *shape);
    shape[0] *= 2;
    TRY(sumi_array_create(context, first->rank, shape, pairs));
    int64_t size = sumi_array_count(first) / first->shape[0];
    for (int64_t i = 0; i < shape[0]; i++) {
        const sumi_array *source = i % 2 ? second : first;
        memcpy(pairs->data + i * size, source->data + i / 2 * size,
               (size_t)size * sizeof *pairs->data);
    }
    return SUMI_OK;
}
