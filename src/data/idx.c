/* SPDX-License-Identifier: Apache-2.0 */
/* MNIST and its relatives: a folder with the usual four IDX files, gzipped or not, or one file of
   images. Pixels are bytes. */
#include "files/idx.h"

#include <string.h>

#include "data/data.h"

struct idx_source {
    idx *images, *labels; /* labels may be NULL */
};

/* Finds folder/stem, the same with a dot for the second-last dash of stem, or either gzipped, in
   this order. */
static bool find_file(const char *folder, const char *stem, char path[PATH_SIZE])
{
    static const char *const forms[] = {"%s/%s-idx%d-ubyte", "%s/%s-idx%d-ubyte.gz",
                                        "%s/%s.idx%d-ubyte", "%s/%s.idx%d-ubyte.gz"};
    int rank = strstr(stem, "images") ? 3 : 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        int length = snprintf(path, PATH_SIZE, forms[i], folder, stem, rank);
        if (length < PATH_SIZE && path_exists(path)) return true;
    }
    return false;
}

/* Finds the label file that belongs to an image file: the same name with "labels" and idx1. */
static bool find_labels_beside(const char *images, char path[PATH_SIZE])
{
    const char *slash = strrchr(images, '/'), *name = slash ? slash + 1 : images;
    const char *word = strstr(name, "images"), *rank = strstr(name, "idx3");
    if (!word || !rank || rank < word) return false;
    int length = snprintf(path, PATH_SIZE, "%.*slabels%.*sidx1%s", (int)(word - images), images,
                          (int)(rank - word - 6), word + 6, rank + 4);
    return length < PATH_SIZE && path_exists(path);
}

static sumi_status find_files(sumi_data *data, const sumi_recipe *recipe, char images[PATH_SIZE],
                              char labels[PATH_SIZE])
{
    TRY(data_find_path(data, recipe, "mnist"));
    labels[0] = 0;
    if (!path_is_folder(data->name)) {
        snprintf(images, PATH_SIZE, "%s", data->name);
        if (!find_labels_beside(images, labels)) labels[0] = 0;
        return SUMI_OK;
    }
    bool test = recipe_is(recipe, "data.split", "test");
    if (!find_file(data->name, test ? "t10k-images" : "train-images", images)) {
        return context_fail(data->context, SUMI_ERROR_FILE,
                            "%s: has no %s-images-idx3-ubyte, gzipped or not; run `sumi fetch "
                            "mnist` or --set data.path=DIR",
                            data->name, test ? "t10k" : "train");
    }
    if (!find_file(data->name, test ? "t10k-labels" : "train-labels", labels)) labels[0] = 0;
    return SUMI_OK;
}

/* Reads one label per picture, from 0 to 255; the number of classes is the largest label plus
   one. */
static sumi_status open_labels(sumi_data *data, struct idx_source *source, const char *path)
{
    TRY(idx_open(data->context, path, &source->labels));
    const idx_info *info = idx_describe(source->labels);
    if (info->type != NUMBER_U8 || info->rank != 1 || info->rows != data->count) {
        return context_fail(data->context, SUMI_ERROR_FORMAT,
                            "%s: expected %lld labels of one byte, as many as there are images",
                            path, (long long)data->count);
    }
    uint8_t labels[4096];
    for (int64_t first = 0; first < data->count; first += (int64_t)sizeof labels) {
        int64_t left = data->count - first, count = (int64_t)sizeof labels;
        if (count > left) count = left;
        TRY(idx_read_bytes(source->labels, first, count, labels));
        for (int64_t i = 0; i < count; i++) {
            if (labels[i] >= data->classes) data->classes = labels[i] + 1;
        }
    }
    return SUMI_OK;
}

static sumi_status open_images(sumi_data *data, struct idx_source *source, const char *path)
{
    TRY(idx_open(data->context, path, &source->images));
    data->files = hash_file(data->files, path);
    const idx_info *info = idx_describe(source->images);
    if (info->type != NUMBER_U8 || (info->rank != 3 && info->rank != 4)) {
        return context_fail(data->context, SUMI_ERROR_FORMAT,
                            "%s: expected images of bytes [n, height, width] or [n, height, width, "
                            "channels], not rank %d of %s",
                            path, info->rank, number_name(info->type));
    }
    data->count = info->rows;
    data->rank = 3;
    data->shape[0] = info->shape[1];
    data->shape[1] = info->shape[2];
    data->shape[2] = info->rank == 4 ? info->shape[3] : 1;
    return SUMI_OK;
}

static sumi_status open_idx(sumi_data *data, const sumi_recipe *recipe)
{
    struct idx_source *source = context_allocate_zeroed(data->context, 1, sizeof *source);
    if (!source) return SUMI_ERROR_MEMORY;
    data->source = source;
    char images[PATH_SIZE], labels[PATH_SIZE];
    TRY(find_files(data, recipe, images, labels));
    TRY(open_images(data, source, images));
    if (!labels[0] || !recipe_flag(recipe, "data.labels")) return SUMI_OK;
    return open_labels(data, source, labels);
}

static sumi_status read_image(sumi_data *data, int64_t index, uint8_t *item)
{
    const struct idx_source *source = data->source;
    return idx_read_bytes(source->images, index, 1, item);
}

static sumi_status read_label(sumi_data *data, int64_t index, int32_t *label)
{
    const struct idx_source *source = data->source;
    uint8_t byte = 0;
    TRY(idx_read_bytes(source->labels, index, 1, &byte));
    *label = byte;
    return SUMI_OK;
}

static void close_idx(sumi_data *data)
{
    struct idx_source *source = data->source;
    if (!source) return;
    idx_free(source->images);
    idx_free(source->labels);
    context_release(data->context, source);
}

const struct data_kind data_idx = {.name = "idx",
                                   .open = open_idx,
                                   .read_bytes = read_image,
                                   .read_label = read_label,
                                   .close = close_idx,
                                   .reads_files = true};
