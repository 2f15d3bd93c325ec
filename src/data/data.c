/* SPDX-License-Identifier: Apache-2.0 */
/* What all data sets share: opening by recipe, keeping items in memory where they fit, and reading
   with checks. */
#include "data/data.h"

#include <math.h>
#include <string.h>

#include "base/item_kind.h"
#include "base/thread_pool.h"
#include "data/ahead.h"
#include "data/buckets.h"
#include "files/fetch.h"
#include "files/image.h"

static const struct data_kind *const kinds[] = {
    &data_morlet,    &data_digits,     &data_shapes,       &data_swissroll,
    &data_moons,     &data_gaussians,  &data_checkerboard, &data_rings,
    &data_heartbeat, &data_noise,      &data_idx,          &data_cifar10,
    &data_folder,    &data_webdataset, &data_npy,          &data_csv,
};

/* ---- Keys of recipes ---- */

#define GENERATED                                                                                  \
    "data.kind=morlet|digits|shapes|swissroll|moons|gaussians|checkerboard|rings|heartbeat|noise"

static const struct option source_keys[] = {
    {CHOICE_OPTION(
        "data.kind", "digits",
        "morlet|digits|shapes|swissroll|moons|gaussians|checkerboard|rings|heartbeat|noise|idx|"
        "cifar10|folder|webdataset|npy|csv",
        "where items come from: a generator or a kind of file")},
    {PATH_OPTION("data.path", "", "file or folder to read; empty: the user's cache folder"),
     .when = "data.kind=idx|cifar10|folder|webdataset|npy|csv"},
    {CHOICE_OPTION(
         "data.items", "auto", "auto|images|signals|points",
         "the kind of items in the rows of an npy or csv file; auto: that of the network"),
     .when = "data.kind=npy|csv"},
    {CHOICE_OPTION("data.split", "train", "train|test",
                   "which part of a data set with a training and a test set"),
     .when = "data.kind=idx|cifar10"},
    {WHOLE_OPTION("data.limit", "0", 0, 1e15, "number of items to use, from the first; 0: all")},
    {FLAG_OPTION("data.labels", "no",
                 "read the class of each item, for a class-conditional model")},
    {WHOLE_OPTION("data.count", "20000", 1, 1e9, "number of items of a generator"),
     .when = GENERATED},
    {.name = NULL},
};

static const struct option scale_keys[] = {
    {NUMBER_OPTION("data.scale", "1", 1e-6, 1e6, "factor for all numbers of an item")},
    {.name = NULL},
};

static const struct option reading_keys[] = {
    {WHOLE_OPTION(
        "data.memory", "1024", 0, 1e9,
        "largest data set that is kept in memory, in megabytes; others are read on demand")},
    {WHOLE_OPTION("data.readers", "4", 0, 64,
                  "largest number of threads that read the next batch during a step; 0: read it in "
                  "the step")},
    {.name = NULL},
};

static const struct option seed_keys[] = {
    {SEED_OPTION("data.seed", "1", "seed of generated items"), .when = GENERATED},
    {.name = NULL},
};

const struct option *const data_tables[] = {
    source_keys,          data_morlet_keys,  data_shapes_keys,
    data_heartbeat_keys,  scale_keys,        data_noise_keys,
    data_points_keys,     data_folder_keys,  data_buckets_keys,
    data_webdataset_keys, data_caption_keys, augment_keys,
    reading_keys,         seed_keys,         NULL,
};

enum sumi_item_kind data_items_of(const sumi_recipe *recipe)
{
    const struct item_type *type = item_type_of_rows(recipe_text(recipe, "data.items"));
    if (!type) type = item_type_of_network(recipe_text(recipe, "model.kind")); /* auto */
    return type ? type->kind : SUMI_POINTS;
}

