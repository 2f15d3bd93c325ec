/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting pictures into sizes, and the order in which training takes them; see buckets.h. */
#include "data/buckets.h"

#include <math.h>
#include <string.h>

#include "data/shuffle.h"

#define OF_ANY_SIZE "data.kind=folder|shapes"

const struct option data_buckets_keys[] = {
    {WHOLES_OPTION("data.heights", "auto", 1, 8192,
                   "heights of the sizes, with those of data.widths, that pictures are sorted into "
                   "by aspect ratio, so that each batch has one; auto: all have the same size"),
     .when = OF_ANY_SIZE},
    {WHOLES_OPTION("data.widths", "auto", 1, 8192, "their widths, in the same order"),
     .when = OF_ANY_SIZE},
    {.name = NULL},
};

/* Which batch of which bucket a step takes. */
struct turn {
    int32_t bucket;
    int64_t number; /* of the batch, in the bucket's own order over all epochs */
};

struct turns {
    uint64_t seed;
    int64_t parts, count;               /* count: steps of an epoch */
    int64_t epoch;                      /* that `steps` is of; -1 before the first */
    int64_t batches[RECIPE_LIST_LIMIT]; /* of each bucket in an epoch */
    struct turn steps[];                /* [count] */
};

/* ---- Sizes ---- */

struct sizes {
    int count;
    int64_t side[RECIPE_LIST_LIMIT][2]; /* height and width */
};

static int64_t area(const int64_t side[2])
{
    return side[0] * side[1];
}

/* The largest first, whose plans then have memory for those of the others. */
static void sort_sizes(struct sizes *sizes)
{
    for (int i = 1; i < sizes->count; i++) {
        for (int k = i; k > 0 && area(sizes->side[k]) > area(sizes->side[k - 1]); k--) {
            int64_t kept[2];
            memcpy(kept, sizes->side[k], sizeof kept);
            memcpy(sizes->side[k], sizes->side[k - 1], sizeof kept);
            memcpy(sizes->side[k - 1], kept, sizeof kept);
        }
    }
}

static sumi_status read_sizes(const sumi_data *data, const sumi_recipe *recipe, struct sizes *sizes)
{
    int64_t heights[RECIPE_LIST_LIMIT], widths[RECIPE_LIST_LIMIT];
    sizes->count = recipe_list(recipe, "data.heights", heights);
    int count = recipe_list(recipe, "data.widths", widths);
    if (count != sizes->count) {
        return context_fail(data->context, SUMI_ERROR_ARGUMENT,
                            "data.heights names %d sizes, but data.widths %d; there should be a "
                            "width for each height",
                            sizes->count, count);
    }
    for (int i = 0; i < count; i++) {
        sizes->side[i][0] = heights[i];
        sizes->side[i][1] = widths[i];
    }
    sort_sizes(sizes);
    return SUMI_OK;
}

/* The size whose aspect ratio is nearest to that of a picture, by its logarithm. */
static int nearest(const struct sizes *sizes, const int64_t picture[2])
{
    double ratio = log((double)picture[1] / (double)picture[0]), least = INFINITY;
    int best = 0;
    for (int i = 0; i < sizes->count; i++) {
        double own = log((double)sizes->side[i][1] / (double)sizes->side[i][0]);
        if (fabs(own - ratio) >= least) continue;
        least = fabs(own - ratio);
        best = i;
    }
    return best;
}

/* ---- Opening ---- */

/* A data set over the whole's source, of the items with those numbers, which it takes. */
static sumi_data *make_bucket(sumi_data *whole, const int64_t side[2], int64_t *numbers,
                              int64_t count)
{
    sumi_data *made = context_allocate_zeroed(whole->context, 1, sizeof *made);
    if (!made) return NULL;
    *made = (sumi_data){.context = whole->context,
                        .kind = whole->kind,
                        .source = whole->source,
                        .whole = whole,
                        .numbers = numbers,
                        .count = count,
                        .rank = whole->rank,
                        .shape = {side[0], side[1], whole->shape[2]},
                        .classes = whole->classes,
                        .items_are = whole->items_are,
                        .scale = whole->scale,
                        .augment = whole->augment,
                        .readers = whole->readers};
    memcpy(made->name, whole->name, sizeof made->name);
    return made;
}

