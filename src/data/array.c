/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's own arrays as a data set. The items are copied into the data set's memory. */
#include <math.h>
#include <string.h>

#include "base/item_kind.h"
#include "data/data.h"

/* Never opened by a recipe; its items are in memory from the start. */
static const struct data_kind data_array = {.name = "array"};

static sumi_status check_shape(sumi_context *context, const sumi_array *items, sumi_item_kind kind)
{
    const struct item_type *type = item_type_of(kind);
    if (!type) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "items of an array: there is no kind of item with the number %d",
                            (int)kind);
    }
    if (!items->data) {
        return context_fail(context, SUMI_ERROR_ARGUMENT, "items of an array: its data are NULL");
    }
    if (items->rank != type->rank + 1) {
        return context_fail(context, SUMI_ERROR_ARGUMENT,
                            "items of an array: for items of the kind \"%s\" its rank must be %d, "
                            "with the number of items first, not %d",
                            sumi_item_kind_name(kind), type->rank + 1, items->rank);
    }
    for (int i = 0; i < items->rank; i++) {
        if (items->shape[i] >= 1) continue;
        return context_fail(
            context, SUMI_ERROR_ARGUMENT,
            "items of an array: length %d of the shape is %lld, but must be at least 1", i,
            (long long)items->shape[i]);
    }
    return SUMI_OK;
}

/* Counts the numbers of all items; refuses a shape whose product overflows. */
static sumi_status count_numbers(sumi_data *data, const sumi_array *items, size_t *numbers)
{
    int64_t all = 0;
    data->item_size = 1;
    for (int i = 1; i < items->rank; i++) {
        if (__builtin_mul_overflow(data->item_size, items->shape[i], &data->item_size)) {
            data->item_size = INT64_MAX;
        }
    }
    if (__builtin_mul_overflow(data->item_size, data->count, &all)) {
        return context_fail(data->context, SUMI_ERROR_ARGUMENT,
                            "items of an array: the product of its shape is too large");
    }
    *numbers = (size_t)all;
    return SUMI_OK;
}

static sumi_status copy_items(sumi_data *data, const sumi_array *items)
{
    size_t numbers = 0;
    TRY(count_numbers(data, items, &numbers));
    for (size_t i = 0; i < numbers; i++) {
        if (isfinite(items->data[i])) continue;
        return context_fail(data->context, SUMI_ERROR_NUMBER,
                            "items of an array: number %lld of item %lld is not finite",
                            (long long)(i % (size_t)data->item_size),
                            (long long)(i / (size_t)data->item_size));
    }
    data->items = context_allocate(data->context, numbers, sizeof(float));
    if (!data->items) return SUMI_ERROR_MEMORY;
    memcpy(data->items, items->data, numbers * sizeof(float));
    return SUMI_OK;
}

static sumi_status copy_labels(sumi_data *data, const int32_t *labels)
{
    int32_t largest = 0;
    if (!labels) return SUMI_OK;
    for (int64_t i = 0; i < data->count; i++) {
        if (labels[i] < 0 || labels[i] == INT32_MAX) {
            return context_fail(data->context, SUMI_ERROR_ARGUMENT,
                                "items of an array: the label of item %lld is %d; classes count "
                                "from 0",
                                (long long)i, (int)labels[i]);
        }
        if (labels[i] > largest) largest = labels[i];
    }
    data->labels = context_allocate(data->context, (size_t)data->count, sizeof *labels);
    if (!data->labels) return SUMI_ERROR_MEMORY;
    memcpy(data->labels, labels, (size_t)data->count * sizeof *labels);
    data->classes = largest + 1;
    return SUMI_OK;
}

sumi_status sumi_data_from_array(sumi_context *context, const sumi_array *items,
                                 const int32_t *labels, sumi_item_kind kind, sumi_data **data)
{
    *data = NULL;
    TRY(check_shape(context, items, kind));
    sumi_data *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    *made = (sumi_data){.context = context,
                        .kind = &data_array,
                        .name = "array",
                        .count = items->shape[0],
                        .rank = items->rank - 1,
                        .items_are = kind,
                        .scale = 1};
    memcpy(made->shape, items->shape + 1, (size_t)made->rank * sizeof *made->shape);
    sumi_status status = copy_items(made, items);
    if (status == SUMI_OK) status = copy_labels(made, labels);
    if (status == SUMI_OK) *data = made;
    else sumi_data_free(made);
    return status;
}