sumi_status data_find_path(sumi_data *data, const sumi_recipe *recipe, const char *usual)
{
    const char *path = recipe_text(recipe, "data.path");
    if (!path[0] && !usual) {
        return context_fail(data->context, SUMI_ERROR_ARGUMENT,
                            "data.kind = %s needs --set data.path=PATH", data->kind->name);
    }
    if (snprintf(data->name, sizeof data->name, "%s", path) >= PATH_SIZE) {
        return context_fail(data->context, SUMI_ERROR_ARGUMENT, "data.path is too long");
    }
    if (path[0] && (path_exists(path) || strchr(path, '/'))) return SUMI_OK;
    const char *name = path[0] ? path : usual;
    char folder[PATH_SIZE];
    TRY(path_cache_folder(data->context, name, folder));
    if (path_is_folder(folder)) {
        memcpy(data->name, folder, sizeof folder);
        return SUMI_OK;
    }
    if (path[0]) return SUMI_OK; /* the kind's reader reports a missing file */
    return context_fail(data->context, SUMI_ERROR_FILE,
                        "%.200s: no such folder; run `sumi fetch %s` or --set data.path=DIR",
                        folder, name);
}

/* The source of a bucket is that of the whole. */
static void close_source(sumi_data *data)
{
    if (data->kind->close && !data->whole) data->kind->close(data);
    data->source = NULL;
}

void sumi_data_free(sumi_data *data)
{
    if (!data) return;
    sumi_context *context = data->context;
    ahead_free(data->ahead);
    buckets_free(data);
    close_source(data);
    names_release(context, &data->class_names);
    names_release(context, &data->captions);
    context_release(context, data->items);
    context_release(context, data->labels);
    context_release(context, data->bytes);
    context_release(context, data->numbers);
    context_release(context, data);
}

/* The number of an item in the source. */
static int64_t source_number(const sumi_data *data, int64_t index)
{
    return data->numbers ? data->numbers[index] : index;
}

/* Writes the floats of item `index` (unchecked) to item[item_size], as the kind gives them. */
static sumi_status read_unscaled(sumi_data *data, uint8_t *scratch, int64_t index, float *item)
{
    size_t size = (size_t)data->item_size, first = (size_t)index * size;
    if (!data->kind->read_bytes) {
        if (!data->items) return data->kind->read_floats(data, source_number(data, index), item);
        memcpy(item, (const float *)data->items + first, size * sizeof *item);
        return SUMI_OK;
    }
    const uint8_t *bytes = scratch;
    if (data->items) bytes = (const uint8_t *)data->items + first;
    else TRY(data->kind->read_bytes(data, source_number(data, index), scratch));
    image_to_float(bytes, size, item);
    return SUMI_OK;
}

static void scale_item(const sumi_data *data, float *item)
{
    if (data->scale == 1) return;
    for (int64_t i = 0; i < data->item_size; i++) item[i] = (float)(data->scale * item[i]);
}

sumi_status data_read_label(sumi_data *data, int64_t index, int32_t *label)
{
    *label = data->classes ? 0 : -1;
    if (!data->classes) return SUMI_OK;
    if (data->labels) *label = data->labels[index];
    else TRY(data->kind->read_label(data, source_number(data, index), label));
    return SUMI_OK;
}

static sumi_status check_finite(const sumi_data *data, int64_t index, const float *item)
{
    for (int64_t i = 0; i < data->item_size; i++) {
        if (isfinite(item[i])) continue;
        return context_fail(data->context, SUMI_ERROR_NUMBER,
                            "%s: number %lld of item %lld is not finite", data->name, (long long)i,
                            (long long)index);
    }
    return SUMI_OK;
}

/* ---- All items into memory ---- */

struct loading {
    sumi_data *data;
    size_t number_size;
    int64_t block; /* number of items in a task */
    int32_t *labels;
};

