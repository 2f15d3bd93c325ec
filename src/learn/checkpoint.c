/* Writing and reading checkpoints: for each trained weight four tensors (the weight, the two
   moments, the average), what the objective gathered, the losses so far, and the step as
   metadata. */
#include "learn/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "files/safetensors.h"
#include "learn/trainer.h"

enum { PARTS = 4, NAME_ROOM = 512 };

static const char *const part_names[PARTS] = {"weight", "first_moment", "second_moment",
                                              "average"};

/* The array of one part of weight i: [count of the weight]. */
static float *part_data(const sumi_trainer *trainer, int64_t i, int part)
{
    const struct optimizer *o = &trainer->optimizer;
    float *arrays[PARTS] = {trainer->weights->items[i].data, o->first[i], o->second[i],
                            o->average[i]};
    if (trainer->averaged) { /* the two stand in each other's place */
        arrays[0] = o->average[i];
        arrays[3] = trainer->weights->items[i].data;
    }
    return arrays[part];
}

/* "average/conv_in.weight" into name[NAME_ROOM]. */
static sumi_status part_name(const sumi_trainer *trainer, int64_t i, int part, char *name)
{
    int length = snprintf(name, NAME_ROOM, "%s/%s", part_names[part],
                          trainer->weights->items[i].name);
    if (length < NAME_ROOM) return SUMI_OK;
    return context_fail(trainer->context, SUMI_ERROR_ARGUMENT,
                        "the weight name %.60s... is too long", trainer->weights->items[i].name);
}

/* What the objective keeps; returns how many. */
static int list_kept(const sumi_trainer *trainer, struct kept kept[MOST_KEPT])
{
    const struct objective *objective = &trainer->objective;
    return objective->keep ? objective->keep(objective->user, kept) : 0;
}

static safetensors_entry entry_of(const char *name, const struct shape *shape, float *data)
{
    safetensors_entry entry = {
        .name = name, .type = NUMBER_F32, .rank = shape->rank, .data = data};
    memcpy(entry.shape, shape->size, sizeof entry.shape);
    return entry;
}

/* Fills entries and the names they point to; the number of entries to *count. */
static sumi_status list_entries(const sumi_trainer *trainer, safetensors_entry *entries,
                                char (*names)[NAME_ROOM], size_t *count)
{
    *count = 0;
    for (int64_t i = 0; i < trainer->optimizer.count; i++) {
        const struct weight *weight = &trainer->weights->items[i];
        if (!weight->trainable) continue;
        for (int part = 0; part < PARTS; part++) {
            TRY(part_name(trainer, i, part, names[*count]));
            entries[*count] = entry_of(names[*count], &weight->shape, part_data(trainer, i, part));
            (*count)++;
        }
    }
    struct kept kept[MOST_KEPT];
    int more = list_kept(trainer, kept);
    for (int k = 0; k < more; k++) {
        entries[(*count)++] = entry_of(kept[k].name, &kept[k].shape, kept[k].values);
    }
    const struct shape losses = {1, {trainer->step}};
    entries[(*count)++] = entry_of("losses", &losses, trainer->losses);
    return SUMI_OK;
}

sumi_status sumi_trainer_save(const sumi_trainer *trainer, const char *path)
{
    sumi_context *context = trainer->context;
    size_t room = (size_t)trainer->optimizer.count * PARTS + MOST_KEPT + 1, count = 0;
    safetensors_entry *entries = context_allocate(context, room, sizeof *entries);
    char(*names)[NAME_ROOM] = context_allocate(context, room, sizeof *names);
    sumi_status status = SUMI_ERROR_MEMORY;
    if (entries && names) status = list_entries(trainer, entries, names, &count);
    if (status == SUMI_OK) {
        char step[32], seed[32];
        snprintf(step, sizeof step, "%" PRId64, trainer->step);
        snprintf(seed, sizeof seed, "%" PRIu64, trainer->seed);
        const safetensors_text metadata[] = {
            {"sumi_checkpoint", "1"}, {"step", step}, {"seed", seed}};
        status = safetensors_write(context, path, entries, count, metadata, 3);
    }
    context_release(context, entries);
    context_release(context, names);
    return status;
}

