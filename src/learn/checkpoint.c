/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading checkpoints: for each trained weight four tensors (the weight, the two
   moments, the average), the state of the objective, the losses so far, and the step as
   metadata. */
#include "learn/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "files/safetensors.h"
#include "learn/trainer.h"

enum { PARTS = 4, NAME_ROOM = 512 };

/* Metadata: the fingerprint of data that are read from files. */
static const char DATA_ITEMS[] = "data_items", DATA_SAMPLE[] = "data_sample",
                  DATA_ALL[] = "data_all";

static const char *const part_names[PARTS] = {"weight", "first_moment", "second_moment", "average"};

/* The array of one part of weight i: [count of the weight]. */
static float *part_data(const sumi_trainer *trainer, int64_t i, int part)
{
    const struct optimizer *o = &trainer_learner_of(trainer, i)->optimizer;
    float *arrays[PARTS] = {trainer->weights->items[i].data, o->first[i], o->second[i],
                            o->average[i]};
    if (trainer->averaged) { /* the weights and their averages are swapped */
        arrays[0] = o->average[i];
        arrays[3] = trainer->weights->items[i].data;
    }
    return arrays[part];
}

/* "average/conv_in.weight" into name[NAME_ROOM]. */
static sumi_status part_name(const sumi_trainer *trainer, int64_t i, int part, char *name)
{
    int length =
        snprintf(name, NAME_ROOM, "%s/%s", part_names[part], trainer->weights->items[i].name);
    if (length < NAME_ROOM) return SUMI_OK;
    return context_fail(trainer->context, SUMI_ERROR_ARGUMENT,
                        "the weight name %.60s... is too long", trainer->weights->items[i].name);
}

/* Lists the arrays of the objective's state; returns their number. */
static int list_kept(const sumi_trainer *trainer, struct kept kept[MOST_KEPT])
{
    const struct objective *objective = &trainer->plans->objective;
    return objective->keep ? objective->keep(objective->user, kept) : 0;
}

static safetensors_entry entry_of(const char *name, const struct shape *shape, float *data)
{
    safetensors_entry entry = {.name = name, .type = NUMBER_F32, .rank = shape->rank, .data = data};
    memcpy(entry.shape, shape->size, sizeof entry.shape);
    return entry;
}

/* The tensors of a checkpoint and the memory of their names. */
struct listing {
    safetensors_entry *entries;
    char (*names)[NAME_ROOM];
    size_t count;
};

static sumi_status add_parts(const sumi_trainer *trainer, int64_t i, struct listing *listing)
{
    for (int part = 0; part < PARTS; part++) {
        char *name = listing->names[listing->count];
        TRY(part_name(trainer, i, part, name));
        listing->entries[listing->count++] =
            entry_of(name, &trainer->weights->items[i].shape, part_data(trainer, i, part));
    }
    return SUMI_OK;
}

static void release_listing(sumi_context *context, struct listing *listing)
{
    context_release(context, listing->entries);
    context_release(context, listing->names);
}

/* Lists all tensors of a checkpoint taken at `step`. The caller releases the listing, also after a
   failure. */
static sumi_status list_tensors(const sumi_trainer *trainer, int64_t step, struct listing *listing)
{
    sumi_context *context = trainer->context;
    size_t capacity = (size_t)trainer->learners->optimizer.count * PARTS + MOST_KEPT + 1;
    *listing =
        (struct listing){.entries = context_allocate(context, capacity, sizeof *listing->entries),
                         .names = context_allocate(context, capacity, sizeof *listing->names)};
    if (!listing->entries || !listing->names) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < trainer->learners->optimizer.count; i++) {
        if (trainer->weights->items[i].trainable) TRY(add_parts(trainer, i, listing));
    }
    struct kept kept[MOST_KEPT];
    int more = list_kept(trainer, kept);
    for (int k = 0; k < more; k++) {
        listing->entries[listing->count++] = entry_of(kept[k].name, &kept[k].shape, kept[k].values);
    }
    const struct shape losses = {1, {step}};
    listing->entries[listing->count++] = entry_of("losses", &losses, trainer->losses);
    return SUMI_OK;
}