/* Stores item `index`, and its label if there are labels. */
static sumi_status load_item(const struct loading *loading, int64_t index)
{
    sumi_data *data = loading->data;
    void *item = (char *)data->items + (size_t)(index * data->item_size) * loading->number_size;
    if (data->kind->read_bytes) {
        TRY(data->kind->read_bytes(data, source_number(data, index), item));
    } else {
        TRY(data->kind->read_floats(data, source_number(data, index), item));
        TRY(check_finite(data, index, item));
    }
    return loading->labels ? data_read_label(data, index, &loading->labels[index]) : SUMI_OK;
}

static sumi_status load_block(void *user, int member, int64_t task)
{
    const struct loading *loading = user;
    int64_t first = task * loading->block, end = first + loading->block;
    (void)member;
    if (end > loading->data->count) end = loading->data->count;
    for (int64_t i = first; i < end; i++) TRY(load_item(loading, i));
    return SUMI_OK;
}

/* Uses all threads, because decoding a picture can take milliseconds. */
static sumi_status load_blocks(struct loading *loading)
{
    sumi_data *data = loading->data;
    struct thread_pool *pool = NULL;
    int64_t blocks = (data->count + loading->block - 1) / loading->block;
    int helpers = data->context->threads - 1;
    if (helpers > blocks - 1) helpers = (int)(blocks - 1);
    TRY(thread_pool_create(data->context, helpers, &pool));
    for (int i = 0; i < helpers; i++) thread_pool_grow(pool);
    thread_pool_begin(pool, load_block, loading, blocks);
    sumi_status status = thread_pool_finish(pool);
    thread_pool_free(pool);
    return status;
}

static sumi_status load_items(sumi_data *data, size_t number_size)
{
    enum { BLOCK_BYTES = 1 << 16 };
    int64_t item_bytes = data->item_size * (int64_t)number_size;
    struct loading loading = {
        .data = data, .number_size = number_size, .block = 1 + BLOCK_BYTES / item_bytes};
    data->items =
        context_allocate(data->context, (size_t)(data->count * data->item_size), number_size);
    if (!data->items) return SUMI_ERROR_MEMORY;
    if (data->classes) {
        loading.labels = context_allocate(data->context, (size_t)data->count, sizeof(int32_t));
        if (!loading.labels) return SUMI_ERROR_MEMORY;
    }
    sumi_status status = load_blocks(&loading);
    data->labels = loading.labels; /* only now, because read_label uses them */
    return status;
}

/* ---- Opening ---- */

static sumi_status apply_recipe(sumi_data *data, const sumi_recipe *recipe)
{
    int64_t limit = recipe_int(recipe, "data.limit");
    if (limit && limit < data->count) data->count = limit;
    data->scale = recipe_number(recipe, "data.scale");
    data->readers = (int)recipe_int(recipe, "data.readers");
    data->caption_dropout = recipe_number(recipe, "data.caption_dropout");
    if (data->count < 1) {
        return context_fail(data->context, SUMI_ERROR_FORMAT, "%s: holds no items", data->name);
    }
    if (!recipe_flag(recipe, "data.labels")) {
        data->classes = 0;
    } else if (!data->classes) {
        return context_fail(data->context, SUMI_ERROR_ARGUMENT,
                            "%s: data.labels = yes, but the data set has no labels", data->name);
    }
    return augment_read(data->context, recipe, data->name, data->rank, &data->augment);
}

/* Counts the bytes of all items; false where their number overflows. */
static bool measure(sumi_data *data, size_t number_size, int64_t *bytes)
{
    data->item_size = 1;
    for (int i = 0; i < data->rank; i++) {
        if (data->shape[i] < 1
            || __builtin_mul_overflow(data->item_size, data->shape[i], &data->item_size)) {
            return false;
        }
    }
    return !__builtin_mul_overflow(data->item_size, (int64_t)number_size, bytes)
           && !__builtin_mul_overflow(*bytes, data->count, bytes);
}

static size_t number_size(const sumi_data *data)
{
    return data->kind->read_bytes ? 1 : sizeof(float);
}

