/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy arrays as a data set: pictures [n, h, w(, c)], signals [n, length(, c)] or points [n, d],
   read by rows. Bytes (uint8) are scaled from -1 to 1, as for pictures; all other numbers are
   unchanged. */
#include "files/npy.h"

#include "base/item_kind.h"
#include "data/data.h"

/* The shape of a file for messages; the dimension in brackets is optional. */
static const char *form_of(enum sumi_item_kind kind)
{
    if (kind == SUMI_PICTURE) return "images [n, height, width(, channels)]";
    return kind == SUMI_SIGNAL ? "signals [n, length(, channels)]" : "points [n(, dimensions)]";
}

/* Warns of items with a first length of a few and a much longer last one: such pictures are
   unlikely, and channels are probably first. */
static void advise_order(const sumi_data *data)
{
    enum { MOST_CHANNELS = 4, LEAST_LENGTH = 8 };
    int64_t first = data->shape[0], last = data->shape[data->rank - 1];
    if (data->rank < 2 || first > MOST_CHANNELS || last < LEAST_LENGTH) return;
    if (data->rank > 2 && data->shape[1] < LEAST_LENGTH) return;
    context_warn(data->context,
                 "%s: items whose first length is %lld and last length %lld seem to have channels "
                 "first; Sumi expects channels last, %s",
                 data->name, (long long)first, (long long)last,
                 data->rank > 2 ? "[n, height, width, channels] (numpy.moveaxis(x, 1, -1))"
                                : "[n, length, channels] (numpy.moveaxis(x, 1, -1))");
}

static sumi_status open_npy(sumi_data *data, const sumi_recipe *recipe)
{
    TRY(data_find_path(data, recipe, NULL));
    npy *file = NULL;
    TRY(npy_open(data->context, data->name, &file));
    data->files = hash_file(data->files, data->name);
    data->source = file;
    const npy_info *info = npy_describe(file);
    enum sumi_item_kind items = data_items_of(recipe);
    if (recipe_is(recipe, "data.items", "auto") && info->rank == 4) items = SUMI_PICTURE;
    data->rank = item_type_of(items)->rank;
    if (info->rank != data->rank && info->rank != data->rank + 1) {
        return context_fail(data->context, SUMI_ERROR_FORMAT,
                            "%s: expected %s, not rank %d; data.items says what the rows are",
                            data->name, form_of(items), info->rank);
    }
    data->count = info->rows;
    for (int i = 0; i < data->rank; i++) {
        data->shape[i] = i + 1 < info->rank ? info->shape[i + 1] : 1;
    }
    advise_order(data);
    return SUMI_OK;
}

static sumi_status read_row(sumi_data *data, int64_t index, float *item)
{
    const npy *file = data->source;
    TRY(npy_read_rows(file, index, 1, item));
    if (npy_describe(file)->type != NUMBER_U8) return SUMI_OK;
    for (int64_t i = 0; i < data->item_size; i++) item[i] = item[i] / 127.5f - 1;
    return SUMI_OK;
}

static void close_npy(sumi_data *data)
{
    npy_free(data->source);
}

const struct data_kind data_npy = {.name = "npy",
                                   .open = open_npy,
                                   .read_floats = read_row,
                                   .close = close_npy,
                                   .reads_files = true};