/* Makes the bucket of size `size` of those items whose places[count] are it. */
static sumi_status add_bucket(sumi_data *data, const struct sizes *sizes, const int8_t *places,
                              int size)
{
    int64_t count = 0, filled = 0;
    for (int64_t i = 0; i < data->count; i++) count += places[i] == size;
    if (count == 0) return SUMI_OK;
    int64_t *numbers = context_allocate(data->context, (size_t)count, sizeof *numbers);
    if (!numbers) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < data->count; i++)
        if (places[i] == size) numbers[filled++] = i;
    sumi_data *bucket = make_bucket(data, sizes->side[size], numbers, count);
    if (!bucket) context_release(data->context, numbers);
    else data->buckets[data->bucket_count++] = bucket;
    return bucket ? SUMI_OK : SUMI_ERROR_MEMORY;
}

/* Writes the number of the size of each item to places[count]. */
static sumi_status sort_items(sumi_data *data, const struct sizes *sizes, int8_t *places)
{
    for (int64_t i = 0; i < data->count; i++) {
        int64_t picture[2];
        TRY(data->kind->measure(data, i, picture));
        places[i] = (int8_t)nearest(sizes, picture);
    }
    return SUMI_OK;
}

sumi_status buckets_open(sumi_data *data, const sumi_recipe *recipe)
{
    struct sizes sizes;
    TRY(read_sizes(data, recipe, &sizes));
    if (sizes.count == 0) return SUMI_OK;
    int8_t *places = context_allocate(data->context, (size_t)data->count, sizeof *places);
    data->buckets =
        context_allocate_zeroed(data->context, (size_t)sizes.count, sizeof *data->buckets);
    sumi_status status = places && data->buckets ? SUMI_OK : SUMI_ERROR_MEMORY;
    if (status == SUMI_OK) status = sort_items(data, &sizes, places);
    for (int i = 0; i < sizes.count && status == SUMI_OK; i++)
        status = add_bucket(data, &sizes, places, i);
    context_release(data->context, places);
    return status;
}

void buckets_free(sumi_data *data)
{
    for (int i = 0; i < data->bucket_count; i++) sumi_data_free(data->buckets[i]);
    context_release(data->context, data->buckets);
    context_release(data->context, data->turns);
}

int buckets_count(const sumi_data *data)
{
    return data->bucket_count ? data->bucket_count : 1;
}

sumi_data *buckets_at(sumi_data *data, int number)
{
    return data->bucket_count ? data->buckets[number] : data;
}

/* ---- The order of steps ---- */

sumi_status buckets_arrange(sumi_data *data, uint64_t seed, int64_t batch, int64_t parts)
{
    struct turns turns = {.seed = seed, .parts = parts, .epoch = -1};
    if (!data->bucket_count) return SUMI_OK;
    for (int i = 0; i < data->bucket_count; i++) {
        turns.batches[i] = (data->buckets[i]->count + batch - 1) / batch;
        turns.count += turns.batches[i];
    }
    context_release(data->context, data->turns);
    size_t bytes = sizeof turns + (size_t)turns.count * sizeof *turns.steps;
    data->turns = context_allocate(data->context, bytes, 1);
    if (!data->turns) return SUMI_ERROR_MEMORY;
    *data->turns = turns;
    return SUMI_OK;
}

/* Orders the steps of an epoch. */
static void order_epoch(const sumi_data *data, int64_t epoch)
{
    struct turns *turns = data->turns;
    int64_t taken[RECIPE_LIST_LIMIT] = {0};
    for (int64_t i = 0; i < turns->count; i++) {
        int64_t place = shuffle_index(turns->seed, (uint64_t)epoch, turns->count, i);
        int32_t bucket = 0;
        for (; place >= turns->batches[bucket]; bucket++) place -= turns->batches[bucket];
        turns->steps[i] = (struct turn){bucket, epoch * turns->batches[bucket] + taken[bucket]++};
    }
    turns->epoch = epoch;
}

static const struct turn *turn_of(const sumi_data *data, int64_t step)
{
    struct turns *turns = data->turns;
    int64_t epoch = step / turns->count;
    if (turns->epoch != epoch) order_epoch(data, epoch);
    return &turns->steps[step % turns->count];
}

int buckets_of_step(sumi_data *data, int64_t step)
{
    return data->turns ? turn_of(data, step)->bucket : 0;
}

int64_t buckets_place(sumi_data *data, int64_t part)
{
    if (!data->whole || !data->whole->turns) return part;
    int64_t parts = data->whole->turns->parts;
    return turn_of(data->whole, part / parts)->number * parts + part % parts;
}