/* The tensor of that name, which must have the given shape. */
static sumi_status find_tensor(const sumi_trainer *trainer, const safetensors *file,
                               const char *path, const char *name, const struct shape *shape,
                               const safetensors_tensor **tensor)
{
    *tensor = safetensors_find(file, name);
    if (!*tensor) {
        return context_fail(trainer->context, SUMI_ERROR_FORMAT,
                            "%s: has no tensor \"%s\": it belongs to another network", path, name);
    }
    struct shape found = {.rank = (*tensor)->rank};
    memcpy(found.size, (*tensor)->shape, sizeof found.size);
    if ((*tensor)->type == NUMBER_F32 && shape_equal(&found, shape)) return SUMI_OK;
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    return context_fail(trainer->context, SUMI_ERROR_FORMAT,
                        "%s: \"%s\" is %s %s, but this network needs F32 %s", path, name,
                        number_name((*tensor)->type), shape_text(&found, have),
                        shape_text(shape, want));
}

/* The step a checkpoint was taken at, which must fit its losses. */
static sumi_status read_step(const sumi_trainer *trainer, const safetensors *file,
                             const char *path, int64_t *step)
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

/* Checks that every tensor is there before anything is overwritten. */
static sumi_status check_tensors(const sumi_trainer *trainer, const safetensors *file,
                                 const char *path, int64_t step)
{
    const safetensors_tensor *tensor = NULL;
    char name[NAME_ROOM];
    for (int64_t i = 0; i < trainer->optimizer.count; i++) {
        const struct weight *weight = &trainer->weights->items[i];
        for (int part = 0; part < PARTS && weight->trainable; part++) {
            TRY(part_name(trainer, i, part, name));
            TRY(find_tensor(trainer, file, path, name, &weight->shape, &tensor));
        }
    }
    struct kept kept[MOST_KEPT];
    int more = list_kept(trainer, kept);
    for (int k = 0; k < more; k++) {
        TRY(find_tensor(trainer, file, path, kept[k].name, &kept[k].shape, &tensor));
    }
    struct shape losses = {1, {step}};
    return find_tensor(trainer, file, path, "losses", &losses, &tensor);
}

static sumi_status read_tensors(sumi_trainer *trainer, const safetensors *file, int64_t step)
{
    char name[NAME_ROOM];
    TRY(trainer_reserve_losses(trainer, step + 1));
    TRY(sumi_trainer_use_average(trainer, false));
    for (int64_t i = 0; i < trainer->optimizer.count; i++) {
        for (int part = 0; part < PARTS && trainer->weights->items[i].trainable; part++) {
            TRY(part_name(trainer, i, part, name));
            TRY(safetensors_read(file, safetensors_find(file, name), part_data(trainer, i, part)));
        }
    }
    struct kept kept[MOST_KEPT];
    int more = list_kept(trainer, kept);
    for (int k = 0; k < more; k++) {
        TRY(safetensors_read(file, safetensors_find(file, kept[k].name), kept[k].values));
    }
    TRY(safetensors_read(file, safetensors_find(file, "losses"), trainer->losses));
    weights_changed(trainer->weights);
    trainer->step = step;
    return SUMI_OK;
}

sumi_status sumi_trainer_load(sumi_trainer *trainer, const char *path)
{
    safetensors *file = NULL;
    int64_t step = 0;
    TRY(safetensors_open(trainer->context, path, &file));
    sumi_status status = read_step(trainer, file, path, &step);
    if (status == SUMI_OK) status = check_tensors(trainer, file, path, step);
    if (status == SUMI_OK) status = read_tensors(trainer, file, step);
    safetensors_free(file);
    return status;
}