sumi_status sumi_trainer_save(const sumi_trainer *trainer, const char *path)
{
    struct listing listing;
    sumi_status status = list_tensors(trainer, trainer->step, &listing);
    if (status == SUMI_OK) {
        char step[32], seed[32];
        snprintf(step, sizeof step, "%" PRId64, trainer->step);
        snprintf(seed, sizeof seed, "%" PRIu64, trainer->seed);
        const struct fingerprint *data = &trainer->data;
        const safetensors_text metadata[] = {{"sumi_checkpoint", "1"},
                                             {"step", step},
                                             {"seed", seed},
                                             {DATA_ITEMS, data->items},
                                             {DATA_SAMPLE, data->sample},
                                             {DATA_ALL, data->all}};
        status = safetensors_write(trainer->context, path, listing.entries, listing.count, metadata,
                                   data->items[0] ? 6 : 3);
    }
    release_listing(trainer->context, &listing);
    return status;
}

static struct shape entry_shape(const safetensors_entry *entry)
{
    struct shape shape = {.rank = entry->rank};
    memcpy(shape.size, entry->shape, sizeof shape.size);
    return shape;
}

/* Checks that the file has the tensor of that name and shape. */
static sumi_status check_tensor(const sumi_trainer *trainer, const safetensors *file,
                                const char *path, const safetensors_entry *entry)
{
    const safetensors_tensor *tensor = safetensors_find(file, entry->name);
    if (!tensor) {
        return context_fail(trainer->context, SUMI_ERROR_FORMAT,
                            "%s: has no tensor \"%s\": it belongs to another network", path,
                            entry->name);
    }
    struct shape found = {.rank = tensor->rank}, shape = entry_shape(entry);
    memcpy(found.size, tensor->shape, sizeof found.size);
    if (tensor->type == NUMBER_F32 && shape_equal(&found, &shape)) return SUMI_OK;
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    return context_fail(trainer->context, SUMI_ERROR_FORMAT,
                        "%s: \"%s\" is %s %s, but this network needs F32 %s", path, entry->name,
                        number_name(tensor->type), shape_text(&found, have),
                        shape_text(&shape, want));
}

/* Reads the step of a checkpoint, which must agree with the number of its losses. */
static sumi_status read_step(const sumi_trainer *trainer, const safetensors *file, const char *path,
                             int64_t *step)
{
    const char *mark = safetensors_metadata(file, "sumi_checkpoint");
    const char *text = safetensors_metadata(file, "step");
    if (!mark || strcmp(mark, "1") != 0 || !text || !text_to_whole(text, step) || *step < 0) {
        return context_fail(trainer->context, SUMI_ERROR_FORMAT,
                            "%s: is not a checkpoint of this version", path);
    }
    char seed[32];
    snprintf(seed, sizeof seed, "%" PRIu64, trainer->seed);
    const char *found = safetensors_metadata(file, "seed");
    if (!found || strcmp(found, seed) != 0) {
        return context_fail(trainer->context, SUMI_ERROR_ARGUMENT,
                            "%s: was made with train.seed=%s, not %s", path, found ? found : "?",
                            seed);
    }
    return SUMI_OK;
}

/* Whether two texts are both known and differ. */
static bool differ(const char *before, const char *now)
{
    return before && before[0] && now[0] && strcmp(before, now) != 0;
}

/* A resumed run must use the same data. Checkpoints of earlier versions, and of generated data,
   have no fingerprint. */
