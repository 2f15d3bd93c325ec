/* SPDX-License-Identifier: Apache-2.0 */
/* Reading items; see own_items.h. Files are read as data sets, so that they are interpreted as in
   training. */
#include "own_items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "sampling.h"
#include "size.h"

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

/* Reads the first `count` items of the data set, or all if it has fewer. */
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

/* The shape of the items, or with `states` of the states that solvers work on. */
static int shape_of(sumi_context *context, const sumi_model *model, bool states, int64_t *shape)
{
    return states ? sumi_model_shape(model, shape) : sampling_outer_shape(context, model, shape);
}

static int read_data(sumi_context *context, sumi_model *model, bool states, const char *path,
                     sumi_data *data, int64_t count, sumi_array *items, struct numbers *labels)
{
    int64_t shape[SUMI_MAX_RANK], wanted[SUMI_MAX_RANK];
    bool adopts = states || !sampling_has_latents(model);
    int code = adopts ? size_adopt(context, model, path, data) : size_check("items", model);
    if (code != EXIT_DONE) return code;
    int rank = sumi_data_shape(data, shape), wanted_rank = shape_of(context, model, states, wanted);
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

static int read_recipe_items(sumi_context *context, const sumi_recipe *recipe, sumi_model *model,
                             int64_t count, sumi_array *items, struct numbers *labels)
{
    sumi_data *data = NULL;
    if (sumi_data_open(context, recipe, &data) != SUMI_OK) return fail_context(context);
    int code =
        read_data(context, model, false, "the recipe's data set", data, count, items, labels);
    sumi_data_free(data);
    return code;
}

/* ---- Files ---- */

/* Makes a recipe whose data set is the file, with the values of `sets`, which ends with NULL. */
static sumi_status describe_file(sumi_context *context, const char *path, const char *const *sets,
                                 sumi_recipe **recipe)
{
    char place[4096];
    snprintf(place, sizeof place, "data.path=%s%s", strchr(path, '/') ? "" : "./", path);
    sumi_status status = sumi_recipe_open(context, "digits", recipe);
    for (int i = 0; sets[i] && status == SUMI_OK; i++) status = sumi_recipe_set(*recipe, sets[i]);
    if (status == SUMI_OK) status = sumi_recipe_set(*recipe, place);
    if (status == SUMI_OK) status = sumi_recipe_set(*recipe, "data.labels=no");
    return status;
}

static int read_described(sumi_context *context, sumi_model *model, bool states, const char *path,
                          const char *const *sets, int64_t count, sumi_array *items)
{
    sumi_recipe *recipe = NULL;
    sumi_data *data = NULL;
    int code;
    if (describe_file(context, path, sets, &recipe) != SUMI_OK
        || sumi_data_open(context, recipe, &data) != SUMI_OK)
        code = fail_context(context);
    else code = read_data(context, model, states, path, data, count, items, NULL);
    sumi_data_free(data);
    sumi_recipe_free(recipe);
    return code;
}

static int read_rows(sumi_context *context, sumi_model *model, bool states, const char *path,
                     int64_t count, sumi_array *items)
{
    static const char *const ITEMS[] = {[SUMI_POINTS] = "data.items=points",
                                        [SUMI_SIGNAL] = "data.items=signals",
                                        [SUMI_PICTURE] = "data.items=images"};
    const char *const sets[] = {has_ending(path, ".csv") ? "data.kind=csv" : "data.kind=npy",
                                ITEMS[sumi_model_kind(model)], NULL};
    return read_described(context, model, states, path, sets, count, items);
}

/* Reads a picture or a folder of them, scaled and cropped like a folder of training data. */
static int read_pictures(sumi_context *context, sumi_model *model, bool states, const char *path,
                         int64_t count, sumi_array *items)
{
    int64_t wanted[SUMI_MAX_RANK];
    int rank = shape_of(context, model, states, wanted);
    if (sumi_model_kind(model) != SUMI_PICTURE || (wanted[2] != 1 && wanted[2] != 3)) {
        char want[96];
        format_shape(rank, wanted, want, sizeof want);
        return fail(EXIT_FAILED,
                    "%s: is not an .npy or .csv file, and the model takes %s, not pictures", path,
                    want);
    }
    char width[40], height[40];
    snprintf(height, sizeof height, "data.height=%lld", (long long)wanted[0]);
    snprintf(width, sizeof width, "data.width=%lld", (long long)wanted[1]);
    const char *const sets[] = {
        "data.kind=folder", width, height, wanted[2] == 1 ? "data.channels=1" : "data.channels=3",
        "data.memory=0",    NULL};
    return read_described(context, model, states, path, sets, count, items);
}

static int read_file(sumi_context *context, sumi_model *model, bool states, const char *path,
                     int64_t count, sumi_array *items)
{
    if (has_ending(path, ".npy") || has_ending(path, ".csv"))
        return read_rows(context, model, states, path, count, items);
    return read_pictures(context, model, states, path, count, items);
}

int own_items_read(sumi_context *context, sumi_model *model, const char *path, int64_t count,
                   sumi_array *items)
{
    return read_file(context, model, false, path, count, items);
}

int own_states_read(sumi_context *context, sumi_model *model, const char *path, int64_t count,
                    sumi_array *states)
{
    return read_file(context, model, true, path, count, states);
}

int items_choose(sumi_context *context, sumi_model *model, const struct items_choice *choice,
                 sumi_array *items, struct numbers *labels)
{
    int code;
    *labels = (struct numbers){0};
    if (choice->input) {
        code = own_items_read(context, model, choice->input, choice->count, items);
    } else if (choice->recipe) {
        code = read_recipe_items(context, choice->recipe, model, choice->count, items, labels);
    } else {
        return fail(EXIT_USAGE, "%s: %s has no recipe.ini; name a file of items with -i",
                    choice->command, choice->folder);
    }
    if (code != EXIT_DONE || !choice->wanted->count) return code;
    return labels_read(choice->command, model, choice->wanted, labels);
}
