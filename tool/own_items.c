/* SPDX-License-Identifier: Apache-2.0 */
/* Reading items; see own_items.h. Arrays and tables go the way of data sets, so that they mean here
   what they mean in training. */
#include "own_items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong_shape(const char *path, int rank, const int64_t *shape, int wanted_rank,
                       const int64_t *wanted)
{
    char have[96], want[96];
    format_shape(rank, shape, have, sizeof have);
    format_shape(wanted_rank, wanted, want, sizeof want);
    return fail(EXIT_FAILED, "%s: its items are %s, but the model takes %s", path, have, want);
}

static bool same_shape(int rank, const int64_t *shape, int other_rank, const int64_t *other)
{
    return rank == other_rank && memcmp(shape, other, (size_t)rank * sizeof *shape) == 0;
}

/* ---- Data sets ---- */

/* The first `count` items of the data set, or all if it has fewer. */
static sumi_status read_first(sumi_context *context, sumi_data *data, int64_t count,
                              sumi_array *items, int32_t **labels)
{
    int64_t shape[1 + SUMI_MAX_RANK] = {count};
    int rank = 1 + sumi_data_shape(data, shape + 1);
    if (sumi_data_count(data) < count) shape[0] = count = sumi_data_count(data);
    int64_t *indices = calloc((size_t)count, sizeof *indices);
    *labels = calloc((size_t)count, sizeof **labels);
    sumi_status status = indices && *labels ? SUMI_OK : SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count && indices; i++) indices[i] = i;
    if (status == SUMI_OK) status = sumi_array_create(context, rank, shape, items);
    if (status == SUMI_OK) status = sumi_data_read(data, indices, count, items->data, *labels);
    free(indices);
    return status;
}

static int read_data(sumi_context *context, const sumi_model *model, const char *path,
                     sumi_data *data, int64_t count, sumi_array *items, struct numbers *labels)
{
    int64_t shape[SUMI_MAX_RANK], wanted[SUMI_MAX_RANK];
    int rank = sumi_data_shape(data, shape), wanted_rank = sumi_model_shape(model, wanted);
    if (!same_shape(rank, shape, wanted_rank, wanted))
        return wrong_shape(path, rank, shape, wanted_rank, wanted);
    int32_t *classes = NULL;
    sumi_status status = read_first(context, data, count, items, &classes);
    bool labelled =
        status == SUMI_OK && labels && sumi_data_classes(data) && sumi_model_classes(model);
    for (int64_t i = 0; labelled && i < items->shape[0] && i < LIST_LIMIT; i++)
        labels->items[labels->count++] = classes[i];
    free(classes);
    return status == SUMI_OK ? EXIT_DONE : fail_context(context);
}

static int read_recipe_items(sumi_context *context, const sumi_recipe *recipe,
                             const sumi_model *model, int64_t count, sumi_array *items,
                             struct numbers *labels)
{
    sumi_data *data = NULL;
    if (sumi_data_open(context, recipe, &data) != SUMI_OK) return fail_context(context);
    int code = read_data(context, model, "the recipe's data set", data, count, items, labels);
    sumi_data_free(data);
    return code;
}

/* ---- Files ---- */

/* A recipe whose data set is the file. */
static sumi_status describe_file(sumi_context *context, const char *path, sumi_item_kind what,
                                 sumi_recipe **recipe)
{
    static const char *const ITEMS[] = {
        [SUMI_POINTS] = "points", [SUMI_SIGNAL] = "signals", [SUMI_PICTURE] = "images"};
    char kind[64], items[64], place[4096];
    snprintf(kind, sizeof kind, "data.kind=%s", has_ending(path, ".csv") ? "csv" : "npy");
    snprintf(items, sizeof items, "data.items=%s", ITEMS[what]);
    snprintf(place, sizeof place, "data.path=%s%s", strchr(path, '/') ? "" : "./", path);
    sumi_status status = sumi_recipe_open(context, "digits", recipe);
    if (status == SUMI_OK) status = sumi_recipe_set(*recipe, kind);
    if (status == SUMI_OK) status = sumi_recipe_set(*recipe, items);
    if (status == SUMI_OK) status = sumi_recipe_set(*recipe, place);
    if (status == SUMI_OK) status = sumi_recipe_set(*recipe, "data.labels=no");
    return status;
}

static int read_rows(sumi_context *context, const sumi_model *model, const char *path,
                     int64_t count, sumi_array *items)
{
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    int code;
    if (describe_file(context, path, sumi_model_kind(model), &recipe) != SUMI_OK
        || sumi_data_open(context, recipe, &data) != SUMI_OK)
        code = fail_context(context);
    else code = read_data(context, model, path, data, count, items, NULL);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return code;
}

/* Between grey and colour: by the weights of ITU-R BT.601, or three times the same. */
static sumi_status convert_channels(sumi_context *context, const sumi_array *picture,
                                    sumi_array *items)
{
    const float WEIGHTS[] = {0.299f, 0.587f, 0.114f};
    int64_t shape[] = {1, picture->shape[0], picture->shape[1], picture->shape[2] == 1 ? 3 : 1};
    sumi_status status = sumi_array_create(context, 4, shape, items);
    if (status != SUMI_OK) return status;
    for (int64_t i = 0; i < shape[1] * shape[2]; i++) {
        for (int c = 0; c < 3; c++) {
            if (shape[3] == 3) items->data[3 * i + c] = picture->data[i];
            else items->data[i] += WEIGHTS[c] * picture->data[3 * i + c];
        }
    }
    return SUMI_OK;
}

static int read_picture(sumi_context *context, const sumi_model *model, const char *path,
                        sumi_array *items)
{
    sumi_array picture = {0};
    if (sumi_array_read(context, path, &picture) != SUMI_OK) return fail_context(context);
    int64_t wanted[SUMI_MAX_RANK];
    int rank = sumi_model_shape(model, wanted), code = EXIT_DONE;
    if (same_shape(picture.rank, picture.shape, rank, wanted)) {
        *items = picture;
        items->rank = 4;
        memcpy(items->shape + 1, wanted, 3 * sizeof *wanted);
        items->shape[0] = 1;
        return EXIT_DONE;
    }
    bool convertible =
        rank == 3 && same_shape(2, picture.shape, 2, wanted) && picture.shape[2] + wanted[2] == 4;
    if (!convertible) code = wrong_shape(path, picture.rank, picture.shape, rank, wanted);
    else if (convert_channels(context, &picture, items) != SUMI_OK) code = fail_context(context);
    sumi_array_release(context, &picture);
    return code;
}

int own_items_read(sumi_context *context, const sumi_model *model, const char *path, int64_t count,
                   sumi_array *items)
{
    if (has_ending(path, ".npy") || has_ending(path, ".csv"))
        return read_rows(context, model, path, count, items);
    return read_picture(context, model, path, items);
}

int items_choose(sumi_context *context, const sumi_model *model, const struct items_choice *choice,
                 sumi_array *items, struct numbers *labels)
{
    int code;
    *labels = (struct numbers){0};
    if (choice->input) {
        code = own_items_read(context, model, choice->input, choice->count, items);
    } else if (choice->recipe) {
        code = read_recipe_items(context, choice->recipe, model, choice->count, items, labels);
    } else {
        return fail(EXIT_USAGE,
                    "%s: there is no recipe in %s to tell of data; name a file of your "
                    "own with -i",
                    choice->command, choice->folder);
    }
    if (choice->wanted->count) *labels = *choice->wanted;
    return code;
}
