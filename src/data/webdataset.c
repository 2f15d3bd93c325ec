/* SPDX-License-Identifier: Apache-2.0 */
/* WebDataset: tar archives of pictures (X.png, X.jpg) with captions (X.txt, or a key of X.json) and
   classes (X.cls). Opening reads the headers and the texts; pictures are read from their place when
   they are needed. Training passes through the archives, in a new order each epoch, and shuffles
   within a window that slides through them, as a reader with a buffer would, so that the disk is
   read nearly in sequence; because the order is a function of the position, a run continues in the
   middle of an epoch. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "data/pictures.h"
#include "data/shards.h"
#include "data/shuffle.h"
#include "files/image.h"
#include "files/tar.h"

const struct option data_webdataset_keys[] = {
    {WHOLE_OPTION("data.buffer", "1000", 1, 1e9,
                  "number of neighbouring items of archives within which training shuffles"),
     .when = "data.kind=webdataset"},
    {.name = NULL},
};

enum { TEXT_LIMIT = 1 << 20, PICTURE_LIMIT = 1 << 29 };

struct sample {
    int64_t shard;
    uint64_t offset, size; /* of the picture */
    int32_t label;         /* -1 for none */
};

struct archives {
    struct names shards;
    int64_t *first; /* [shards + 1]: the number of the first sample of each */
    struct sample *samples;
    int64_t count, capacity, limit; /* limit: of samples; 0 for none */
    int64_t buffer;
    int64_t captions; /* samples with a caption */
    bool captioned;   /* whether captions are read, by this key */
    const char *key;
};

/* ---- Samples ---- */

/* The members of one sample, which follow each other and have one name before the first point. */
struct group {
    sumi_data *data;
    const byte_source *source;
    int64_t shard;
    char name[TAR_NAME];
    struct sample sample; /* size 0: no picture so far */
    char *caption;        /* or NULL */
};

static sumi_status add_sample(struct archives *archives, sumi_context *context,
                              const struct sample *sample)
{
    if (archives->count == archives->capacity) {
        int64_t capacity = archives->capacity ? 2 * archives->capacity : 256;
        struct sample *larger = context_allocate(context, (size_t)capacity, sizeof *larger);
        if (!larger) return SUMI_ERROR_MEMORY;
        if (archives->count)
            memcpy(larger, archives->samples, (size_t)archives->count * sizeof *larger);
        context_release(context, archives->samples);
        archives->samples = larger;
        archives->capacity = capacity;
    }
    archives->samples[archives->count++] = *sample;
    return SUMI_OK;
}

/* Adds the sample of a group, if it has a picture, and empties the group. */
static sumi_status end_group(struct group *group)
{
    struct archives *archives = group->data->source;
    bool full = archives->limit && archives->count == archives->limit;
    sumi_status status = SUMI_OK;
    if (group->sample.size && !full) {
        char source[PATH_SIZE + TAR_NAME + 8];
        snprintf(source, sizeof source, "%s: %s", group->source->name, group->name);
        int64_t index = archives->count;
        status = add_sample(archives, group->data->context, &group->sample);
        if (status == SUMI_OK && archives->captioned && group->caption) {
            archives->captions++;
            status = caption_add(group->data, index, group->caption, source);
        }
    }
    context_release(group->data->context, group->caption);
    group->caption = NULL;
    group->sample = (struct sample){.shard = group->shard, .label = -1};
    return status;
}

/* The text of a member as a new text. */
static sumi_status read_text(const struct group *group, const struct tar_member *member,
                             char **text)
{
    const byte_source *source = group->source;
    if (member->size > TEXT_LIMIT) {
        return context_fail(source->context, SUMI_ERROR_FORMAT,
                            "%s: %s: %llu bytes are too many for a text", source->name,
                            member->name, (unsigned long long)member->size);
    }
    *text = context_allocate_zeroed(source->context, (size_t)member->size + 1, 1);
    if (!*text) return SUMI_ERROR_MEMORY;
    return source_read(source, member->offset, *text, (size_t)member->size);
}

static sumi_status read_caption(struct group *group, const struct tar_member *member)
{
    context_release(group->data->context, group->caption);
    group->caption = NULL;
    return read_text(group, member, &group->caption);
}

/* The caption that a JSON object has, unless a text has been there. */
static sumi_status find_caption(struct group *group, const struct tar_member *member,
                                json_object *object)
{
    static const char *const usual[] = {"text", "caption", "prompt"};
    const struct archives *archives = group->data->source;
    bool any = strcmp(archives->key, "auto") == 0;
    const char *caption = NULL;
    for (int i = 0; i < (any ? 3 : 1) && !caption; i++)
        TRY(json_get_text(group->data->context, object, member->name,
                          any ? usual[i] : archives->key, &caption));
    if (!caption || group->caption) return SUMI_OK;
    group->caption = context_copy_text(group->data->context, caption);
    return group->caption ? SUMI_OK : SUMI_ERROR_MEMORY;
}

