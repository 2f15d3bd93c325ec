/* SPDX-License-Identifier: Apache-2.0 */
/* Items of standard normal noise of any shape: for measuring the speed of a network without its
   data. */
#include "base/philox.h"
#include "data/data.h"

enum { NOISE_STREAM = 16 }; /* separate from the streams of the other generators */

const struct option data_noise_keys[] = {
    {WHOLES_OPTION("data.shape", "32, 32, 3", 1, 1 << 20,
                   "shape of an item of noise, channels last"),
     .when = "data.kind=noise"},
    {WHOLE_OPTION("data.classes", "10", 1, 1 << 20, "number of classes of items of noise"),
     .when = "data.kind=noise, data.labels=yes"},
    {.name = NULL},
};

static sumi_status open_noise(sumi_data *data, const sumi_recipe *recipe)
{
    int64_t shape[RECIPE_LIST_LIMIT];
    int rank = recipe_list(recipe, "data.shape", shape);
    if (rank < 1 || rank > 3) {
        return context_fail(data->context, SUMI_ERROR_ARGUMENT,
                            "data.shape must be 1 to 3 sizes: of points [d], signals "
                            "[length, channels] or pictures [height, width, channels]");
    }
    philox_stream *stream = context_allocate(data->context, 1, sizeof *stream);
    if (!stream) return SUMI_ERROR_MEMORY;
    *stream = (philox_stream){recipe_seed(recipe, "data.seed"), PURPOSE_DATA, NOISE_STREAM};
    data->source = stream;
    data->count = recipe_int(recipe, "data.count");
    data->classes = (int)recipe_int(recipe, "data.classes");
    data->rank = rank;
    for (int i = 0; i < rank; i++) data->shape[i] = shape[i];
    return SUMI_OK;
}

static sumi_status read_noise(sumi_data *data, int64_t index, float *item)
{
    philox_normal(data->source, (uint64_t)(index * data->item_size), data->item_size, item);
    return SUMI_OK;
}

static sumi_status read_class(sumi_data *data, int64_t index, int32_t *label)
{
    *label = (int32_t)(index % data->classes);
    return SUMI_OK;
}

static void close_noise(sumi_data *data)
{
    context_release(data->context, data->source);
}

const struct data_kind data_noise = {.name = "noise",
                                     .open = open_noise,
                                     .read_floats = read_noise,
                                     .read_label = read_class,
                                     .close = close_noise};
