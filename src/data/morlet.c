/* SPDX-License-Identifier: Apache-2.0 */
/* Morlet wavelets as a data set: signals [length, 1], clean or with noise of a given deviation. */
#include "data/morlet.h"

#include <math.h>

#include "base/philox.h"
#include "data/data.h"

const struct option data_morlet_keys[] = {
    {WHOLE_OPTION("data.length", "128", 8, 1 << 20, "length of a generated signal"),
     .when = "data.kind=morlet"},
    {.name = NULL},
};

const morlet_parameters morlet_lowest = {-0.5, 0.08, 3.0, 0.5, 0.0};
const morlet_parameters morlet_highest = {0.5, 0.25, 7.0, 1.0, 6.283185307179586};

struct morlet_source {
    uint64_t seed;
    double noise; /* standard deviation */
};

morlet_parameters morlet_draw(uint64_t seed, int64_t number)
{
    philox_stream stream = {seed, PURPOSE_DATA, 0};
    double share[5];
    for (int i = 0; i < 5; i++) share[i] = philox_uniform(&stream, (uint64_t)number * 8 + i);
    const morlet_parameters *low = &morlet_lowest, *high = &morlet_highest;
    return (morlet_parameters){
        .centre = low->centre + share[0] * (high->centre - low->centre),
        .scale = low->scale * pow(high->scale / low->scale, share[1]),
        .frequency = low->frequency + share[2] * (high->frequency - low->frequency),
        .amplitude = low->amplitude + share[3] * (high->amplitude - low->amplitude),
        .phase = low->phase + share[4] * (high->phase - low->phase),
    };
}

void morlet_wave(const morlet_parameters *parameters, int64_t length, float *wave)
{
    for (int64_t i = 0; i < length; i++) {
        double x = -1 + 2 * (double)i / (double)(length - 1);
        double u = (x - parameters->centre) / parameters->scale;
        double carrier = cos(parameters->frequency * u + parameters->phase);
        wave[i] = (float)(parameters->amplitude * carrier * exp(-0.5 * u * u));
    }
}

static sumi_status open_morlet(sumi_data *data, const sumi_recipe *recipe)
{
    struct morlet_source *source = context_allocate(data->context, 1, sizeof *source);
    if (!source) return SUMI_ERROR_MEMORY;
    data->source = source;
    source->seed = recipe_seed(recipe, "data.seed");
    source->noise = recipe_number(recipe, "data.noise");
    data->count = recipe_int(recipe, "data.count");
    data->rank = 2;
    data->shape[0] = recipe_int(recipe, "data.length");
    data->shape[1] = 1;
    return SUMI_OK;
}

static sumi_status read_wave(sumi_data *data, int64_t index, float *item)
{
    const struct morlet_source *source = data->source;
    morlet_parameters parameters = morlet_draw(source->seed, index);
    morlet_wave(&parameters, data->shape[0], item);
    philox_stream stream = {source->seed, PURPOSE_DATA, 1};
    for (int64_t i = 0; source->noise > 0 && i < data->shape[0]; i++) {
        float noise;
        philox_normal(&stream, (uint64_t)(index * data->shape[0] + i), 1, &noise);
        item[i] += (float)source->noise * noise;
    }
    return SUMI_OK;
}

static void close_morlet(sumi_data *data)
{
    context_release(data->context, data->source);
}

const struct data_kind data_morlet = {
    .name = "morlet", .open = open_morlet, .read_floats = read_wave, .close = close_morlet};