static sumi_status read_json(struct group *group, const struct tar_member *member)
{
    sumi_context *context = group->data->context;
    json_object *object = NULL;
    char *text = NULL, source[PATH_SIZE + TAR_NAME + 8];
    snprintf(source, sizeof source, "%s: %s", group->source->name, member->name);
    sumi_status status = read_text(group, member, &text);
    if (status == SUMI_OK)
        status = json_parse(context, text, (size_t)member->size, source, &object);
    if (status == SUMI_OK && json_object_is_type(object, json_type_object))
        status = find_caption(group, member, object);
    json_object_put(object);
    context_release(context, text);
    return status;
}

static sumi_status read_class(struct group *group, const struct tar_member *member)
{
    char *text = NULL;
    int64_t label = -1;
    sumi_status status = read_text(group, member, &text);
    if (status == SUMI_OK) {
        text[strcspn(text, " \t\r\n")] = 0;
        if (!text_to_whole(text, &label) || label < 0 || label >= INT32_MAX)
            status = context_fail(group->data->context, SUMI_ERROR_FORMAT,
                                  "%s: %s: a class is a whole number from 0, not \"%.40s\"",
                                  group->source->name, member->name, text);
    }
    context_release(group->data->context, text);
    group->sample.label = (int32_t)label;
    return status;
}

/* Where the ending of a member's name begins: behind the first point of its last part. */
static const char *ending_of(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strchr(slash ? slash : name, '.');
    return dot ? dot : name + strlen(name);
}

static sumi_status take_member(struct group *group, const struct tar_member *member)
{
    const struct archives *archives = group->data->source;
    const char *ending = ending_of(member->name);
    size_t length = (size_t)(ending - member->name);
    if (strlen(group->name) != length || strncmp(group->name, member->name, length) != 0) {
        TRY(end_group(group));
        snprintf(group->name, sizeof group->name, "%.*s", (int)length, member->name);
    }
    if (is_picture_name(ending) && !group->sample.size) {
        group->sample.offset = member->offset;
        group->sample.size = member->size;
    }
    if (archives->captioned && path_has_ending(ending, ".txt")) return read_caption(group, member);
    if (archives->captioned && path_has_ending(ending, ".json")) return read_json(group, member);
    return path_has_ending(ending, ".cls") ? read_class(group, member) : SUMI_OK;
}

/* ---- Archives ---- */

static sumi_status read_members(struct group *group)
{
    const struct archives *archives = group->data->source;
    struct tar_member member;
    bool found = true;
    uint64_t place = 0;
    while (found && !(archives->limit && archives->count == archives->limit)) {
        TRY(tar_next(group->source, &place, &member, &found));
        if (found) TRY(take_member(group, &member));
    }
    return end_group(group);
}

static sumi_status read_shard(sumi_data *data, int64_t shard)
{
    struct archives *archives = data->source;
    byte_source source;
    archives->first[shard + 1] = archives->count;
    if (archives->limit && archives->count == archives->limit) return SUMI_OK;
    TRY(source_open(data->context, names_get(&archives->shards, shard), &source));
    data->files = hash_file(data->files, names_get(&archives->shards, shard));
    struct group group = {.data = data, .source = &source, .shard = shard};
    group.sample = (struct sample){.shard = shard, .label = -1};
    sumi_status status = read_members(&group);
    context_release(data->context, group.caption);
    source_close(&source);
    archives->first[shard + 1] = archives->count;
    return status;
}

static sumi_status check_captions(const sumi_data *data)
{
    const struct archives *archives = data->source;
    if (!archives->captioned || archives->captions == archives->count) return SUMI_OK;
    if (archives->captions == 0) {
        return context_fail(data->context, SUMI_ERROR_FORMAT,
                            "%s: data.captions = yes, but no picture has a caption: a .txt, or a "
                            "key of a .json that data.caption_key names",
                            data->name);
    }
    context_warn(data->context,
                 "%s: %lld of %lld pictures have no caption; they are trained with an empty one",
                 data->name, (long long)(archives->count - archives->captions),
                 (long long)archives->count);
    return SUMI_OK;
}

/* Counts the classes; refuses items without one where classes are asked for. */
static sumi_status find_classes(sumi_data *data, bool needed)
{
    const struct archives *archives = data->source;
    for (int64_t i = 0; i < archives->count; i++) {
        int32_t label = archives->samples[i].label;
        if (label < 0 && needed) {
            return context_fail(data->context, SUMI_ERROR_FORMAT,
                                "%s: picture %lld of %s has no class (.cls); set data.labels = no",
                                data->name,
                                (long long)(i - archives->first[archives->samples[i].shard]),
                                names_get(&archives->shards, archives->samples[i].shard));
        }
        if (label >= data->classes) data->classes = label + 1;
    }
    return SUMI_OK;
}