static sumi_status check_data(const sumi_trainer *trainer, const safetensors *file,
                              const char *path)
{
    const struct fingerprint *now = &trainer->data;
    const char *items = safetensors_metadata(file, DATA_ITEMS);
    if (differ(items, now->items)) {
        return context_fail(trainer->context, SUMI_ERROR_ARGUMENT,
                            "%s: the data set is not that of this run: it had %s, and now has %s; "
                            "restore that data set, or train into another folder",
                            path, items, now->items);
    }
    if (differ(safetensors_metadata(file, DATA_SAMPLE), now->sample)
        || differ(safetensors_metadata(file, DATA_ALL), now->all)) {
        return context_fail(trainer->context, SUMI_ERROR_ARGUMENT,
                            "%s: the data set has changed since: it still has %s, but not the same "
                            "ones, or in another order; restore them, or train into another "
                            "folder",
                            path, now->items);
    }
    return SUMI_OK;
}

/* Requires a loss for each step, so that a forged step cannot make the reader allocate memory. */
static sumi_status check_losses(const sumi_trainer *trainer, const safetensors *file,
                                const char *path, int64_t step)
{
    const struct shape losses = {1, {step}};
    const safetensors_entry entry = entry_of("losses", &losses, NULL);
    return check_tensor(trainer, file, path, &entry);
}

/* Reads all tensors consecutively into values[]. */
static sumi_status read_values(const safetensors *file, const struct listing *listing,
                               float *values)
{
    for (size_t i = 0; i < listing->count; i++) {
        const safetensors_entry *entry = &listing->entries[i];
        struct shape shape = entry_shape(entry);
        TRY(safetensors_read(file, safetensors_find(file, entry->name), values));
        values += shape_count(&shape);
    }
    return SUMI_OK;
}

/* Copies the values to the arrays of the trainer. */
static void place_values(const struct listing *listing, const float *values)
{
    for (size_t i = 0; i < listing->count; i++) {
        const safetensors_entry *entry = &listing->entries[i];
        struct shape shape = entry_shape(entry);
        size_t count = (size_t)shape_count(&shape);
        memcpy((float *)(uintptr_t)entry->data, values, count * sizeof *values);
        values += count;
    }
}

/* Reads everything before anything is overwritten. */
static sumi_status read_listed(sumi_trainer *trainer, const safetensors *file, const char *path,
                               const struct listing *listing)
{
    size_t total = 0;
    for (size_t i = 0; i < listing->count; i++) {
        struct shape shape = entry_shape(&listing->entries[i]);
        TRY(check_tensor(trainer, file, path, &listing->entries[i]));
        total += (size_t)shape_count(&shape);
    }
    float *values = context_allocate(trainer->context, total, sizeof *values);
    if (!values) return SUMI_ERROR_MEMORY;
    sumi_status status = read_values(file, listing, values);
    if (status == SUMI_OK) {
        place_values(listing, values);
        weights_changed(trainer->weights);
    }
    context_release(trainer->context, values);
    return status;
}

static sumi_status read_tensors(sumi_trainer *trainer, const safetensors *file, const char *path,
                                int64_t step)
{
    struct listing listing;
    TRY(check_losses(trainer, file, path, step));
    if (step > trainer->steps) {
        return context_fail(trainer->context, SUMI_ERROR_ARGUMENT,
                            "%s: %" PRId64 " steps are done already, more than train.steps = "
                            "%" PRId64 "; set train.steps to at least %" PRId64,
                            path, step, trainer->steps, step);
    }
    TRY(trainer_reserve_losses(trainer, step + 1));
    sumi_status status = list_tensors(trainer, step, &listing);
    if (status == SUMI_OK) status = read_listed(trainer, file, path, &listing);
    release_listing(trainer->context, &listing);
    TRY(status);
    trainer->step = step;
    return sumi_trainer_use_average(trainer, false);
}

sumi_status sumi_trainer_load(sumi_trainer *trainer, const char *path)
{
    safetensors *file = NULL;
    int64_t step = 0;
    TRY(safetensors_open(trainer->context, path, &file));
    sumi_status status = read_step(trainer, file, path, &step);
    if (status == SUMI_OK) status = check_data(trainer, file, path);
    if (status == SUMI_OK) status = read_tensors(trainer, file, path, step);
    safetensors_free(file);
    return status;
}
