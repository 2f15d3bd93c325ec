/* SPDX-License-Identifier: Apache-2.0 */
/* A table of numbers as a data set: each row is a signal of one channel or a point, with its values
   unchanged. Rows of a text file cannot be addressed, so the whole table is read. */
#include "files/csv.h"

#include <string.h>

#include "data/data.h"

static sumi_status open_csv(sumi_data *data, const sumi_recipe *recipe)
{
    TRY(data_find_path(data, recipe, NULL));
    enum sumi_item_kind items = data_items_of(recipe);
    if (items == SUMI_PICTURE) {
        return context_fail(
            data->context, SUMI_ERROR_ARGUMENT,
            "%s: the rows of a table are signals or points; set data.items or model.kind",
            data->name);
    }
    sumi_array *table = context_allocate_zeroed(data->context, 1, sizeof *table);
    if (!table) return SUMI_ERROR_MEMORY;
    data->source = table;
    TRY(csv_read(data->context, data->name, table));
    data->files = hash_file(data->files, data->name);
    data->count = table->shape[0];
    data->rank = items == SUMI_SIGNAL ? 2 : 1;
    data->shape[0] = table->shape[1];
    data->shape[1] = 1;
    return SUMI_OK;
}

static sumi_status read_row(sumi_data *data, int64_t index, float *item)
{
    const sumi_array *table = data->source;
    memcpy(item, table->data + index * data->item_size, (size_t)data->item_size * sizeof *item);
    return SUMI_OK;
}

static void close_csv(sumi_data *data)
{
    sumi_array *table = data->source;
    sumi_array_release(data->context, table);
    context_release(data->context, table);
}

const struct data_kind data_csv = {.name = "csv",
                                   .open = open_csv,
                                   .read_floats = read_row,
                                   .close = close_csv,
                                   .reads_files = true};