static sumi_status read_shards(sumi_data *data)
{
    struct archives *archives = data->source;
    int64_t count = archives->shards.count;
    archives->first = context_allocate_zeroed(data->context, (size_t)count + 1, sizeof(int64_t));
    if (!archives->first) return SUMI_ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++) TRY(read_shard(data, i));
    if (archives->count) return check_captions(data);
    return context_fail(data->context, SUMI_ERROR_FORMAT,
                        "%s: no pictures in the archives (.png, .jpg or .jpeg)", data->name);
}

static sumi_status read_picture(sumi_data *data, int64_t index, image *picture)
{
    const struct archives *archives = data->source;
    const struct sample *sample = &archives->samples[index];
    byte_source source;
    uint8_t *bytes = NULL;
    if (sample->size > PICTURE_LIMIT)
        return context_fail(data->context, SUMI_ERROR_FORMAT, "%s: picture %lld is too large",
                            data->name, (long long)index);
    TRY(source_open(data->context, names_get(&archives->shards, sample->shard), &source));
    sumi_status status = SUMI_ERROR_MEMORY;
    bytes = context_allocate(data->context, (size_t)sample->size, 1);
    if (bytes) status = source_read(&source, sample->offset, bytes, (size_t)sample->size);
    if (status == SUMI_OK) {
        char name[PATH_SIZE + 64];
        snprintf(name, sizeof name, "%s: the picture at byte %llu", source.name,
                 (unsigned long long)sample->offset);
        status = image_decode(data->context, bytes, (size_t)sample->size, name,
                              data->rank ? (int)data->shape[2] : 0, picture);
    }
    context_release(data->context, bytes);
    source_close(&source);
    return status;
}

static sumi_status choose_size(sumi_data *data, const sumi_recipe *recipe)
{
    int64_t height = recipe_int(recipe, "data.height"), width = recipe_int(recipe, "data.width");
    if (!height || !width) {
        image first = {0};
        TRY(read_picture(data, 0, &first));
        if (!height) height = first.height;
        if (!width) width = first.width;
        image_release(data->context, &first);
    }
    data->rank = 3;
    data->shape[0] = height;
    data->shape[1] = width;
    data->shape[2] = recipe_int(recipe, "data.channels");
    return SUMI_OK;
}

static sumi_status open_webdataset(sumi_data *data, const sumi_recipe *recipe)
{
    struct archives *archives = context_allocate_zeroed(data->context, 1, sizeof *archives);
    if (!archives) return SUMI_ERROR_MEMORY;
    data->source = archives;
    TRY(data_find_path(data, recipe, NULL));
    archives->limit = recipe_int(recipe, "data.limit");
    archives->buffer = recipe_int(recipe, "data.buffer");
    archives->captioned = recipe_flag(recipe, "data.captions");
    archives->key = recipe_text(recipe, "data.caption_key");
    TRY(shards_list(data->context, data->name, &archives->shards));
    TRY(read_shards(data));
    archives->key = NULL; /* the recipe's */
    TRY(find_classes(data, recipe_flag(recipe, "data.labels")));
    data->count = archives->count;
    return choose_size(data, recipe);
}

static sumi_status read_bytes(sumi_data *data, int64_t index, uint8_t *item)
{
    image picture = {0};
    TRY(read_picture(data, index, &picture));
    sumi_status status = image_fit(data->context, &picture, (int)data->shape[1],
                                   (int)data->shape[0], (int)data->shape[2], item);
    image_release(data->context, &picture);
    return status;
}

static sumi_status read_label(sumi_data *data, int64_t index, int32_t *label)
{
    const struct archives *archives = data->source;
    *label = archives->samples[index].label;
    return SUMI_OK;
}

/* ---- The order of training ---- */

/* Shuffles the place within its window of data.buffer places, then counts it off along the archives
   in the order of the epoch. */
static int64_t order(const sumi_data *data, uint64_t seed, uint64_t epoch, int64_t place)
{
    const struct archives *archives = data->source;
    int64_t shards = archives->shards.count, window = place / archives->buffer;
    int64_t start = window * archives->buffer, size = data->count - start;
    if (size > archives->buffer) size = archives->buffer;
    place = start + shuffle_index(hash_word(seed, (uint64_t)window), epoch, size, place - start);
    for (int64_t i = 0; i < shards; i++) {
        int64_t shard = shuffle_index(seed, epoch, shards, i);
        int64_t samples = archives->first[shard + 1] - archives->first[shard];
        if (place < samples) return archives->first[shard] + place;
        place -= samples;
    }
    return 0; /* not reached: there are as many places as samples */
}

static void close_webdataset(sumi_data *data)
{
    struct archives *archives = data->source;
    if (!archives) return;
    names_release(data->context, &archives->shards);
    context_release(data->context, archives->first);
    context_release(data->context, archives->samples);
    context_release(data->context, archives);
}

const struct data_kind data_webdataset = {.name = "webdataset",
                                          .open = open_webdataset,
                                          .read_bytes = read_bytes,
                                          .read_label = read_label,
                                          .order = order,
                                          .close = close_webdataset,
                                          .reads_files = true};