/* Measures the items, and takes their bytes from *left; false where it does not suffice. */
static sumi_status measure_items(sumi_data *data, int64_t *left, bool *fits)
{
    int64_t bytes = 0;
    if (!measure(data, number_size(data), &bytes)) {
        return context_fail(data->context, SUMI_ERROR_FORMAT,
                            "%s: the items have a dimension of zero, or are too large", data->name);
    }
    *fits = bytes <= *left;
    *left -= *fits ? bytes : 0;
    return SUMI_OK;
}

/* Brings the items into memory, or makes scratch memory for reading them on demand. */
static sumi_status prepare_items(sumi_data *data, bool fits)
{
    if (fits) return load_items(data, number_size(data));
    data->bytes = context_allocate(data->context, (size_t)data->item_size, 1);
    return data->bytes ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static sumi_status open_kind(sumi_data *data, const sumi_recipe *recipe)
{
    int64_t left = 1000000 * recipe_int(recipe, "data.memory");
    bool fits = false;
    TRY(data->kind->open(data, recipe));
    TRY(apply_recipe(data, recipe));
    TRY(buckets_open(data, recipe));
    for (int i = 0; i < data->bucket_count; i++) {
        TRY(measure_items(data->buckets[i], &left, &fits));
        TRY(prepare_items(data->buckets[i], fits));
    }
    TRY(measure_items(data, &left, &fits));
    fits &= data->bucket_count == 0; /* else the whole is only looked at */
    TRY(prepare_items(data, fits));
    if (fits) close_source(data);
    return SUMI_OK;
}

sumi_status sumi_data_open(sumi_context *context, const sumi_recipe *recipe, sumi_data **data)
{
    static const char *const sections[] = {"data", NULL};
    *data = NULL;
    TRY(recipe_check_read(context, recipe, sections));
    sumi_data *made = context_allocate_zeroed(context, 1, sizeof *made);
    if (!made) return SUMI_ERROR_MEMORY;
    made->context = context;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (recipe_is(recipe, "data.kind", kinds[i]->name)) made->kind = kinds[i];
    }
    snprintf(made->name, sizeof made->name, "%s", made->kind->name);
    sumi_status status = open_kind(made, recipe);
    if (status == SUMI_OK) *data = made;
    else sumi_data_free(made);
    return status;
}

int64_t sumi_data_count(const sumi_data *data)
{
    return data->count;
}

int sumi_data_classes(const sumi_data *data)
{
    return data->classes;
}

const char *sumi_data_class_name(const sumi_data *data, int number)
{
    return number < data->classes ? names_get(&data->class_names, number) : NULL;
}

sumi_item_kind sumi_data_kind(const sumi_data *data)
{
    const struct item_type *usual = item_type_of_rank(data->rank);
    if (data->items_are) return data->items_are;
    return usual ? usual->kind : SUMI_FIELD;
}

int sumi_data_shape(const sumi_data *data, int64_t shape[SUMI_MAX_RANK])
{
    for (int i = 0; i < data->rank; i++) shape[i] = data->shape[i];
    return data->rank;
}

sumi_status data_read_item(sumi_data *data, uint8_t *bytes, int64_t index, float *item,
                           int32_t *label)
{
    TRY(read_unscaled(data, bytes, index, item));
    scale_item(data, item);
    if (!data->items) TRY(check_finite(data, index, item));
    return label ? data_read_label(data, index, label) : SUMI_OK;
}

sumi_status sumi_data_read(sumi_data *data, const int64_t *indices, int64_t count, float *items,
                           int32_t *labels)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t index = indices[i];
        if (index < 0 || index >= data->count) {
            return context_fail(data->context, SUMI_ERROR_ARGUMENT,
                                "%s: there is no item %lld; items are numbered from 0 to %lld",
                                data->name, (long long)index, (long long)data->count - 1);
        }
        TRY(data_read_item(data, data->bytes, index, items + i * data->item_size,
                           labels ? &labels[i] : NULL));
    }
    return SUMI_OK;
}
