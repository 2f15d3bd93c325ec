/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR-10's binary batches in one folder: five for training, one for testing. */
#include "files/cifar.h"

#include "data/data.h"

enum { BATCHES = 5 };

struct cifar_source {
    int batches;
    cifar *files[BATCHES];
    int64_t ends[BATCHES]; /* number of images up to the end of each file */
};

/* data_batch_I.bin, or test_batch.bin for `test`, in the folder or where the archive puts it. */
static sumi_status find_batch(sumi_data *data, bool test, int number, char path[PATH_SIZE])
{
    static const char *const folders[] = {"", "/cifar-10-batches-bin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        int length = test ? snprintf(path, PATH_SIZE, "%s%s/test_batch.bin", data->name, folders[i])
                          : snprintf(path, PATH_SIZE, "%s%s/data_batch_%d.bin", data->name,
                                     folders[i], number + 1);
        if (length < PATH_SIZE && path_exists(path)) return SUMI_OK;
    }
    return context_fail(data->context, SUMI_ERROR_FILE,
                        "%s: holds no %s; run `sumi fetch cifar10` or --set data.path=DIR",
                        data->name,
                        test ? "test_batch.bin"
                             : "data_batch_1.bin to "
                               "data_batch_5.bin");
}

static sumi_status open_cifar(sumi_data *data, const sumi_recipe *recipe)
{
    struct cifar_source *source = context_allocate_zeroed(data->context, 1, sizeof *source);
    if (!source) return SUMI_ERROR_MEMORY;
    data->source = source;
    TRY(data_find_path(data, recipe, "cifar10"));
    bool test = recipe_is(recipe, "data.split", "test");
    source->batches = test ? 1 : BATCHES;
    for (int i = 0; i < source->batches; i++) {
        char path[PATH_SIZE];
        TRY(find_batch(data, test, i, path));
        TRY(cifar_open(data->context, path, &source->files[i]));
        data->files = hash_file(data->files, path);
        data->count += cifar_count(source->files[i]);
        source->ends[i] = data->count;
    }
    data->rank = 3;
    data->shape[0] = data->shape[1] = CIFAR_SIDE;
    data->shape[2] = CIFAR_CHANNELS;
    data->classes = CIFAR_CLASSES;
    return SUMI_OK;
}

static sumi_status read_record(sumi_data *data, int64_t index, uint8_t *pixels, uint8_t *label)
{
    const struct cifar_source *source = data->source;
    int batch = 0;
    while (index >= source->ends[batch]) batch++;
    int64_t first = batch > 0 ? source->ends[batch - 1] : 0;
    return cifar_read_rows(source->files[batch], index - first, 1, pixels, label);
}

static sumi_status read_image(sumi_data *data, int64_t index, uint8_t *item)
{
    return read_record(data, index, item, NULL);
}

static sumi_status read_label(sumi_data *data, int64_t index, int32_t *label)
{
    uint8_t byte = 0;
    TRY(read_record(data, index, NULL, &byte));
    *label = byte;
    return SUMI_OK;
}

static void close_cifar(sumi_data *data)
{
    struct cifar_source *source = data->source;
    if (!source) return;
    for (int i = 0; i < source->batches; i++) cifar_free(source->files[i]);
    context_release(data->context, source);
}

const struct data_kind data_cifar10 = {.name = "cifar10",
                                       .open = open_cifar,
                                       .read_bytes = read_image,
                                       .read_label = read_label,
                                       .close = close_cifar,
                                       .reads_files = true};
