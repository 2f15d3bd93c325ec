/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of PNG and JPEG pictures, a list of them, or a single one, as a data set: each is scaled
   to cover data.width x data.height and cropped at the centre. The top-level folders are the
   classes, in the order of their names. Hidden files and files with other extensions are skipped.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/pictures.h"
#include "files/image.h"

enum { DEPTH_LIMIT = 16 };

const struct option data_folder_keys[] = {
    {WHOLE_OPTION("data.width", "32", 0, 8192,
                  "width that pictures of a folder are scaled to; 0: that of the first"),
     .when = "data.kind=folder|webdataset"},
    {WHOLE_OPTION("data.height", "32", 0, 8192,
                  "height that pictures of a folder are scaled to; 0: that of the first"),
     .when = "data.kind=folder|webdataset"},
    {CHOICE_OPTION("data.channels", "3", "1|3",
                   "1 reads pictures of a folder as grey, 3 as colour"),
     .when = "data.kind=folder|webdataset"},
    {.name = NULL},
};

static sumi_status add_folder(sumi_data *data, const char *path, int depth, int32_t label);

static sumi_status add_entry(sumi_data *data, const char *folder, const char *name, int depth,
                             int32_t label)
{
    char path[PATH_SIZE];
    if (name[0] == '.') return SUMI_OK;
    TRY(path_join(data->context, folder, name, path));
    if (!path_is_folder(path)) {
        if (!is_picture_name(name)) return SUMI_OK;
        return pictures_add(data->context, data->source, path, label);
    }
    if (depth > 0) return add_folder(data, path, depth + 1, label);
    const struct pictures *source = data->source;
    int64_t before = source->count;
    TRY(add_folder(data, path, depth + 1, data->classes));
    if (source->count == before) return SUMI_OK;
    return names_set(data->context, &data->class_names, data->classes++, name);
}

static int by_name(const struct dirent **entry, const struct dirent **other)
{
    return strcmp((*entry)->d_name, (*other)->d_name);
}

/* Adds the entries in the order of their names, so that items have the same numbers on every
   machine. */
static sumi_status add_folder(sumi_data *data, const char *path, int depth, int32_t label)
{
    if (depth > DEPTH_LIMIT) {
        return context_fail(data->context, SUMI_ERROR_FILE, "%s: more than %d folders deep", path,
                            DEPTH_LIMIT);
    }
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, by_name);
    if (count < 0) {
        return context_fail(data->context, SUMI_ERROR_FILE, "%s: cannot read the folder: %s", path,
                            strerror(errno));
    }
    sumi_status status = SUMI_OK;
    for (int i = 0; i < count; i++) {
        if (status == SUMI_OK) status = add_entry(data, path, entries[i]->d_name, depth, label);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static sumi_status check_labels(const sumi_data *data)
{
    const struct pictures *source = data->source;
    for (int64_t i = 0; i < source->count; i++) {
        if (source->items[i].label >= 0) continue;
        return context_fail(data->context, SUMI_ERROR_FORMAT,
                            "%s: is not in a subfolder, so it has no class; set data.labels "
                            "= no or move it",
                            source->items[i].path);
    }
    return SUMI_OK;
}

/* The size in the recipe, or that of the first picture where the recipe has none. */
static sumi_status choose_size(sumi_data *data, const sumi_recipe *recipe)
{
    const struct pictures *source = data->source;
    data->rank = 3;
    data->shape[0] = recipe_int(recipe, "data.height");
    data->shape[1] = recipe_int(recipe, "data.width");
    data->shape[2] = recipe_int(recipe, "data.channels");
    if (data->shape[0] && data->shape[1]) return SUMI_OK;
    image first = {0};
    TRY(image_read(data->context, source->items[0].path, 0, &first));
    if (!data->shape[0]) data->shape[0] = first.height;
    if (!data->shape[1]) data->shape[1] = first.width;
    image_release(data->context, &first);
    return SUMI_OK;
}

/* Lists the pictures: those of a list, with their captions, those of a folder, or a single one. */
static sumi_status find_pictures(sumi_data *data, const sumi_recipe *recipe)
{
    char list[PATH_SIZE];
    bool captions = recipe_flag(recipe, "data.captions"), found = false;
    const char *key = captions ? recipe_text(recipe, "data.caption_key") : NULL;
    if (!path_exists(data->name) || path_is_folder(data->name)) {
        if (captions) TRY(pictures_find_list(data->context, data->name, list, &found));
        return found ? pictures_read_list(data, list, key, data->source)
                     : add_folder(data, data->name, 0, -1);
    }
    if (is_list_name(data->name)) return pictures_read_list(data, data->name, key, data->source);
    return pictures_add(data->context, data->source, data->name, -1);
}

/* Sums up the names, sizes and times of the pictures, and their captions. */
static void mark_files(sumi_data *data)
{
    const struct pictures *source = data->source;
    for (int64_t i = 0; i < source->count; i++) {
        const char *path = source->items[i].path, *caption = names_get(&data->captions, i);
        const char *name = path + strlen(data->name); /* a set that moves stays the same */
        if (strncmp(path, data->name, strlen(data->name)) != 0) name = strrchr(path, '/');
        if (name) data->files = hash_bytes(data->files, name, strlen(name));
        data->files = hash_file(data->files, path);
        if (caption) data->files = hash_bytes(data->files, caption, strlen(caption));
    }
}

static sumi_status open_folder(sumi_data *data, const sumi_recipe *recipe)
{
    struct pictures *source = context_allocate_zeroed(data->context, 1, sizeof *source);
    if (!source) return SUMI_ERROR_MEMORY;
    data->source = source;
    TRY(data_find_path(data, recipe, NULL));
    TRY(find_pictures(data, recipe));
    if (source->count == 0) {
        return context_fail(data->context, SUMI_ERROR_FORMAT,
                            "%s: no pictures in this folder or below (.png, .jpg or .jpeg)",
                            data->name);
    }
    if (recipe_flag(recipe, "data.labels")) TRY(check_labels(data));
    if (recipe_flag(recipe, "data.captions") && !data->captions.count)
        TRY(captions_read_beside(data, source));
    mark_files(data);
    data->count = source->count;
    return choose_size(data, recipe);
}

static sumi_status read_picture(sumi_data *data, int64_t index, uint8_t *item)
{
    const struct pictures *source = data->source;
    image picture = {0};
    int channels = (int)data->shape[2];
    TRY(image_read(data->context, source->items[index].path, channels, &picture));
    sumi_status status = image_fit(data->context, &picture, (int)data->shape[1],
                                   (int)data->shape[0], channels, item);
    image_release(data->context, &picture);
    return status;
}

static sumi_status measure_picture(sumi_data *data, int64_t index, int64_t size[2])
{
    const struct pictures *source = data->source;
    image picture = {0};
    TRY(image_measure(data->context, source->items[index].path, &picture));
    size[0] = picture.height;
    size[1] = picture.width;
    return SUMI_OK;
}

static sumi_status read_label(sumi_data *data, int64_t index, int32_t *label)
{
    const struct pictures *source = data->source;
    *label = source->items[index].label;
    return SUMI_OK;
}

static void close_folder(sumi_data *data)
{
    struct pictures *source = data->source;
    if (!source) return;
    pictures_release(data->context, source);
    context_release(data->context, source);
}

const struct data_kind data_folder = {.name = "folder",
                                      .open = open_folder,
                                      .read_bytes = read_picture,
                                      .read_label = read_label,
                                      .measure = measure_picture,
                                      .close = close_folder,
                                      .reads_files = true};
